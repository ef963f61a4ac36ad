"""Where a day starts, how far equity fell, what the peak is: the figures that gates and pages share."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.books import EquityPoint, RunningBooks, Transfer
from lib.domain.day import midnight_before
from lib.domain.equity import YOUNG_POINT_MS, Mark, book_point, day_start, drawdown, explained, fall, fell_by, held_late
from lib.domain.order import CYCLE_MS
from tests.factories import T

MIDNIGHT = midnight_before(T)
ZERO = Decimal(0)
MONEY = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 10**4)


def mark(t_ms: int, equity: int, counted: int = 0) -> Mark:
    return Mark(t_ms, Decimal(equity), Decimal(counted))


def point(t_ms: int, equity: int, difference: int = 0) -> EquityPoint:
    return EquityPoint(1, t_ms, Decimal(equity), Decimal(equity), Decimal(difference))


BOOKS = RunningBooks(Decimal(10_000), peak_equity=Decimal(10_000))
YOUNG = mark(MIDNIGHT - YOUNG_POINT_MS, 10_100)
OLD = mark(MIDNIGHT - YOUNG_POINT_MS - 1, 10_300)
FIRST = mark(MIDNIGHT, 10_500)


@pytest.mark.parametrize(
    ("before", "first", "start"),
    [
        (YOUNG, FIRST, 10_100),
        (YOUNG, None, 10_100),
        (OLD, FIRST, 10_500),
        (OLD, None, 10_300),
        (None, FIRST, 10_500),
        (None, None, 10_000),
    ],
)
def test_a_day_starts_at_its_midnight_as_near_as_points_tell(
    before: Mark | None, first: Mark | None, start: int
) -> None:
    assert day_start(T, before, first, Decimal(10_000), ZERO) == start


@given(before=st.none() | st.builds(Mark, st.just(YOUNG.t_ms), MONEY, MONEY), paid=MONEY, more=MONEY)
def test_paying_in_moves_the_days_start_by_as_much(before: Mark | None, paid: Decimal, more: Decimal) -> None:
    starts = [day_start(T, before, None, Decimal(10_000), transfers) for transfers in (paid, paid + more)]
    assert starts[1] - starts[0] == more


@given(MONEY, MONEY)
def test_a_drawdown_is_a_fall_from_the_peak_and_a_new_high_is_none(peak: Decimal, equity: Decimal) -> None:
    fell = drawdown(peak, equity)
    assert fell >= 0
    assert (fell > 0) == (max(peak, equity) > 0 and equity < peak)
    assert drawdown(peak, max(peak, equity)) == 0


@given(before=MONEY, now=MONEY, share=st.integers(0, 100).map(lambda n: Decimal(n) / 100))
def test_a_limit_is_reached_exactly_there(before: Decimal, now: Decimal, share: Decimal) -> None:
    if before <= 0:
        assert not fell_by(share, before, now)
        assert fall(before, now) == 0
        return
    assert fell_by(share, before, before - before * share)
    assert fell_by(share, before, now) == (before - now >= share * before)
    assert (fall(before, now) > 0) == (now < before)


def test_a_third_is_reached_although_its_fraction_cannot_be_written() -> None:
    assert fell_by(Decimal(1) / 3, Decimal(3), Decimal(2))
    assert not fell_by(Decimal("0.05"), Decimal(10_000), Decimal("9500.000000000000000001"))


SURPLUSES = [(11_000, 0, 11_000), (11_000, 600, 10_400), (9_000, 0, 10_000)]


@pytest.mark.parametrize(("equity", "difference", "peak"), SURPLUSES)
def test_a_surplus_nobody_explains_is_no_new_peak(equity: int, difference: int, peak: int) -> None:
    assert book_point(BOOKS, point(T, equity, difference)).peak_equity == peak
    assert book_point(BOOKS, point(T, 10_500, -200)).peak_equity == 10_500


def test_the_newest_point_tells_what_differs_until_it_is_explained() -> None:
    known = book_point(book_point(BOOKS, point(T, 10_000, 7)), point(T - 1, 10_000, 90))
    assert (known.difference, known.checked_ms) == (Decimal(7), T)
    assert explained(known, {T - 1: Decimal(90), T: Decimal(5)}).difference == 2
    assert explained(known, {}).difference == 7


def test_what_a_wallet_held_is_told_by_how_its_difference_grew() -> None:
    new = [Transfer(str(n), "deposit", Decimal(amount), T + n) for n, amount in enumerate((2_000, 100))]
    differences = (7, 7, 2_007, 2_107)
    points = [point(T + (number - 1) * CYCLE_MS, 1, known) for number, known in enumerate(differences)]
    assert held_late(points, new) == {T: ZERO, T + CYCLE_MS: Decimal(2_000), T + 2 * CYCLE_MS: Decimal(2_100)}
