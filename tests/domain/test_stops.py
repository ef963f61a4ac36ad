"""A stop goes toward the price alone, whatever order its moves and calls come in."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.position import ZERO
from lib.domain.stops import (
    IN_FLIGHT_MS,
    StopMove,
    called,
    committed,
    in_flight,
    is_never_reached,
    is_passed,
    is_settled_by,
    is_tighter,
    stop_to_call,
    tightened,
    tightest,
    waits,
)
from tests.domain.strategies import any_instruments, decimals
from tests.effort import examples
from tests.factories import REF, T, instrument, order, position

hundreds = examples(300)
prices = decimals("1", "200000", 1)
shares = decimals("0", "1", 4)
ENTRY = order()
LINK = ENTRY.order_link_id
STOP = ENTRY.stop_loss
MOVED = StopMove(LINK, T + 300_000, Decimal(59_400))


def test_nearer_to_the_price_is_tighter_on_either_side() -> None:
    assert is_tighter(Decimal(2), Decimal(1), is_long=True)
    assert is_tighter(Decimal(1), Decimal(2), is_long=False)
    assert is_tighter(Decimal(1), ZERO, is_long=False)
    assert not is_tighter(ZERO, Decimal(1), is_long=True)
    assert tightest((), is_long=True) == 0


@hundreds
@given(st.permutations([Decimal(1), Decimal(2), Decimal(3), ZERO]), st.booleans())
def test_the_order_of_moves_does_not_matter(moves: list[Decimal], is_long: bool) -> None:
    assert tightest(moves, is_long=is_long) == (3 if is_long else 1)


@hundreds
@given(any_instruments, prices, shares, prices, st.booleans())
def test_a_tightened_stop_is_on_the_tick_never_past_what_was_asked_nor_what_stands(
    rule: object, ref: Decimal, distance: Decimal, standing: Decimal, is_long: bool
) -> None:
    held = replace(position(Decimal(1 if is_long else -1)), stop_loss=standing)
    stop = tightened(held, ref, distance, rule)  # type: ignore[arg-type]
    if stop:
        assert stop % rule.tick_size == 0  # type: ignore[attr-defined]
        assert is_tighter(stop, standing, is_long=is_long)
        assert stop <= ref * (1 - distance) if is_long else stop >= ref * (1 + distance)


def test_where_no_stop_stands_or_liquidation_comes_first_none_is_moved() -> None:
    held = replace(position(Decimal("0.01")), stop_loss=Decimal(58_800))
    assert tightened(held, REF, Decimal("0.01"), instrument()) == 59_400
    assert tightened(replace(held, stop_loss=ZERO), REF, Decimal("0.01"), instrument()) == 0
    assert tightened(replace(held, liquidation=Decimal(59_400)), REF, Decimal("0.01"), instrument()) == 0
    short = replace(position(Decimal("-0.01")), stop_loss=Decimal(61_200), liquidation=Decimal(60_600))
    assert tightened(short, REF, Decimal("0.01"), instrument()) == 0


@pytest.mark.parametrize(("qty", "beyond", "before"), [("1", 99, 101), ("-1", 101, 99)])
def test_the_mark_passes_a_stop_and_liquidation_comes_before_one(qty: str, beyond: int, before: int) -> None:
    held, stop = position(Decimal(qty)), Decimal(100)
    assert not is_passed(replace(held, mark=ZERO), stop)
    assert is_passed(replace(held, mark=Decimal(beyond)), stop)
    assert not is_passed(replace(held, mark=Decimal(before)), stop)
    assert not is_never_reached(replace(held, liquidation=ZERO), stop)
    assert is_never_reached(replace(held, liquidation=Decimal(before)), stop)
    assert not is_never_reached(replace(held, liquidation=Decimal(beyond)), stop)


def test_a_move_of_another_entry_counts_for_nothing() -> None:
    other = replace(MOVED, entry_link="mmt3st-another")
    assert committed(ENTRY, [other]) == STOP
    assert committed(ENTRY, [other, MOVED]) == MOVED.price
    assert not waits(ENTRY, [other])
    assert waits(ENTRY, [MOVED])
    assert is_settled_by(other, ENTRY, STOP)


def test_a_move_is_settled_by_a_stop_as_near() -> None:
    assert not is_settled_by(MOVED, ENTRY, STOP)
    assert not is_settled_by(MOVED, ENTRY, ZERO)
    assert is_settled_by(MOVED, ENTRY, MOVED.price)


def test_while_a_call_may_arrive_no_other_price_is_called() -> None:
    flying = replace(MOVED, called_ms=1_000)
    moves = [flying, StopMove(LINK, T + 600_000, Decimal(59_700))]
    until = 1_000 + IN_FLIGHT_MS
    assert in_flight(moves, until) == MOVED.price
    assert stop_to_call(ENTRY, moves, ZERO, STOP, until) == 0
    assert stop_to_call(ENTRY, moves, ZERO, ZERO, until) == MOVED.price
    assert stop_to_call(ENTRY, moves, ZERO, STOP, until + 1) == 59_700
    assert stop_to_call(ENTRY, [flying], ZERO, STOP, until) == MOVED.price


def test_a_call_is_kept_at_its_move_or_at_the_entry_itself() -> None:
    assert called(ENTRY, [MOVED], MOVED.price, 7) == replace(MOVED, called_ms=7)
    assert called(ENTRY, [MOVED], STOP, 7) == StopMove(LINK, ENTRY.t_ms, STOP, 7, 7)


@hundreds
@given(st.data())
def test_whatever_is_lost_late_or_repeated_no_stop_is_accepted_farther_than_one_before(data: st.DataObject) -> None:
    """Several call as the ledger says; the exchange takes every call within W, more than once, in any order."""
    is_long = data.draw(st.booleans())
    entry = replace(ENTRY, side="buy" if is_long else "sell", stop_loss=Decimal(100))
    moves: list[StopMove] = []
    calls: list[tuple[int, Decimal]] = []
    now = 1_000
    for _ in range(data.draw(st.integers(1, 12))):
        now += data.draw(st.integers(0, 9_000))
        if data.draw(st.booleans()):
            moves.append(StopMove(entry.order_link_id, now, Decimal(data.draw(st.integers(80, 120)))))
            continue
        standing = data.draw(st.sampled_from((ZERO, entry.stop_loss)))
        price = stop_to_call(entry, moves, data.draw(st.sampled_from((ZERO, entry.stop_loss))), standing, now)
        if price:
            kept = called(entry, moves, price, now)
            moves = [one for one in moves if one.t_ms != kept.t_ms] + [kept]
            calls.append((now, price))
    arrivals = sorted((at + data.draw(st.integers(0, IN_FLIGHT_MS)), price) for at, price in calls for _ in range(2))
    taken = [price for _, price in arrivals]
    assert all(not is_tighter(one, other, is_long=is_long) for one, other in pairwise(taken))
