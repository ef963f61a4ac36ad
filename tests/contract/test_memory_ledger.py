"""What the in-memory ledger offers simulations beside the contract: a database that loses acknowledged commits."""

from lib.clock import SteppedClock
from lib.domain.order import OrderState
from tests.contract.ledger_worlds import MemoryWorld
from tests.contract.test_ledger import BUY, HOLDER, again, planned, signed, verdict
from tests.factories import T


async def test_a_rollback_forgets_every_commit_since_the_snapshot() -> None:
    world = MemoryWorld(SteppedClock(T + 4_000))
    account, order = await planned(world)
    before = world.ledger.snapshot()
    await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    await world.ledger.close_order(await again(world.ledger, order), verdict())
    await world.ledger.plan(account, None, T + 300_000, BUY)
    world.ledger.rollback(before)
    assert await world.ledger.open_orders() == [order]
    assert len(world.events(order.order_link_id)) == 1
    assert world.log(account.account_id, T).outcome == "bought"


async def test_a_snapshot_serves_more_than_one_rollback() -> None:
    world = MemoryWorld(SteppedClock(T + 4_000))
    _, order = await planned(world)
    before = world.ledger.snapshot()
    for _ in range(2):
        assert (await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)).granted
        world.ledger.rollback(before)
    assert (await again(world.ledger, order)).state is OrderState.PLANNED
