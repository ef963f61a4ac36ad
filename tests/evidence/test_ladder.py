"""Criteria come from the power of the record; what a stretch showed is of its own days; who judges, judges once."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from lib.clock import SteppedClock
from lib.domain.scores import Answered
from lib.domain.stretch import LEAST_DAYS, MOST_DAYS, Criteria, Measured, Stretch, seal_of, unmet
from lib.evidence.ladder import USUAL_DAYS, Judge, criteria_for, measured_of
from lib.evidence.series import DAY_MS
from lib.evidence.versions import ENDED_MS, judged_until
from lib.ports.stretches import StretchBook

D = Decimal
FIRST = 20_000 * DAY_MS
QUIET_MS = 150_000
"""Past a T: no cycle is near."""


def answers(days: int, edge: float, *, first_ms: int = FIRST, noise: float = 0.002, a_day: int = 12) -> list[Answered]:
    """*a_day* opinions a day, right by *edge* on the mean; their confidence knows how they end."""
    random, made = Random(7), []
    for number in range(days * a_day):
        t_ms = first_ms + number // a_day * DAY_MS + number % a_day * 3_600_000
        moved = random.gauss(0, noise)
        side = random.choice((1, -1))
        long, short = D(f"{moved + side * edge:.8f}"), D(f"{-moved - side * edge:.8f}")
        won = (long if side > 0 else short) > 0
        sure = D("0.95") if won else D("0.05")
        made.append(Answered(t_ms, "BTCUSDT", side, long, short, D(0), D("0.0011"), sure))
    return made


def stretch(days: int = 30, begun_ms: int = FIRST - 1) -> Stretch:
    """Sealed a moment before the first day."""
    asked = Stretch(1, 1, 1, 0, False, Criteria("rules", days, 100, 1), begun_ms=begun_ms)
    return replace(asked, seal=seal_of(asked))


def test_without_a_record_a_stretch_is_as_long_as_it_usually_takes() -> None:
    criteria = criteria_for(judged_until([], FIRST, 1), "rules")
    assert (criteria.days, criteria.decided, criteria.model) == (USUAL_DAYS, 100, "rules")
    assert criteria.is_lawful


def test_the_noisier_the_record_the_longer_the_stretch() -> None:
    until = FIRST + 40 * DAY_MS
    lengths = [
        criteria_for(judged_until(answers(40, 0.0, noise=noise), until, 1), "rules").days
        for noise in (0.001, 0.005, 0.02, 5.0)
    ]
    assert lengths == sorted(lengths)
    assert lengths[0] >= LEAST_DAYS
    assert lengths[-1] == MOST_DAYS
    assert lengths[0] < lengths[1] < lengths[2]


def test_an_analyst_with_an_edge_passes_and_one_without_does_not() -> None:
    one = stretch()
    good, none = (measured_of(answers(30, edge), one, (0, 0)) for edge in (0.003, 0.0))
    assert unmet(one.criteria, good) == ()
    assert (good.days, good.decided) == (30, 360)
    assert unmet(one.criteria, none)


def test_days_before_and_after_the_stretch_count_for_nothing() -> None:
    one = stretch(days=20)
    inside = measured_of(answers(20, 0.003), one, (1, 2))
    around = answers(60, 0.003, first_ms=FIRST - 20 * DAY_MS)
    wider = measured_of(around, one, (1, 2))
    assert (wider.days, wider.decided) == (inside.days, inside.decided) == (20, 240)
    assert (inside.broken, inside.differing) == (1, 2)


def test_each_stretch_a_person_began_makes_the_bounds_wider() -> None:
    one = stretch()
    tenth = replace(one, criteria=replace(one.criteria, tries=10))
    first, later = (measured_of(answers(30, 0.003), each, (0, 0)) for each in (one, tenth))
    assert first.coin is not None
    assert later.coin is not None
    assert later.coin < first.coin


def test_too_little_is_told_as_nothing() -> None:
    found = measured_of(answers(3, 0.003), stretch(), (0, 0))
    assert (found.coin, found.moments, found.hold, found.skill) == (None, None, None, None)


class Book(StretchBook):
    """Stretches in memory."""

    def __init__(self, *stretches: Stretch) -> None:
        self.rows = {one.stretch_id: one for one in stretches}

    def open(self) -> list[Stretch]:
        return [one for one in self.rows.values() if not one.ended_ms]

    def seal(self, stretch: Stretch, at_ms: int) -> None:
        begun = replace(stretch, begun_ms=at_ms)
        self.rows[stretch.stretch_id] = replace(begun, seal=seal_of(begun))

    def flaws(self, stretch: Stretch) -> tuple[int, int]:
        return 0, 3

    def end(self, stretch: Stretch, measured: Measured, at_ms: int) -> None:
        self.rows[stretch.stretch_id] = replace(stretch, measured=measured, ended_ms=at_ms)


def test_who_judges_seals_at_its_own_time_and_judges_when_all_has_ended() -> None:
    book, clock = Book(replace(stretch(), begun_ms=0, seal="")), SteppedClock(FIRST - DAY_MS + QUIET_MS)
    judge = Judge(book, lambda one, until: answers(30, 0.003), clock)
    judge.go_on()
    assert book.rows[1].is_sealed
    assert book.rows[1].begun_ms == clock.now_ms()
    clock.advance_to(FIRST + 30 * DAY_MS + ENDED_MS - 300_000 + QUIET_MS)
    judge.go_on()
    assert not book.rows[1].ended_ms
    clock.advance_to(FIRST + 30 * DAY_MS + ENDED_MS + QUIET_MS)
    judge.go_on()
    found = book.rows[1]
    assert found.ended_ms == clock.now_ms() >= found.until_ms
    assert found.measured is not None
    assert found.measured.differing == 3


def test_near_a_cycle_nobody_judges() -> None:
    book = Book(replace(stretch(), begun_ms=0, seal=""))
    Judge(book, lambda one, until: [], SteppedClock(FIRST + 1_000)).go_on()
    assert not book.rows[1].begun_ms
