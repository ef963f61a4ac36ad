"""
What a stretch of evidence must show, written before it begins, and what it showed, once it is over.

How long it has to be comes from the power of the record so far: as many days as an edge the size of the costs takes to
be seen with 90 %. Judged is what the analyst answered in its whole UTC days, traded or not, by the statistics of the
comparison, with bounds for all stretches the person ever began.

The judge runs in the notifier, between cycles, beside the scorer whose scores it reads. It seals what was asked for
when it first sees it; the web can neither date a stretch nor end it.
"""

import asyncio
from collections.abc import Callable, Sequence

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.scores import Answered
from lib.domain.stretch import LEAST_DAYS, LEAST_DECIDED, MOST_DAYS, Criteria, Measured, Stretch
from lib.evidence.rounds import rounds
from lib.evidence.scorer import is_quiet
from lib.evidence.verdict import Baseline, share
from lib.evidence.versions import Judged, judged_until, whole_until
from lib.ports.stretches import StretchBook

USUAL_DAYS = 178
"""Where the record is too short to tell: 0.1 % a decision at twelve a day (docs/adr/0073)."""
LOOK_S = 60.0
Answers = Callable[[Stretch, int], Sequence[Answered]]
"""What was answered for a stretch's account, version and model, scored both ways, before an epoch ms."""
_log = log.get("ladder")


def criteria_for(found: Judged, model: str, tries: int = 1) -> Criteria:
    """The criteria of a stretch that begins now, after the record *found*; whoever keeps it counts its *tries* anew."""
    days = min(max(_needed(found), LEAST_DAYS), MOST_DAYS)
    a_day = (found.longs + found.shorts) / found.days if found.days else 0.0
    return Criteria(model, days, max(LEAST_DECIDED, int(a_day * days / 2)), tries)


def _needed(found: Judged) -> int:
    if codes.EVIDENCE_OUT_OF_REACH.is_of(found.reason):
        return MOST_DAYS
    if codes.EVIDENCE_NOT_YET.is_of(found.reason):
        return found.days + int(str(found.reason.params["more"]))
    return USUAL_DAYS if found.net is None else found.days


def measured_of(answers: Sequence[Answered], stretch: Stretch, flaws: tuple[int, int]) -> Measured:
    """What *answers* of the stretch's days came to."""
    inside = [one for one in answers if stretch.first_ms <= one.t_ms < stretch.until_ms]
    found = judged_until(inside, stretch.until_ms, stretch.criteria.tries)
    lows = {each.baseline: share(each.beyond.low) for each in found.against}
    skill = None if found.calibration is None else share(found.calibration.skill)
    return Measured(
        days=found.days,
        decided=found.longs + found.shorts,
        coin=lows.get(Baseline.COIN),
        moments=lows.get(Baseline.RANDOM_MOMENTS),
        hold=lows.get(Baseline.HOLD),
        skill=skill,
        broken=flaws[0],
        differing=flaws[1],
    )


class Judge:
    """Seals and judges stretches of *book* by *answers*."""

    def __init__(self, book: StretchBook, answers: Answers, clock: Clock) -> None:
        self._book, self._answers, self._clock = book, answers, clock

    async def run(self, stop: asyncio.Event) -> None:
        """Go on between cycles until *stop*."""
        await rounds(self.go_on, stop, LOOK_S, _log, "ladder")

    def go_on(self) -> None:
        """Seal what waits for it, and judge what is over, while no cycle is near. *Retry* when the database is away."""
        now = self._clock.now_ms()
        if not is_quiet(now):
            return
        for stretch in self._book.open():
            if not stretch.begun_ms:
                self._book.seal(stretch, now)
                _log.info("ladder.sealed", stretch=stretch.stretch_id, days=stretch.criteria.days)
            elif whole_until(now) >= stretch.until_ms:
                measured = measured_of(self._answers(stretch, stretch.until_ms), stretch, self._book.flaws(stretch))
                self._book.end(stretch, measured, now)
                _log.info("ladder.judged", stretch=stretch.stretch_id)
