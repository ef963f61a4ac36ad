"""Stops and targets: attached, followed, replaced, triggered; liquidation."""

from decimal import Decimal, localcontext

import pytest

from lib.domain.position import Side
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.faults import Fault
from lib.simulator.engine.orders import OrderRequest, Protection, Refused
from tests.worlds.venue import BTC, D, World

CALM = [100] * 60


def test_an_entry_brings_its_stop_and_target_as_untriggered_children() -> None:
    world = World(CALM)
    wanted = Protection(D(95), D(110))
    world.engine.dealing.place(world.uid, OrderRequest(BTC, "buy", D(1), link_id="mm-parent", protection=wanted))
    world.to(1)
    children = {order.stop_order_type: order for order in world.account.orders.values()}
    stop, target = children["StopLoss"], children["TakeProfit"]
    for child, price in ((stop, D(95)), (target, D(110))):
        assert (child.status, child.trigger_price, child.qty, child.side) == ("Untriggered", price, D(1), "sell")
        assert (child.link_id, child.parent_link_id) == ("", "mm-parent")
        assert child.reduce_only
        assert child.close_on_trigger
    assert (stop.create_type, target.create_type) == ("CreateByStopLoss", "CreateByTakeProfit")
    position = world.engine.books.holding(world.account, BTC).position
    assert (position.stop_loss, position.take_profit) == (D(95), D(110))


@pytest.mark.parametrize(
    ("prints", "kind", "price"),
    [([100, 100, "94.5", 100], "StopLoss", D("94.5")), ([100, 100, 111, 100], "TakeProfit", D(111))],
)
def test_a_triggered_child_fills_at_the_first_traded_price_and_cancels_the_other(
    prints: list[str | int], kind: str, price: Decimal
) -> None:
    world = World(prints)
    world.place("buy", "1", "95", "110")
    world.to(3)
    assert world.qty == 0
    assert world.fills()[-1] == (kind, D(1), price)
    other = "TakeProfit" if kind == "StopLoss" else "StopLoss"
    assert world.statuses() == {"entry": "Filled", kind: "Filled", other: "Cancelled"}
    assert not world.account.orders
    cleared = next(o for o in world.engine.books.history[world.uid].closed if o.stop_order_type == other)
    assert cleared.cancel_type == "CancelByTpSlTsClear"


def test_nothing_triggers_a_millisecond_before_its_print() -> None:
    world = World([100, 100, 94])
    world.place("buy", "1", "95")
    world.to(1.999)
    assert world.qty == 1
    world.to(2)
    assert world.qty == 0


def test_a_short_is_stopped_above_and_taken_below() -> None:
    world = World([100, 100, 106, 100])
    world.place("sell", "1", "105", "90")
    world.to(3)
    assert world.fills()[-1] == ("StopLoss", D(1), D(106))


def test_where_one_minute_reaches_both_the_stop_wins() -> None:
    world = World([100, 100, 111, 100, 100, 94, 100])
    world.place("buy", "1", "95", "110")
    world.to(6)
    assert world.fills()[-1] == ("StopLoss", D(1), D(94))


def test_a_stop_price_traded_before_the_position_existed_does_not_count() -> None:
    world = World([94, 100, 100, 111, 100])
    world.to(1.5)
    world.place("buy", "1", "95", "110")
    world.to(4)
    assert world.fills()[-1] == ("TakeProfit", D(1), D(111))


def test_the_next_minute_does_not_count_against_a_target() -> None:
    world = World([100] * 30 + [111] + [100] * 29 + [94])
    world.place("buy", "1", "95", "110")
    world.to(61)
    assert world.fills()[-1] == ("TakeProfit", D(1), D(111))


def test_full_mode_follows_the_size_of_the_position() -> None:
    world = World(CALM)
    world.place("buy", "1", "95", "110")
    world.to(1)
    world.place("buy", "1")
    world.to(2)
    assert {order.qty for order in world.account.orders.values()} == {D(2)}
    world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D("1.5"), reduce_only=True))
    world.to(3)
    assert {order.qty for order in world.account.orders.values()} == {D("0.5")}


def test_an_order_through_zero_drops_the_old_children_and_attaches_its_own() -> None:
    world = World(CALM)
    world.place("buy", "1", "95", "110")
    world.to(1)
    world.place("sell", "3", "105")
    world.to(2)
    assert world.qty == -2
    (stop,) = world.account.orders.values()
    assert (stop.stop_order_type, stop.side, stop.qty, stop.trigger_price) == ("StopLoss", "buy", D(2), D(105))


def test_trading_stop_replaces_keeps_and_removes() -> None:
    world = World(CALM)
    world.place("buy", "1", "95", "110")
    world.to(1)
    dealing, holding = world.engine.dealing, world.engine.books.holding(world.account, BTC)
    before = holding.stop_id
    dealing.set_protection(world.uid, BTC, ProtectionChange(stop_loss=D(97)))
    assert (holding.stop_id, holding.position.stop_loss, holding.position.take_profit) == (before, D(97), D(110))
    dealing.set_protection(world.uid, BTC, ProtectionChange(take_profit=D(0)))
    assert (holding.target_id, holding.position.take_profit) == ("", D(0))
    assert len(world.account.orders) == 1


def test_trading_stop_refuses_what_bybit_refuses() -> None:
    world = World(CALM)
    dealing = world.engine.dealing
    with pytest.raises(Refused, match="zero position"):
        dealing.set_protection(world.uid, BTC, ProtectionChange(stop_loss=D(95)))
    world.place("buy", "1", "95")
    world.to(1)
    for change, code in ((ProtectionChange(stop_loss=D(95)), 34040), (ProtectionChange(stop_loss=D(101)), 10001)):
        with pytest.raises(Refused) as refused:
            dealing.set_protection(world.uid, BTC, change)
        assert refused.value.code == code


def test_cancel_all_takes_the_stop_too_and_the_position_shows_it() -> None:
    world = World(CALM)
    world.place("buy", "1", "95", "110")
    world.to(1)
    world.engine.dealing.cancel_all(world.uid, lambda order: True)
    position = world.engine.books.holding(world.account, BTC).position
    assert (position.stop_loss, position.take_profit, len(world.account.orders)) == (D(0), D(0), 0)


def test_a_dropped_stop_leaves_the_target_alone() -> None:
    world = World(CALM)
    world.engine.faults.push(Fault("drop_stop"))
    world.place("buy", "1", "95", "110")
    world.to(1)
    assert [order.stop_order_type for order in world.account.orders.values()] == ["TakeProfit"]
    assert world.engine.books.holding(world.account, BTC).position.stop_loss == 0


def test_liquidation_costs_the_margin_and_no_more_however_far_the_price_falls() -> None:
    world = World([100, 100, 70, 70], balance="1000")
    world.place("buy", "10")  # leverage 10: margin 100, bankrupt at 90, taken over at 90.5
    world.to(1)
    margin = world.engine.books.position_margin(world.account)
    cash = world.account.cash
    world.to(3)
    assert world.qty == 0
    assert world.fills()[-1] == ("CreateByLiq", D(10), D(90))
    assert world.account.cash == cash - margin
    execution = world.engine.books.history[world.uid].executions[-1]
    assert execution.exec_type == "BustTrade"
    assert world.engine.books.history[world.uid].transactions[-1].kind == "LIQUIDATION"


@pytest.mark.parametrize(("side", "gap"), [("buy", 50), ("sell", 150)])
def test_a_liquidation_at_an_odd_leverage_keeps_the_ledger_exact(side: Side, gap: int) -> None:
    world = World([100, 100, gap, gap], balance="1000")
    world.engine.dealing.set_leverage(world.uid, BTC, D(3))
    world.place(side, "10.001")
    world.to(3)
    rows = world.engine.books.history[world.uid].transactions
    assert rows[-1].kind == "LIQUIDATION"
    with localcontext(prec=60):
        assert sum(row.cash_flow + row.funding - row.fee for row in rows) == world.account.cash
        assert rows[-1].fee == rows[-1].qty * rows[-1].price * rows[-1].fee_rate
    assert world.account.cash > D(1000) - D("10.001") * 100 / 3 - 2


def test_a_stop_between_entry_and_liquidation_is_hit_first() -> None:
    world = World([100, 100, 94, 70], balance="1000")
    world.place("buy", "10", "95")
    world.to(3)
    assert world.fills()[-1] == ("StopLoss", D(10), D(94))


def test_leverage_moves_the_liquidation_price_of_an_open_position() -> None:
    world = World([100, 100, 100, 91, 91], balance="1000")
    world.place("buy", "10")
    world.to(1)
    world.engine.dealing.set_leverage(world.uid, BTC, D(20))
    world.to(4)
    assert world.fills()[-1] == ("CreateByLiq", D(10), D(95))
