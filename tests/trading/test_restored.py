"""A database restored from an older copy: what it forgot is found at the exchange, however long ago it was."""

import pytest

from lib.domain.order import OrderState
from lib.trading.orders.reconcile import reconcile
from tests.worlds.one_process import World

DAY_S = 86_400


@pytest.mark.parametrize("has_traded", [True, False])
@pytest.mark.parametrize("days", [0, 3, 9])
async def test_a_start_finds_orders_made_since_the_newest_row(world: World, days: int, *, has_traded: bool) -> None:
    if has_traded:
        await world.cycle("buy")
        world.trade_at(58_700)
        await world.cycle("hold")
        world.wait(3_600)
    copy = world.ledger.snapshot()
    world.trade_at(60_000)
    await world.cycle("buy")
    assert world.order().state is OrderState.FILLED
    lost = world.order().order_link_id
    world.wait(days * DAY_S)
    world.ledger.rollback(copy)
    await reconcile(world.context, sweep=True)
    await reconcile(world.context, sweep=True)
    assert world.order().order_link_id == lost
    assert world.order().state is OrderState.FILLED
    assert (await world.ledger.books(1)).position.qty == world.position().qty
