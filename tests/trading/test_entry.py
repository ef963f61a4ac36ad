"""From a decision to a filled entry, and everything that may happen to the request and its reply."""

from decimal import Decimal

import pytest

from lib.domain.order import OrderState, order_link_id
from tests.factories import INSTALLATION, T, decision
from tests.world import CREATE, World, result_of


async def test_an_entry_carries_its_stop_and_target_inside_the_order(world: World) -> None:
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"
    (body,) = world.transport.orders()
    assert (body["stopLoss"], body["takeProfit"]) == ("58800", "63000")
    assert (body["orderType"], body["timeInForce"], body["price"]) == ("Limit", "IOC", "60180")
    assert (body["tpslMode"], body["slTriggerBy"], body["positionIdx"]) == ("Full", "MarkPrice", 0)
    position = world.position()
    assert (position.stop_loss, position.take_profit) == (Decimal(58_800), Decimal(63_000))
    assert world.states() == ["PLANNED", "SUBMITTING", "ACCEPTED", "FILLED"]
