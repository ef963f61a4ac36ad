"""A database restored from an older copy: what it forgot is found at the exchange, however long ago it was."""

import pytest

from lib.domain import reason_codes as codes
from lib.domain.order import OrderState
from lib.domain.switches import Flags
from lib.trading.kill_switch.proof import Prover
from lib.trading.orders.reconcile import reconcile
from tests.factories import SYMBOL
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
    assert (await world.ledger.books((1, SYMBOL))).position.qty == world.position().qty


@pytest.mark.parametrize("by", ["the start", "the stop's proof"])
async def test_a_search_cut_off_after_the_newest_order_still_finds_the_older_ones(world: World, by: str) -> None:
    """An adopted order is our newest row then: what is older than it, and younger than the backup, is lost as well."""
    copy, as_of_ms = world.ledger.snapshot(), world.clock.now_ms()
    await world.cycle("buy")
    world.wait(3_600)
    await world.cycle("sell")
    lost = {order.order_link_id for order in world.orders()}
    newest = max((order for order in world.orders() if order.is_entry), key=lambda order: order.t_ms)
    world.wait(9 * DAY_S)
    world.ledger.rollback(copy)
    world.ledger.store.flags = Flags(False, False, world.clock.now_ms(), 0, codes.RESTORED(), as_of_ms)
    account = await world.trader_account(1)
    records = await world.context.exchanges.open(account, "resolve").orders_since(account.symbol, as_of_ms)
    [record] = [one for one in records if one.order_link_id == newest.order_link_id]
    await world.context.orders.adopt(account, record, newest.t_ms)
    if by == "the start":
        await reconcile(world.context, sweep=True)
    else:
        prover = Prover(world.new_context("another"), accounts=[account])
        prover.search(await world.ledger.flags())
        assert await prover.is_swept(account, 0)
    assert {order.order_link_id for order in world.orders()} == lost
