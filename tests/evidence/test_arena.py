"""Where entries stand: their own days alone, bounds for every place, and a referee who keeps out of cycles' way."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.clock import SteppedClock
from lib.domain.arena import Entry, Rules, Season, Standing, board, rules_text, seal_of
from lib.evidence.arena import Referee, standing_of
from lib.evidence.series import DAY_MS
from lib.evidence.verdict import LEAST_DECIDED
from lib.evidence.versions import ENDED_MS, judged_until
from lib.ports.arena import ArenaBook
from tests.worlds.answers import BEGIN, answers

RULES = Rules(60, 100, 5)
TEXT = rules_text(RULES)
SEASON = Season(1, BEGIN, RULES, TEXT, seal_of(BEGIN, TEXT))
ENTRY = Entry(1, 1, 1, 1, "rules", 1, "Kim", False, BEGIN)
UNTIL = BEGIN + 40 * DAY_MS
QUIET_MS = 150_000


class MemoryArena(ArenaBook):
    """Entries and what was kept of them."""

    def __init__(self, *given: Entry, season: Season = SEASON) -> None:
        self.season, self.known, self.kept = season, {one.entry_id: one for one in given}, 0

    def entries(self) -> Sequence[tuple[Season, Entry]]:
        return [(self.season, one) for one in self.known.values()]

    def keep(self, entry: Entry, standing: Standing, at_ms: int) -> None:
        self.kept += 1
        self.known[entry.entry_id] = replace(entry, standing=standing)


def test_a_standing_is_of_the_entry_s_own_days_with_a_bound_for_every_place() -> None:
    given = answers(40, 0.3)
    late = replace(ENTRY, entered_ms=BEGIN + 10 * DAY_MS + 1)
    told = standing_of(given, late, UNTIL, 100)
    own = [one for one in given if one.t_ms >= BEGIN + 11 * DAY_MS]
    assert (told.days, told.decisions) == (29, len(own))
    by_places, alone = (judged_until(own, UNTIL, tries).net for tries in (100, 1))
    assert by_places is not None
    assert alone is not None
    assert told.net is not None
    assert abs(float(told.net.low) - by_places.low) < 1e-8
    assert by_places.low < alone.low
    assert told.chance is not None
    assert told.fall > 0


def test_below_the_least_there_is_no_bound() -> None:
    told = standing_of(answers(10, 0.9), ENTRY, UNTIL, 100)
    assert told.net is None
    assert told.more_days == 4
    nothing = standing_of([], ENTRY, UNTIL, 100)
    assert (nothing.decisions, str(nothing.fall), nothing.more_days) == (0, "0", None)
    assert LEAST_DECIDED == 100


def test_a_fall_is_from_the_highest_sum_on() -> None:
    one = answers(1, hold=0)[0]
    worths = [Decimal(n) / 100 for n in (3, -1, -4, 2)]
    given = [replace(one, t_ms=BEGIN + n, side=1, long=worth, call=Decimal(0)) for n, worth in enumerate(worths)]
    assert standing_of(given, ENTRY, UNTIL, 2).fall == Decimal("0.05")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(-0.5, 0.5), st.integers(15, 30))
def test_coming_back_counts_all_that_was_answered_meanwhile(seed: int, skill: float, away: int) -> None:
    given = answers(40, skill, seed)
    other = replace(ENTRY, entry_id=2, place=2, standing=standing_of(answers(40, 0, 99), ENTRY, UNTIL, 100))

    def rank(one: Entry) -> int | None:
        return next((each.rank for each in board([one, other]).ranked if each.entry.entry_id == 1), None)

    stayed = replace(ENTRY, standing=standing_of(given, ENTRY, UNTIL, 100))
    gone = replace(ENTRY, left_ms=BEGIN + away * DAY_MS)
    assert rank(replace(gone, standing=standing_of(given, gone, gone.until_ms(SEASON), 100))) is None
    back = replace(gone, left_ms=0)
    assert rank(replace(back, standing=standing_of(given, back, UNTIL, 100))) == rank(stayed)


def test_the_referee_counts_once_a_whole_day_and_not_beside_a_cycle() -> None:
    book, clock = MemoryArena(ENTRY), SteppedClock(UNTIL + ENDED_MS)
    asked: list[int] = []

    def given(entry: Entry, until_ms: int) -> Sequence[object]:
        asked.append(until_ms)
        return answers(60, 0.3)

    referee = Referee(book, given, clock)  # type: ignore[arg-type]
    referee.go_on()
    assert asked == []
    clock.advance_to(UNTIL + ENDED_MS + QUIET_MS)
    referee.go_on()
    referee.go_on()
    assert asked == [UNTIL]
    assert book.known[1].standing is not None
    clock.advance_to(SEASON.until_ms + 9 * DAY_MS + QUIET_MS)
    referee.go_on()
    referee.go_on()
    assert asked == [UNTIL, SEASON.until_ms]


def test_the_referee_s_bounds_are_for_the_sealed_places() -> None:
    given = answers(40, 0.3)
    for book in (MemoryArena(ENTRY), MemoryArena(ENTRY, replace(ENTRY, entry_id=2, place=2))):
        Referee(book, lambda *_: given, SteppedClock(UNTIL + ENDED_MS + QUIET_MS)).go_on()
        assert book.known[1].standing == standing_of(given, ENTRY, UNTIL, RULES.places)


def test_the_referee_judges_by_no_rules_but_the_sealed_ones() -> None:
    book = MemoryArena(ENTRY, season=replace(SEASON, rules=Rules(60, 2, 5)))
    Referee(book, lambda *_: answers(60), SteppedClock(UNTIL + ENDED_MS + QUIET_MS)).go_on()
    assert book.kept == 0
