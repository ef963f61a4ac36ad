"""No position of ours without a stop, and no hand on anything that is not ours."""

import asyncio
from decimal import Decimal

from lib.domain.order import OrderState, order_link_id
from lib.domain.reason import text
from lib.trading.guardian.task import Guardian
from lib.trading.orders.reconcile import reconcile
from tests.factories import INSTALLATION, SYMBOL
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

TRADING_STOP = "/v5/position/trading-stop"
STOP, TARGET = Decimal(58_800), Decimal(63_000)


def stop_calls(world: World) -> int:
    return sum(path == TRADING_STOP for _, path, _ in world.transport.sent)


async def test_a_position_with_its_stop_is_left_alone(world: World) -> None:
    await world.cycle("buy")
    assert await world.guardian.run_pass() == 1
    assert await world.guardian.run_pass() == 1
    assert stop_calls(world) == 0


async def test_a_lost_stop_is_put_back_as_it_was_planned(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("buy")
    assert world.position().stop_loss == 0
    await world.guardian.run_pass()
    assert (world.position().stop_loss, world.position().take_profit) == (STOP, TARGET)
    assert world.guardian.repaired == 1


async def test_a_stop_the_owner_removed_comes_back(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP


async def test_a_stop_the_owner_moved_is_the_one_that_comes_back(world: World) -> None:
    await world.cycle("buy")
    exchange = await world.exchange(1)
    await exchange.set_trading_stop("BTCUSDT", Decimal(59_400), TARGET)
    await world.guardian.run_pass()
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(59_400)


async def test_a_stop_lost_while_its_entry_is_still_unknown_is_put_back(world: World) -> None:
    world.fault("drop_stop")
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    assert world.order().state is OrderState.UNKNOWN
    assert world.position().stop_loss == 0
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    assert world.guardian.closed == 0


async def test_a_refused_repair_closes_the_position_reduce_only(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("buy")
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    row = world.order("g")
    assert row.state is OrderState.FILLED
    assert row.order_link_id == order_link_id(INSTALLATION, world.t_ms, 1, 1, "g", 0)
    assert world.transport.orders()[-1]["reduceOnly"] is True
    assert world.position().is_flat
    assert world.guardian.closed == 1
    assert (await world.ledger.books((1, SYMBOL))).balance == world.cash()
    assert (await world.ledger.books((1, SYMBOL))).position.is_flat


async def test_a_close_works_while_trading_is_switched_off(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("buy")
    world.fault("refuse_stop", TRADING_STOP, count=3)
    world.ledger.people.set_auto_trade(world.user_of(1), False, world.clock.now_ms())
    await world.ledger.pause(1, text("the owner said so"))
    await world.guardian.run_pass()
    assert world.position().is_flat


async def test_a_close_whose_reply_is_lost_is_found_and_not_repeated(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("buy")
    world.fault("refuse_stop", TRADING_STOP, count=3)
    world.fault("drop_reply", CREATE)
    await world.guardian.run_pass()
    await world.guardian.run_pass()
    assert world.order("g").state is OrderState.FILLED
    assert len(world.transport.orders()) == 2


async def test_a_foreign_position_is_never_touched(world: World) -> None:
    world.by_hand("buy", "0.020")
    await world.guardian.run_pass()
    for _ in range(2):
        await world.cycle("hold")
        await world.guardian.run_pass()
    assert world.position().qty == Decimal("0.020")
    assert world.position().stop_loss == 0
    assert stop_calls(world) == 0
    assert world.transport.orders() == []


async def test_a_foreign_position_after_one_of_ours_is_never_touched(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.trade_at(58_700)
    assert world.position().is_flat
    world.by_hand("buy", "0.020")
    await world.guardian.run_pass()
    await world.cycle("hold")
    await world.guardian.run_pass()
    assert world.position().qty == Decimal("0.020")
    assert stop_calls(world) == 0
    assert len(world.transport.orders()) == 1


async def test_only_our_share_of_a_mixed_position_is_closed_and_entries_are_locked(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("buy")
    ours = world.position().qty
    world.by_hand("buy", "0.020")
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    assert world.order("g").qty == ours
    assert world.position().qty == Decimal("0.020")
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms + 300_000)).locks == ("external",)
    report = await world.cycle("sell")
    assert result_of(report).outcome == "refused"


async def test_a_stop_that_was_hit_is_booked_by_the_next_pass(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.trade_at(58_700)
    assert await world.guardian.run_pass() == 0
    assert (await world.ledger.books((1, SYMBOL))).position.is_flat
    assert (await world.ledger.books((1, SYMBOL))).balance == world.cash()
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).last_stop_ms > 0
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).loss_streak == 1


async def test_a_restarted_guardian_knows_the_stop_from_the_ledger(world: World) -> None:
    await world.cycle("buy")
    world.remove_stop()
    await Guardian(world.new_context()).run_pass()
    assert world.position().stop_loss == STOP


async def test_an_adopted_position_whose_stop_nobody_knows_is_closed_when_naked(world: World) -> None:
    before = world.ledger.snapshot()
    await world.cycle("buy")
    world.ledger.rollback(before)
    await reconcile(world.context, sweep=True)
    await reconcile(world.context, sweep=True)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert world.order("g").state is OrderState.FILLED
    assert stop_calls(world) == 0


async def test_one_account_that_hangs_leaves_the_others_guarded(world: World) -> None:
    world.add_account()
    world.fault("drop_stop", uid=world.uid(2))
    await world.cycle("buy")
    assert world.position(2).stop_loss == 0
    hang = world.transport.hanging[world.api_key(1)] = asyncio.Event()
    running = asyncio.create_task(world.guardian.run_pass())
    for _ in range(500):
        await asyncio.sleep(0)
    assert world.position(2).stop_loss == STOP
    hang.set()
    assert await running == 1


async def test_one_accounts_bug_leaves_the_others_guarded(world: World) -> None:
    world.add_account()
    world.fault("drop_stop", uid=world.uid(2))
    await world.cycle("buy")
    world.spoil_key(1)
    await world.guardian.run_pass()
    assert world.position(2).stop_loss == STOP


async def test_a_short_is_guarded_like_a_long(world: World) -> None:
    world.fault("drop_stop")
    await world.cycle("sell")
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(61_200)


async def test_a_stop_beyond_the_market_is_refused_and_the_position_closed(world: World) -> None:
    await world.cycle("buy")
    world.remove_stop()
    world.trade_at(58_500)
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert world.guardian.closed == 1
    assert INSTALLATION in world.order("g").order_link_id
