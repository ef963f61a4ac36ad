"""Figures of trips, the deepest fall, doing nothing, holding the coin, days: each by its definition."""

from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.equity import Mark, drawdown
from lib.domain.performance import (
    DayResult,
    Performance,
    buy_and_hold,
    confidence_step,
    day_results,
    deepest_fall,
    do_nothing,
    falls,
    longest_losing_run,
    performance,
    split,
)
from lib.domain.round_trips import Intent, RoundTrip
from lib.domain.trip_groups import GROUPS, by_confidence, by_end, by_hour, by_side
from tests.factories import SYMBOL, T

D = Decimal
ZERO = D(0)


def trip(net: int, *, long: bool = True, fees: int = 0, funding: int = 0, hours: int = 1, stop: int = 0) -> RoundTrip:
    """A closed trip of one coin at 100 that brought *net*."""
    entry = Intent("e", T, 5, D(stop), ZERO) if stop else None
    return RoundTrip(
        trip_id=1,
        symbol=SYMBOL,
        is_long=long,
        opened_ms=T,
        qty=D(1),
        entry_value=D(100),
        entry=entry,
        exit_qty=D(1),
        exit_value=D(100 + net),
        gross=D(net + fees - funding),
        fees=D(fees),
        funding=D(funding),
        closed_ms=T + hours * 3_600_000,
        ended="stop",
    )


def test_figures_by_their_definitions() -> None:
    found = performance(
        [trip(30, fees=2, funding=-1), trip(-10, hours=3, fees=1), trip(-5), trip(0), trip(25, stop=95)]
    )
    assert (found.trips, found.won, found.lost, found.net) == (5, 2, 2, D(40))
    assert (found.gross, found.fees, found.funding) == (D(44), D(3), D(-1))
    assert found.hit_rate == D("0.5")
    assert found.profit_factor == D(55) / 15
    assert (found.expectancy, found.average_win, found.average_loss) == (D(8), D("27.5"), D("-7.5"))
    assert (found.best, found.worst, found.losing_run) == (D(30), D(-10), 2)
    assert found.average_held_ms == 7 * 3_600_000 // 5
    assert found.average_r == 5
    assert (found.fees_of_gross, found.funding_of_gross) == (D(3) / 44, D(1) / 44)


def test_what_would_divide_by_nothing_is_not_known() -> None:
    nothing = performance([])
    assert nothing == Performance()
    for name in (
        "hit_rate",
        "profit_factor",
        "expectancy",
        "average_win",
        "average_loss",
        "average_held_ms",
        "average_r",
    ):
        assert getattr(nothing, name) is None
    lost = performance([trip(-1, fees=1)])
    assert (lost.fees_of_gross, lost.funding_of_gross, lost.profit_factor) == (None, None, ZERO)


def test_an_open_trip_counts_in_no_figure() -> None:
    open_trip = RoundTrip(1, SYMBOL, True, T, D(1), D(100), None, gross=D(5))
    assert performance([open_trip]) == Performance()


@given(st.lists(st.integers(-3, 3)))
def test_groups_add_up_to_the_whole(nets: list[int]) -> None:
    trips = [trip(net, long=number % 2 == 0) for number, net in enumerate(nets)]
    whole, parts = performance(trips), split(trips, lambda one: one.is_long).values()
    for name in ("trips", "won", "lost", "gross", "won_sum", "lost_sum", "held_ms"):
        assert getattr(whole, name) == sum((getattr(part, name) for part in parts), type(getattr(whole, name))(0))
    assert split(trips, lambda one: None) == {}


@pytest.mark.parametrize(
    ("nets", "run"), [([], 0), ([1], 0), ([-1, -1, 1, -1], 2), ([-1, 0, -1], 2), ([0, 0], 0), ([1, -1, -1, -1], 3)]
)
def test_the_longest_losing_run(nets: list[int], run: int) -> None:
    assert longest_losing_run(D(net) for net in nets) == run


@pytest.mark.parametrize(
    ("confidence", "step"), [("0", "0"), ("0.09", "0"), ("0.1", "0.1"), ("0.78", "0.7"), ("0.999", "0.9"), ("1", "0.9")]
)
def test_confidence_is_grouped_by_tenths(confidence: str, step: str) -> None:
    assert confidence_step(D(confidence)) == D(step)


EQUITIES = st.integers(50, 150).map(D)
CURVES = st.lists(st.tuples(EQUITIES, st.integers(0, 2)), min_size=1, max_size=25).map(
    lambda rows: [
        Mark(T + number, equity + 10 * counted, D(10 * counted))
        for number, ((equity, _), counted) in enumerate(zip(rows, accumulate(step for _, step in rows), strict=True))
    ]
)


@given(CURVES)
def test_the_deepest_fall_is_the_deepest_of_all_pairs(marks: list[Mark]) -> None:
    pairs = [
        drawdown(top.moved(bottom.counted), bottom.equity) for at, bottom in enumerate(marks) for top in marks[: at + 1]
    ]
    found = deepest_fall(marks)
    assert (found.fraction if found else ZERO) == max(pairs)
    assert max(falls(marks)) == max(pairs)
    if found:
        assert found.top.t_ms < found.bottom.t_ms
        assert drawdown(found.top.moved(found.bottom.counted), found.bottom.equity) == found.fraction


def test_a_withdrawal_is_no_fall_and_a_deposit_no_recovery() -> None:
    marks = [Mark(1, D(100), ZERO), Mark(2, D(40), D(-60)), Mark(3, D(90), D(0)), Mark(4, D(100), D(0))]
    found = deepest_fall(marks)
    assert found is not None
    assert (found.fraction, found.bottom.t_ms) == (D("0.1"), 3)


def test_doing_nothing_is_what_was_paid_in() -> None:
    marks = [Mark(1, D(100), D(5)), Mark(2, D(70), D(5)), Mark(3, D(150), D(55))]
    assert do_nothing(marks) == [D(100), D(100), D(150)]


def test_holding_buys_at_the_first_price_and_with_every_deposit() -> None:
    marks = [
        Mark(1, D(90), ZERO),
        Mark(2, D(100), ZERO),
        Mark(3, D(80), D(50)),
        Mark(4, D(80), D(50)),
        Mark(5, D(1), D(10)),
    ]
    prices = {2: D(10), 3: D(5), 5: D(20)}
    assert buy_and_hold(marks, prices) == [None, D(100), D(100), D(100), D(360)]
    assert buy_and_hold(marks, {}) == [None] * 5


def test_days_are_differences_of_their_ends_without_transfers() -> None:
    first, second, third = Mark(5, D(100), ZERO), Mark(15, D(180), D(50)), Mark(25, D(171), D(50))
    at = [None, first, second, second, third]
    assert day_results([0, 10, 20, 30, 40], at, D(80)) == [
        DayResult(0, D(20), D("0.25")),
        DayResult(10, D(30), D("0.2")),
        DayResult(30, D(-9), D("-0.05")),
    ]
    assert day_results([0, 10], [None, Mark(5, D(1), ZERO)], ZERO) == [DayResult(0, D(1), None)]
    assert day_results([0, 10], [None, None], D(80)) == []


@given(CURVES)
def test_all_days_together_are_the_whole(marks: list[Mark]) -> None:
    bounds = [T, *(mark.t_ms + 1 for mark in marks)]
    days = day_results(bounds, [None, *marks], marks[0].equity)
    assert (
        sum((day.result for day in days), ZERO)
        == marks[-1].equity - marks[0].moved(marks[-1].counted) - marks[0].counted
    )


def test_trips_are_grouped_by_side_hour_confidence_and_ending() -> None:
    sure = replace(trip(5), entry=Intent("e", T, 5, ZERO, ZERO, confidence=D("0.78")))
    late = replace(trip(-3, long=False), opened_ms=T + 23 * 3_600_000, ended="target")
    trips = [sure, late]
    assert {side: one.net for side, one in by_side(trips).items()} == {"long": D(5), "short": D(-3)}
    assert list(by_confidence(trips)) == [D("0.7")], "a trip without a decision has no confidence"
    assert {end: one.trips for end, one in by_end(trips).items()} == {"stop": 1, "target": 1}
    hour = T // 3_600_000 % 24
    assert list(by_hour(trips, 0)) == sorted([hour, (hour + 23) % 24])
    assert list(by_hour([sure], 32_400)) == [(hour + 9) % 24]
    assert set(GROUPS) == {"side", "hour", "confidence", "end"}
