"""Amending orders: what may change, what it is checked for, when it is matched again."""

from typing import Any

import pytest

from lib.simulator.engine.amending import Amendment
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.orders import OrderRequest, Protection, Refused, Trail
from tests.worlds.venue import BTC, D, World

CALM: list[str | int] = [100] * 30


def amend(world: World, order_id: str, **change: Any) -> None:
    world.engine.dealing.amend(world.uid, order_id, "", Amendment(**change))


def resting(prints: list[str | int] = CALM, balance: str = "10000") -> tuple[World, str]:
    world = World(prints, balance=balance)
    order = world.place("buy", "1", price="97")
    world.to(1)
    return world, order.order_id


def test_an_amended_price_waits_for_its_match_and_fills_there() -> None:
    world, order_id = resting([100, 100, 100, 98, 98])
    amend(world, order_id, price=D(98), qty=D(2))
    world.to(3)
    assert world.fills() == [("CreateByUser", D(2), D(98))]


def test_an_amended_price_that_crosses_takes_and_pays_as_a_taker() -> None:
    world, order_id = resting()
    amend(world, order_id, price=D(101))
    world.to(1.03)
    assert world.qty == 0
    world.to(1.05)
    execution = world.engine.books.history[world.uid].executions[-1]
    assert (world.qty, execution.price, execution.is_maker) == (D(1), D(100), False)


def test_two_amendments_within_the_delay_are_matched_once_at_the_last_price() -> None:
    world, order_id = resting()
    amend(world, order_id, price=D(101))
    world.to(1.02)
    amend(world, order_id, price=D(96))
    world.to(3)
    assert (world.qty, world.account.orders[order_id].price) == (D(0), D(96))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": D(97), "qty": D(1)}, 10001),
        ({"price": D("97.05")}, 10001),
        ({"price": D(106)}, 110003),
        ({"qty": D("0.0005")}, 10001),
        ({"qty": D("0.01")}, 110094),
        ({"qty": D(0)}, 110064),
        ({"qty": D(499)}, 110007),
        ({"trigger_price": D(98)}, 10001),
        ({"stop_loss": D(98)}, 10001),
    ],
)
def test_what_could_not_be_placed_cannot_be_amended_to(change: dict[str, Any], code: int) -> None:
    world, order_id = resting(balance="1000")
    before = world.engine.export_account(world.uid)
    with pytest.raises(Refused, match=str(code)):
        amend(world, order_id, **change)
    assert world.engine.export_account(world.uid) == before


def test_margin_of_the_old_order_counts_for_the_new_one() -> None:
    world, order_id = resting(balance="110")
    amend(world, order_id, qty=D(10))
    assert world.account.orders[order_id].qty == 10
    assert world.engine.books.available(world.account) >= 0


def test_a_closed_order_is_too_late() -> None:
    world = World(CALM)
    order = world.place("buy", "1")
    world.to(1)
    with pytest.raises(Refused, match="110001"):
        amend(world, order.order_id, qty=D(2))


def test_an_amended_stop_is_the_positions_stop_and_fires_there() -> None:
    world = World([100, 100, 100, 96, 96])
    world.place("buy", "1", "95")
    world.to(1)
    holding = world.engine.books.holding(world.account, BTC)
    amend(world, holding.stop_id, trigger_price=D(96))
    assert holding.position.stop_loss == 96
    for change, code in (({"trigger_price": D(101)}, 110093), ({"qty": D("0.5")}, 110060)):
        with pytest.raises(Refused, match=str(code)):
            amend(world, holding.stop_id, **change)
    world.to(3)
    assert world.fills()[-1] == ("StopLoss", D(1), D(96))


def test_a_conditional_order_keeps_waiting_at_its_new_trigger() -> None:
    world = World([100, 100, 100, 103, 105, 105])
    request = OrderRequest(BTC, "buy", D(1), trigger_price=D(102), trigger_direction=1)
    order = world.engine.dealing.place(world.uid, request)
    world.to(1)
    amend(world, order.order_id, trigger_price=D(104), qty=D(2))
    world.to(3)
    assert (world.qty, order.status) == (D(0), "Untriggered")
    world.to(5)
    assert world.qty == 2


def test_the_stop_an_entry_carries_may_change_until_some_of_it_filled() -> None:
    world, order_id = resting([100, 100, 97, 97])
    amend(world, order_id, stop_loss=D(95), take_profit=D(110))
    world.to(3)
    position = world.engine.books.holding(world.account, BTC).position
    assert (position.stop_loss, position.take_profit) == (D(95), D(110))


def test_a_trailing_stop_is_amended_by_trading_stop_alone() -> None:
    world = World(CALM)
    world.place("buy", "1")
    world.to(1)
    world.engine.dealing.set_protection(world.uid, BTC, ProtectionChange(trail=Trail(D(5))))
    with pytest.raises(Refused, match="10001"):
        amend(world, world.engine.books.holding(world.account, BTC).trail_id, trigger_price=D(96))


def test_a_partial_stop_may_have_another_size() -> None:
    world = World(CALM)
    world.place("buy", "3")
    world.to(1)
    world.engine.dealing.add_protection(world.uid, BTC, Protection(D(95), is_partial=True), D(1))
    (stop,) = world.account.orders.values()
    amend(world, stop.order_id, qty=D(2))
    assert stop.qty == 2
