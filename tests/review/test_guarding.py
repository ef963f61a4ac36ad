"""Positions stay guarded and booked whatever was cut short just after they came about."""

from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.trading.guardian import Guardian
from tests.world import World


async def test_a_position_whose_fills_were_never_booked_is_guarded_by_the_next_process(world: World) -> None:
    record = world.ledger.record_fills

    async def away(*_: object) -> int:
        raise Retry("the database is away")

    world.ledger.record_fills = away  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    world.ledger.record_fills = record  # type: ignore[method-assign]
    assert world.order().state is OrderState.FILLED
    assert (await world.trader_account(1)).booked_qty == 0
    world.remove_stop()
    restarted = Guardian(world.new_desk())
    await restarted.run_pass()
    assert world.position().stop_loss > 0


async def test_a_position_whose_fills_could_not_be_booked_is_guarded_within_thirty_seconds(world: World) -> None:
    await world.guardian.run_pass()
    record = world.ledger.record_fills

    async def away(*_: object) -> int:
        raise Retry("the database is away")

    world.ledger.record_fills = away  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    world.ledger.record_fills = record  # type: ignore[method-assign]
    world.remove_stop()
    for _ in range(3):
        world.wait(10)
        await world.guardian.run_pass()
    assert world.position().stop_loss > 0
