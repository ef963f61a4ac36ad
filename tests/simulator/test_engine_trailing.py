"""Trailing stops and stops of a part of a position: when they begin, how they move, what ends them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.position import Side
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.orders import OrderRecord, Protection, Refused, Trail
from tests.worlds.venue import BTC, START, D, World


def trailing(prints: list[str | int], side: Side = "buy", distance: str = "5", active: str = "0") -> World:
    """A position of 1 from the first second on, with a trailing stop."""
    world = World(prints)
    world.place(side, "1")
    world.to(1)
    world.engine.dealing.set_protection(world.uid, BTC, ProtectionChange(trail=Trail(D(distance), D(active))))
    return world


def stop_of(world: World) -> OrderRecord:
    return next(order for order in world.account.orders.values() if order.stop_order_type == "TrailingStop")


def test_a_trailing_stop_follows_the_best_price_and_sells_where_it_was_left() -> None:
    world = trailing([100, 100, 104, 110, 107, 106, 105, 120])
    world.to(5)
    assert (stop_of(world).trigger_price, stop_of(world).status) == (D(105), "Untriggered")
    world.to(6)
    assert world.qty == 0
    assert world.fills()[-1] == ("TrailingStop", D(1), D(105))


def test_a_short_is_trailed_from_above() -> None:
    world = trailing([100, 100, 96, 90, 94, 95, 80], "sell")
    world.to(5)
    assert world.fills()[-1] == ("TrailingStop", D(1), D(95))


def test_a_gap_fills_at_the_first_traded_price() -> None:
    world = trailing([100, 100, 110, 92, 92])
    world.to(3)
    assert world.fills()[-1] == ("TrailingStop", D(1), D(92))


def test_before_its_active_price_nothing_is_trailed_and_nothing_is_sold() -> None:
    world = trailing([100, 100, 104, 91, 105, 101, 100, 100], active="105")
    world.to(3)
    assert (world.qty, stop_of(world).trigger_price) == (D(1), D(105))
    world.to(5)
    assert (world.qty, stop_of(world).trigger_price) == (D(1), D(100))
    world.to(6)
    assert world.fills()[-1] == ("TrailingStop", D(1), D(100))


def test_another_distance_starts_from_the_present_price_and_none_takes_the_stop_away() -> None:
    world = trailing([100, 100, 110, 108, 108, 92, 92])
    world.to(3)
    change = world.engine.dealing.set_protection
    change(world.uid, BTC, ProtectionChange(trail=Trail(D(8))))
    assert (stop_of(world).trigger_price, world.engine.books.holding(world.account, BTC).trailing) == (D(100), D(8))
    with pytest.raises(Refused, match="34040"):
        change(world.uid, BTC, ProtectionChange(trail=Trail(D(8))))
    change(world.uid, BTC, ProtectionChange(trail=Trail()))
    world.to(6)
    assert (world.qty, len(world.account.orders)) == (D(1), 0)


@pytest.mark.parametrize(
    "wrong", [Trail(D("0.05")), Trail(D(100)), Trail(D(5), D(99)), Trail(D(5), D(100)), Trail(D(5), D("105.05"))]
)
def test_an_odd_trailing_stop_is_refused_and_changes_nothing(wrong: Trail) -> None:
    world = World([100] * 5)
    world.place("buy", "1", "95")
    world.to(1)
    with pytest.raises(Refused, match="10001"):
        world.engine.dealing.set_protection(world.uid, BTC, ProtectionChange(D(96), trail=wrong))
    assert [order.trigger_price for order in world.account.orders.values()] == [D(95)]


def test_the_stop_wins_over_the_target_where_a_minute_reaches_both() -> None:
    world = trailing([100, 100, 110, 105, 100])
    world.engine.dealing.set_protection(world.uid, BTC, ProtectionChange(take_profit=D(110)))
    world.to(4)
    assert world.fills()[-1] == ("TrailingStop", D(1), D(105))
    assert not world.account.orders


def test_it_follows_the_size_of_the_position_and_ends_with_it() -> None:
    world = trailing([100] * 10)
    world.place("buy", "2")
    world.to(2)
    assert stop_of(world).qty == 3
    world.place("sell", "3")
    world.to(3)
    assert (world.qty, len(world.account.orders)) == (D(0), 0)


def test_a_restart_in_the_middle_changes_nothing() -> None:
    prints: list[str | int] = [100, 100, 104, 110, 107, 106, 105, 120]
    ran = trailing(prints)
    ran.to(4)
    other = World(prints).engine
    other.books.accounts.clear()
    other.import_account(ran.engine.export_account(ran.uid))
    other.last_advanced_ms = ran.engine.last_advanced_ms
    for one in (ran.engine, other):
        one.advance(START + 7_000)
    assert other.export_account(ran.uid) == ran.engine.export_account(ran.uid)
    assert ran.qty == 0


steps = st.lists(st.integers(-30, 30), min_size=2, max_size=50)


@given(steps, st.sampled_from(["buy", "sell"]), st.integers(1, 80))
def test_a_trailing_stop_never_moves_away_from_the_price_and_no_money_is_made(
    moves: list[int], side: Side, tenths: int
) -> None:
    prices = [D(100), D(100)]
    for move in moves:
        prices.append(max(prices[-1] + D(move) / 10, D(50)))
    distance, sign = D(tenths) / 10, 1 if side == "buy" else -1
    world = trailing([str(price) for price in prices], side, str(distance))
    seen: list[Decimal] = []
    for second in range(1, len(prices)):
        world.to(second)
        if not world.qty:
            break
        seen.append(stop_of(world).trigger_price * sign)
        assert seen[-1] == max(price * sign for price in prices[1 : second + 1]) - distance
    assert seen == sorted(seen)
    if not world.qty:
        assert world.fills()[-1][2] * sign <= seen[-1]
    assert sum(row.change for row in world.engine.books.history[world.uid].transactions) == world.account.cash


# --- of a part of the position ----------------------------------------------------------------------------------------


def partly(prints: list[str | int], limit: str = "0") -> World:
    """A position of 3 with a stop at 95 and a target at 110 for 1 of it."""
    world = World(prints)
    world.place("buy", "3")
    world.to(1)
    wanted = Protection(D(95), D(110), is_partial=True, target_limit=D(limit))
    world.engine.dealing.add_protection(world.uid, BTC, wanted, D(1))
    return world


def test_a_partial_target_closes_its_part_and_ends_the_stop_bound_to_it() -> None:
    world = partly([100, 100, 111, 111, 96])
    world.to(4)
    assert (world.fills()[-1], world.qty) == (("PartialTakeProfit", D(1), D(111)), D(2))
    assert not world.account.orders


def test_a_partial_target_with_a_limit_rests_at_its_price_and_is_a_maker() -> None:
    world = partly([100, 100, 111, 111, 112, 113], limit="112")
    world.to(3)
    (resting,) = world.account.orders.values()
    assert (resting.status, resting.price, world.qty) == ("New", D(112), D(3))
    world.to(5)
    last = world.engine.books.history[world.uid].executions[-1]
    assert (last.price, last.is_maker, world.qty) == (D(112), True, D(2))


def test_parts_do_not_follow_the_position_but_end_with_it() -> None:
    world = partly([100] * 10)
    world.place("sell", "1")
    world.to(2)
    assert {order.qty for order in world.account.orders.values()} == {D(1)}
    world.place("sell", "2")
    world.to(3)
    assert (world.qty, len(world.account.orders)) == (D(0), 0)


def test_cancelling_one_of_a_pair_cancels_both() -> None:
    world = partly([100] * 5)
    first = next(iter(world.account.orders))
    world.engine.dealing.cancel(world.uid, first, "")
    assert not world.account.orders


def test_a_part_is_refused_that_is_more_than_the_position_or_one_too_many() -> None:
    world = partly([100] * 5)
    add = world.engine.dealing.add_protection
    with pytest.raises(Refused, match="10001"):
        add(world.uid, BTC, Protection(D(95), is_partial=True), D(4))
    for _ in range(9):
        add(world.uid, BTC, Protection(D(95), D(110), is_partial=True), D(1))
    with pytest.raises(Refused, match="110061"):
        add(world.uid, BTC, Protection(D(95), is_partial=True), D(1))
