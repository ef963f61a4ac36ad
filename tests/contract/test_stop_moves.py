"""The ledger's contract about stops that were moved, on every implementation."""

import asyncio
from dataclasses import replace
from decimal import Decimal

from lib.domain.account_records import TraderAccount
from lib.domain.exit_rules import ExitRules
from lib.domain.order import Order, OrderState
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from lib.domain.stops import IN_FLIGHT_MS, StopMove
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, HOLDER, again, signed, submitted, trading_account, verdict
from tests.factories import T

NEAR, NEARER = Decimal("59400.0"), Decimal("59700.0")
AT = T + 400_000


async def entered(world: World) -> tuple[TraderAccount, Order]:
    account, order = await submitted(world)
    await world.ledger.close_order(order, verdict())
    return account, await again(world.ledger, order)


async def moved(world: World, account: TraderAccount, price: Decimal = NEAR, t_ms: int = T + 300_000) -> None:
    await world.ledger.plan(account, None, t_ms, AccountPlan("held", text("half is won"), stop=price))


async def test_a_move_is_committed_with_its_plan_once(world: World) -> None:
    account, entry = await entered(world)
    for price in (NEAR, NEARER):
        await moved(world, account, price)
    assert await world.ledger.stop_moves(entry) == [StopMove(entry.order_link_id, T + 300_000, NEAR)]
    assert await world.ledger.moved_slots() == {account.slot}


async def test_a_plan_without_a_move_and_one_without_an_entry_commit_none(world: World) -> None:
    account, order = await submitted(world)
    await moved(world, account)
    assert await world.ledger.stop_moves(order) == []
    await world.ledger.close_order(order, verdict())
    await world.ledger.plan(account, None, T + 600_000, AccountPlan("held", text("no")))
    assert await world.ledger.moved_slots() == set()


async def test_a_move_outside_a_plan_is_committed_once_and_claimed_as_any_other(world: World) -> None:
    account, entry = await entered(world)
    for price in (NEAR, NEARER):
        await world.ledger.move_stop(entry, entry.t_ms + 1, price)
    assert await world.ledger.stop_moves(entry) == [StopMove(entry.order_link_id, T + 1, NEAR)]
    assert await world.ledger.moved_slots() == {account.slot}
    assert await world.ledger.claim_stop(entry, entry.stop_loss, entry.stop_loss, AT) == NEAR


async def test_an_entry_is_read_back_with_the_rules_it_was_planned_with(world: World) -> None:
    account = await trading_account(world)
    rules = ExitRules(Decimal(1), 90, Decimal("1.5"), Decimal("0.75"))
    ruled = replace(account, settings=replace(account.settings, exits=rules))
    (order,) = await world.ledger.plan(ruled, None, T, BUY)
    assert (order.exits, (await again(world.ledger, order)).exits) == (rules, rules)


async def test_a_claimed_call_keeps_every_other_price_away_until_its_window_is_over(world: World) -> None:
    account, entry = await entered(world)
    stop, zero = entry.stop_loss, Decimal(0)
    assert await world.ledger.claim_stop(entry, zero, zero, AT) == stop
    await moved(world, account)
    assert await world.ledger.claim_stop(entry, stop, stop, AT + 1) == 0
    assert await world.ledger.claim_stop(entry, stop, zero, AT + 1) == stop
    after = AT + 2 + IN_FLIGHT_MS
    assert await world.ledger.claim_stop(entry, stop, stop, after) == NEAR
    kept = {move.t_ms: move for move in await world.ledger.stop_moves(entry)}
    assert kept[entry.t_ms] == StopMove(entry.order_link_id, T, stop, AT + 1, AT)
    assert kept[T + 300_000] == StopMove(entry.order_link_id, T + 300_000, NEAR, after)


async def test_two_that_claim_at_once_call_one_price(world: World) -> None:
    account, entry = await entered(world)
    await moved(world, account)
    known = (Decimal(0), NEARER)
    prices = await asyncio.gather(*(world.ledger.claim_stop(entry, one, entry.stop_loss, AT) for one in known))
    assert len({price for price in prices if price}) == 1


async def test_the_tightest_that_the_caller_knows_stays_the_tightest(world: World) -> None:
    _, entry = await entered(world)
    assert await world.ledger.claim_stop(entry, NEARER, Decimal(0), AT) == NEARER
    assert await world.ledger.claim_stop(entry, Decimal(0), Decimal(0), AT + 2 * IN_FLIGHT_MS) == NEARER


async def test_a_move_is_settled_once_its_stop_stands(world: World) -> None:
    account, entry = await entered(world)
    await moved(world, account)
    assert await world.ledger.settle_stops(entry, entry.stop_loss, AT)
    assert await world.ledger.moved_slots() == {account.slot}
    assert not await world.ledger.settle_stops(entry, NEAR, AT)
    assert await world.ledger.moved_slots() == set()
    assert (await world.ledger.stop_moves(entry))[0].settled_ms == AT


async def test_a_move_of_an_older_entry_is_no_newer_ones(world: World) -> None:
    account, entry = await entered(world)
    await moved(world, account)
    world.clock.advance_to(T + 602_000)
    assert await world.ledger.hold_lease(HOLDER, 30_000)
    [order] = await world.ledger.plan(account, None, T + 600_000, BUY)
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    sent = await again(world.ledger, order)
    await world.ledger.close_order(sent, verdict(OrderState.FILLED))
    newer = await again(world.ledger, order)
    assert await world.ledger.claim_stop(newer, Decimal(0), Decimal(0), AT + 300_000) == newer.stop_loss
    assert not await world.ledger.settle_stops(newer, Decimal(0), AT + 300_000)
    assert await world.ledger.moved_slots() == set()
    assert [move.price for move in await world.ledger.stop_moves(entry)] == [NEAR]
    assert await world.ledger.stop_moves(replace(entry, account_id=account.account_id + 1)) == []
