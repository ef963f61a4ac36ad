"""A decision to close: out by an exit of its own, whatever stands in the way of entries; never a way in."""

from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.decision import Decision
from lib.domain.order import OrderState
from lib.domain.position import ZERO
from lib.domain.reason import text
from lib.domain.switches import Flags
from tests.factories import decision, settings
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE


def closing(share: str = "1", confidence: str = "0.8") -> Decision:
    return decision("close", confidence, 1, "the trend ended", 0, 0, share)


async def test_a_close_ends_the_position_by_one_exit_and_enters_nothing(world: World) -> None:
    for action, side in (("buy", "Sell"), ("sell", "Buy")):
        await world.cycle(action)  # type: ignore[arg-type]
        report = await world.cycle(closing())
        close = world.transport.orders()[-1]
        assert (close["side"], close["reduceOnly"], close["orderType"]) == (side, True, "Market")
        assert world.position().is_flat
        assert (result_of(report).outcome, result_of(report).reason) == ("closed", text("the trend ended"))
        assert [order.leg for order in result_of(report).orders] == ["x"]
        assert result_of(report).difference == 0


async def test_a_close_passes_whatever_keeps_entries_off(world: World) -> None:
    await world.cycle("buy")
    await world.ledger.lock(1, "drawdown", world.clock.now_ms() + 10**9, text("by hand"))
    report = await world.cycle(closing())
    assert (result_of(report).outcome, world.position().is_flat) == ("closed", True)


async def test_a_close_of_nothing_does_nothing(world: World) -> None:
    report = await world.cycle(closing())
    assert (result_of(report).outcome, result_of(report).reason) == ("held", codes.FLAT_ALREADY())
    assert world.orders() == []


async def test_a_close_nobody_is_sure_of_is_refused(world: World) -> None:
    await world.cycle("buy")
    report = await world.cycle(closing(confidence="0.64"))
    assert result_of(report).outcome == "refused"
    assert world.position().direction == "long"


async def test_a_part_is_floored_to_the_step_and_keeps_the_stop(world: World) -> None:
    await world.cycle("buy")
    held = world.position()
    report = await world.cycle(closing("0.333"))
    part = Decimal("0.001") * int(held.qty * Decimal("0.333") * 1000)
    assert world.position().qty == held.qty - part > 0
    assert world.position().stop_loss == held.stop_loss
    assert result_of(report).reason == codes.CLOSED_PART(share=Decimal("0.333"), why=text("the trend ended"))
    assert world.order("x").state is OrderState.FILLED
    again = await world.cycle(closing())
    assert (result_of(again).outcome, world.position().is_flat) == ("closed", True)
    assert result_of(again).difference == 0


async def test_a_crash_after_a_part_was_closed_closes_no_other_part(world: World) -> None:
    await world.cycle("buy")
    held = world.position()
    world.fault("timeout_after", CREATE)
    await world.cycle(closing("0.5"))
    await world.again()
    await world.again()
    assert len([order for order in world.orders() if order.leg == "x"]) == 1
    assert abs(world.position().qty - held.qty / 2) <= Decimal("0.001")


async def test_who_is_switched_off_reads_what_would_have_been_closed(world: World) -> None:
    await world.cycle("buy")
    world.ledger.people.set_account_flags(1, Flags(trading_enabled=False, flatten=False))
    world.analyst.view = closing()
    held = world.position().qty
    await world.cycle(closing())
    assert world.position().qty == held != ZERO


async def test_who_only_goes_long_closes_too() -> None:
    world = World()
    world.add_account(settings=settings(long_only=True))
    await world.cycle("buy")
    report = await world.cycle(closing())
    assert (result_of(report).outcome, world.position().is_flat) == ("closed", True)
