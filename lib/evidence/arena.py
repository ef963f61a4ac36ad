"""
Where the arena's entries stand, worked out once a whole day by who lets nobody in: the notifier, between cycles.

What counts of an entry are the answers of its own version and model on its person's paper accounts since its first
whole day, by the comparison's statistics (`lib.evidence.versions`), with bounds for as many entries as the season has
places. Days in which not everything has ended are none yet. Whoever reads the board reads what is kept.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from lib import log
from lib.clock import Clock
from lib.domain.arena import Bound, Entry, Season, Standing
from lib.domain.position import ZERO
from lib.domain.scores import Answered
from lib.evidence.intervals import AnytimeInterval
from lib.evidence.rounds import rounds
from lib.evidence.scorer import is_quiet
from lib.evidence.verdict import Baseline, share
from lib.evidence.versions import Judged, judged_until, moments_of, whole_until
from lib.ports.arena import ArenaBook

LOOK_S = 60.0
Answers = Callable[[Entry, int], Sequence[Answered]]
"""What an entry answered from its first day to an epoch ms, scored both ways."""
_log = log.get("arena")


def standing_of(answers: Sequence[Answered], entry: Entry, until_ms: int, places: int) -> Standing:
    """Where *entry* stands after its *answers* before *until_ms*, one of *places* entries at most."""
    inside = [one for one in answers if entry.from_ms <= one.t_ms < until_ms]
    found = judged_until(inside, until_ms, places)
    return Standing(
        until_ms=until_ms,
        days=found.days,
        decisions=found.decisions,
        decided=found.longs + found.shorts,
        net=None if found.net is None else _bound(found.net),
        chance=_beyond(found, Baseline.COIN),
        coin=_mean(found, Baseline.COIN),
        long=_mean(found, Baseline.LONG),
        fall=_fall(inside),
        reason=found.reason,
    )


def _bound(told: AnytimeInterval) -> Bound:
    return Bound(share(told.mean), share(told.low), share(told.high))


def _beyond(found: Judged, baseline: Baseline) -> Bound | None:
    return next((_bound(one.beyond) for one in found.against if one.baseline is baseline), None)


def _mean(found: Judged, baseline: Baseline) -> Decimal:
    return next((share(one.mean) for one in found.against if one.baseline is baseline), ZERO)


def _fall(inside: Sequence[Answered]) -> Decimal:
    """The deepest fall of the sum of what the decisions were worth, from 0 on."""
    if not inside:
        return ZERO
    run = np.concatenate([[0.0], np.cumsum(moments_of(inside).taken())])
    return share(float((np.maximum.accumulate(run) - run).max()))


class Referee:
    """Keeps where the entries of *book* stand, by their *answers*."""

    def __init__(self, book: ArenaBook, answers: Answers, clock: Clock) -> None:
        self._book, self._answers, self._clock = book, answers, clock

    async def run(self, stop: asyncio.Event) -> None:
        """Go on between cycles until *stop*."""
        await rounds(self.go_on, stop, LOOK_S, _log, "arena")

    def go_on(self) -> None:
        """Bring every entry up to the last whole day, while no cycle is near. *Retry* when the database is away."""
        if not is_quiet(self._clock.now_ms()):
            return
        for season, entry in self._book.entries():
            now = self._clock.now_ms()
            if not is_quiet(now):
                return
            until = min(whole_until(now), entry.until_ms(season))
            if self._is_due(season, entry, until):
                told = standing_of(self._answers(entry, until), entry, until, season.rules.places)
                self._book.keep(entry, told, now)
                _log.info("arena.stands", entry=entry.entry_id, days=told.days)

    def _is_due(self, season: Season, entry: Entry, until_ms: int) -> bool:
        known = 0 if entry.standing is None else entry.standing.until_ms
        return season.is_sealed and until_ms > entry.from_ms and until_ms != known
