"""Fills: money in equals money out, to the last decimal, but for the one rounding of an average to 1e-10."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.position import Position, Side, apply_fill, unrealised_pnl
from tests.domain.strategies import decimals
from tests.effort import examples
from tests.factories import REF, SYMBOL, position

HALF_STEP = Fraction(1, 2 * 10**10)
DIVISION = Fraction(1, 10**17)
"""A Decimal quotient of a price under 1e6 is itself off by less than this before the average is rounded."""

Trade = tuple[Side, Decimal, Decimal]
sides: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
trades = st.tuples(sides, decimals("0.001", "500", 3), decimals("0.01", "200000", 2))
FLAT = Position(SYMBOL)


def opposite(side: Side) -> Side:
    return "sell" if side == "buy" else "buy"


def signed(side: Side, qty: Decimal) -> Fraction:
    return Fraction(qty) if side == "buy" else -Fraction(qty)


@examples(1_000)
@given(st.lists(trades, max_size=30))
def test_cash_and_holdings_equal_realised_profit_but_for_the_rounding_of_averages(fills: list[Trade]) -> None:
    """
    Σ(−signed qty × price) + qty × average − Σ realised == Σ over growing fills of qty × (kept average − exact average).

    The right side is computed exactly, fill by fill, and each of its terms is at most |qty| × half of 1e-10.
    """
    held, cash, realised, rounding = FLAT, Fraction(0), Fraction(0), Fraction(0)
    for side, qty, price in fills:
        before = held
        held, gained = apply_fill(held, side, qty, price)
        cash -= signed(side, qty) * Fraction(price)
        realised += Fraction(gained)
        if gained == 0 and abs(held.qty) > abs(before.qty) and before.qty * held.qty >= 0:
            worth = abs(Fraction(before.qty)) * Fraction(before.avg_entry_price) + Fraction(qty) * Fraction(price)
            off = Fraction(held.avg_entry_price) - worth / abs(Fraction(held.qty))
            assert abs(off) <= HALF_STEP + DIVISION
            rounding += Fraction(held.qty) * off
    assert cash + Fraction(held.qty) * Fraction(held.avg_entry_price) - realised == rounding


@given(trades, st.lists(st.integers(1, 400), max_size=6), decimals("0.01", "200000", 2))
def test_a_round_trip_realises_exactly_the_difference_in_price(opening: Trade, parts: list[int], out: Decimal) -> None:
    side, qty, price = opening
    held, _ = apply_fill(FLAT, side, qty, price)
    total = Decimal(0)
    for part in (Decimal(n) / 1000 for n in parts):
        if part < abs(held.qty):
            held, gained = apply_fill(held, opposite(side), part, out)
            total += gained
    held, gained = apply_fill(held, opposite(side), abs(held.qty), out)
    assert held.is_flat
    assert total + gained == (out - price) * (qty if side == "buy" else -qty)


@given(trades, trades)
def test_the_quantity_is_the_signed_sum_whatever_the_path(one: Trade, other: Trade) -> None:
    for first, second in ((one, other), (other, one)):
        held, _ = apply_fill(apply_fill(FLAT, *first)[0], *second)
        assert Fraction(held.qty) == signed(first[0], first[1]) + signed(second[0], second[1])


@given(trades, trades)
def test_a_mirrored_world_realises_the_mirrored_profit(one: Trade, other: Trade) -> None:
    def mirrored(trade: Trade) -> Trade:
        return opposite(trade[0]), trade[1], trade[2]

    held, gained = apply_fill(apply_fill(FLAT, *one)[0], *other)
    twin, lost = apply_fill(apply_fill(FLAT, *mirrored(one))[0], *mirrored(other))
    assert twin.qty == -held.qty
    assert twin.avg_entry_price == held.avg_entry_price
    # a fall in price earns a short what a rise earns a long
    assert lost == -gained


@given(sides, decimals("0.001", "9", 3), decimals("0.001", "9", 3))
def test_a_fill_through_zero_closes_all_and_opens_the_rest_at_its_own_price(
    side: Side, opened: Decimal, beyond: Decimal
) -> None:
    held, _ = apply_fill(FLAT, side, opened, Decimal(100))
    held = replace(held, stop_loss=Decimal(90), take_profit=Decimal(120), unrealised=Decimal(7))
    turned, gained = apply_fill(held, opposite(side), opened + beyond, Decimal(110))
    assert gained == 10 * (opened if side == "buy" else -opened)
    assert turned == position(-beyond if side == "buy" else beyond, 110)
    assert turned.direction == ("short" if side == "buy" else "long")


def test_a_closed_position_is_flat_and_forgets_its_average_stop_and_target() -> None:
    held = position("0.5", stop_loss=Decimal(58_800), take_profit=Decimal(63_000), unrealised=Decimal(3), seen_at=9)
    closed, gained = apply_fill(held, "sell", Decimal("0.5"), Decimal(61_000))
    assert gained == 500
    assert closed == position(0, seen_at=9)


def test_a_partial_close_keeps_average_stop_and_target() -> None:
    held = position("0.5", stop_loss=Decimal(58_800), take_profit=Decimal(63_000))
    left, gained = apply_fill(held, "sell", Decimal("0.2"), Decimal(59_000))
    assert gained == -200
    assert left == replace(held, qty=Decimal("0.3"))


def test_a_short_earns_when_the_price_falls() -> None:
    held, _ = apply_fill(FLAT, "sell", Decimal(2), Decimal(100))
    assert apply_fill(held, "buy", Decimal(1), Decimal(90))[1] == 10
    assert apply_fill(held, "buy", Decimal(1), Decimal(115))[1] == -15


def test_an_average_is_kept_to_ten_decimals_half_even() -> None:
    held, _ = apply_fill(position(2, 100), "buy", Decimal(1), Decimal(101))
    assert held.avg_entry_price == Decimal("100.3333333333")
    # the exact average ends in a tie: ...00005 at the eleventh decimal goes to the even neighbour
    tied, _ = apply_fill(position(1, "100.0000000001"), "buy", Decimal(1), Decimal("100.0000000002"))
    assert tied.avg_entry_price == Decimal("100.0000000002")
    tied, _ = apply_fill(position(1, "100.0000000002"), "buy", Decimal(1), Decimal("100.0000000003"))
    assert tied.avg_entry_price == Decimal("100.0000000002")


@given(decimals("0.001", "500", 3), decimals("0.01", "200000", 2), st.integers(1, 20))
def test_buying_more_at_the_same_price_leaves_the_average(qty: Decimal, price: Decimal, times: int) -> None:
    held = FLAT
    for _ in range(times):
        held, gained = apply_fill(held, "buy", qty, price)
        assert gained == 0
    assert held.avg_entry_price == price
    assert held.qty == qty * times


@pytest.mark.parametrize(("qty", "price"), [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-1")])
def test_a_fill_has_positive_quantity_and_price(qty: str, price: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        apply_fill(FLAT, "buy", Decimal(qty), Decimal(price))


@given(trades, decimals("0.01", "200000", 2))
def test_open_profit_is_what_closing_at_the_mark_would_realise(opening: Trade, mark: Decimal) -> None:
    held, _ = apply_fill(FLAT, *opening)
    assert unrealised_pnl(held, mark) == apply_fill(held, held.closing_side, opening[1], mark)[1]
    assert unrealised_pnl(FLAT, mark) == 0


def test_directions_and_sides() -> None:
    assert [position(n).direction for n in (1, 0, -1)] == ["long", "flat", "short"]
    assert position(1).closing_side == "sell"
    assert position(-1).closing_side == "buy"
    assert position(0).is_flat
    assert position(0).avg_entry_price == 0
    assert position(1).avg_entry_price == REF
    assert (opposite("buy"), opposite("sell")) == ("sell", "buy")
    with pytest.raises(ValueError, match="no closing side"):
        _ = position(0).closing_side
