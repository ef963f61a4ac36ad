"""
Versions that answered, as numbers that cannot flatter: each against its baselines, and two on the same candles.

A version is whatever its caller calls one (a strategy's version and the model that answered, trading or in shadow).
What counts is by whole UTC days in which everything has ended: a day half over would have only what ended early. All
intervals hold however often they are looked at, and for all versions together: each of K has its part of the 5 %, and
so has each pair. The call is the version's own cost; no baseline asks anybody. The edge to look for is what fees take
of a decision: a version that earns as much again as its costs would show it.

Floats, for statistics alone (`lib.evidence.series`); no order is made of what comes out.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.domain.scores import Answered
from lib.evidence.calibration import Calibration, Decided, calibration
from lib.evidence.chance import Moments
from lib.evidence.intervals import AnytimeInterval, anytime_interval
from lib.evidence.series import DAY_MS, Blocks, Floats, Scored, blocks, paired
from lib.evidence.spread import LEAST_BLOCKS
from lib.evidence.verdict import LEAST_DECIDED, Baseline, baselines_of, judged, share, still_open

K = TypeVar("K", bound=Hashable)
LEAST_EDGE = Decimal("0.0001")
"""An edge that is looked for is no smaller: a hundredth of a percent a decision."""
ENDED_MS = DAY_MS + 3_600_000
"""By then every opinion has ended and was scored: 24 hours, and one for the scorer."""
MOST_PAIRED = 12
"""Versions that are compared in pairs, the first of them: 66 pairs."""


@dataclass(frozen=True, slots=True)
class Against:
    """A *baseline*'s own mean a decision, and where the version lies beyond it."""

    baseline: Baseline
    mean: float
    beyond: AnytimeInterval


@dataclass(frozen=True, slots=True)
class Judged:
    """
    What can be said of a version: *reason*. *decisions*, *longs* and *shorts* are of its *days* whole days. *net* is
    what a decision was worth and *against* every baseline beside it, None and () until there is enough.
    """

    reason: Reason
    decisions: int
    longs: int
    shorts: int
    days: int
    edge: Decimal
    net: AnytimeInterval | None
    against: tuple[Against, ...]
    calibration: Calibration | None

    @property
    def is_better(self) -> bool:
        """Better than chance and every other baseline."""
        return codes.EVIDENCE_BETTER.is_of(self.reason)

    @property
    def is_bad(self) -> bool:
        """Worse than chance, or losing after costs."""
        return any(code.is_of(self.reason) for code in (codes.EVIDENCE_WORSE_THAN_CHANCE, codes.EVIDENCE_LOSES))


@dataclass(frozen=True, slots=True)
class Pair(Generic[K]):
    """
    *one* and *other* where both were asked the same window: *decisions* of them. *beyond* is what *one* earned more.
    *ahead* is the better one, None while that cannot be told.
    """

    one: K
    other: K
    decisions: int
    days: int
    beyond: AnytimeInterval | None
    ahead: K | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Versions(Generic[K]):
    """Each version *judged*, in their caller's order, their *pairs*, and the *winner*, if any may be called so."""

    until_ms: int
    judged: Mapping[K, Judged]
    pairs: tuple[Pair[K], ...]
    winner: K | None

    @property
    def left(self) -> tuple[K, ...]:
        """Those that may still be the best: neither found worse than chance or losing, nor behind another one."""
        behind = {pair.other if pair.ahead == pair.one else pair.one for pair in self.pairs if pair.ahead is not None}
        return tuple(name for name, one in self.judged.items() if not one.is_bad and name not in behind)


def versions(answers: Mapping[K, Sequence[Answered]], now_ms: int) -> Versions[K]:
    """What can be said at *now_ms* of each version's *answers*, and of any two that were asked the same."""
    until = whole_until(now_ms)
    tries = max(1, len(answers))
    found = {name: judged_until(given, until, tries) for name, given in answers.items()}
    couples = list(combinations(list(answers)[:MOST_PAIRED], 2))
    scored = {name: _scored(given, until) for name, given in answers.items()}
    pairs = [_pair(a, b, scored, _Asked(until, max(found[a].edge, found[b].edge), len(couples))) for a, b in couples]
    told = tuple(one for one in pairs if one is not None)
    return Versions(until, found, told, _winner(found, told))


def whole_until(now_ms: int) -> int:
    """The end of the last UTC day in which everything has ended by *now_ms*."""
    return (now_ms - ENDED_MS) // DAY_MS * DAY_MS


def moments_of(answers: Sequence[Answered]) -> Moments:
    """*answers* as moments with both sides' worths, oldest first."""
    told = sorted(answers, key=lambda each: (each.t_ms, each.window))

    def column(name: str) -> Floats:
        return np.array([float(getattr(each, name)) for each in told], dtype=np.float64)

    times = np.array([each.t_ms for each in told], dtype=np.int64)
    sides = np.array([each.side for each in told], dtype=np.int64)
    return Moments(times, column("long"), column("short"), sides, column("call"))


def judged_until(answers: Sequence[Answered], until_ms: int, tries: int) -> Judged:
    """What can be said of one version's *answers* before *until_ms*, one of *tries* that are looked at."""
    whole = [each for each in answers if each.t_ms < until_ms]
    longs, shorts = (sum(each.side == side for each in whole) for side in (1, -1))
    days = len({each.t_ms // DAY_MS for each in whole})
    edge = _edge(whole)
    if not whole:
        reason = codes.EVIDENCE_FEW_DECIDED(decided=0, least=LEAST_DECIDED)
        return Judged(reason, 0, 0, 0, 0, edge, None, (), None)
    moments = moments_of(whole)
    said = judged(moments, until_ms, edge, tries=tries)
    own = baselines_of(moments)
    against = tuple(Against(name, float(own[name].mean()), one) for name, one in said.against.items())
    sure = [Decided(each.t_ms, each.confidence, each.net) for each in whole if each.side]
    net = said.against.get(Baseline.HOLD)
    return Judged(said.reason, len(whole), longs, shorts, days, edge, net, against, calibration(sure))


def _edge(whole: Sequence[Answered]) -> Decimal:
    """What fees take of a decision; `LEAST_EDGE` at least."""
    fees = sum((each.fees for each in whole), Decimal(0))
    return max(LEAST_EDGE, share(float(fees) / len(whole))) if whole else LEAST_EDGE


def _pair(one: K, other: K, scored: Mapping[K, Sequence[Scored]], asked: "_Asked") -> Pair[K] | None:
    """None where the two were never asked the same."""
    both = paired(scored[one], scored[other])
    if not len(both.values):
        return None
    found = blocks(both, asked.until_ms)
    beyond = anytime_interval(found.values, asked.tries) if both.decided >= LEAST_DECIDED else None
    ahead = None if beyond is None else one if beyond.low > 0 else other if beyond.high < 0 else None
    reason = _said(beyond, found, both.decided, asked)
    return Pair(one, other, len(both.values), len(found.values), beyond, ahead, reason)


def _scored(answers: Sequence[Answered], until_ms: int) -> list[Scored]:
    return [Scored(each.t_ms, each.window, each.net, each.side != 0) for each in answers if each.t_ms < until_ms]


@dataclass(frozen=True, slots=True)
class _Asked:
    until_ms: int
    edge: Decimal
    tries: int


def _said(beyond: AnytimeInterval | None, found: Blocks, decided: int, asked: _Asked) -> Reason:
    days = len(found.values)
    if decided < LEAST_DECIDED:
        return codes.EVIDENCE_FEW_DECIDED(decided=decided, least=LEAST_DECIDED)
    if beyond is None:
        return codes.EVIDENCE_FEW_DAYS(days=days, least=LEAST_BLOCKS)
    if (least := max(beyond.low, -beyond.high)) > 0:
        return codes.EVIDENCE_AHEAD(low=share(least), days=days)
    return still_open([found], days, asked.edge, asked.tries)


def _winner(found: Mapping[K, Judged], pairs: Sequence[Pair[K]]) -> K | None:
    """The one that is better than every baseline and ahead of every other version on the same candles."""
    for name, one in found.items():
        beaten = {pair.other if pair.one == name else pair.one for pair in pairs if pair.ahead == name}
        if len(found) > 1 and one.is_better and beaten == found.keys() - {name}:
            return name
    return None
