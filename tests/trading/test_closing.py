"""Closes outside the plans: one at a time, never more than ours, and never in the place of a plan."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.rest.client import BybitExchange
from lib.domain.books import Fill
from lib.domain.order import CYCLE_MS, Leg, Order, OrderState, parse_link_id
from lib.domain.position import ZERO, Position
from lib.domain.quotes import Ticker
from lib.domain.reason import text
from lib.domain.risk import AccountPlan, exit_draft
from lib.trading.context import TradingContext
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.flatten import Flattener
from lib.trading.orders.close import close_ours, exit_t, our_part
from lib.trading.orders.exit_order import AT_WORK_MS
from lib.trading.orders.reconcile import reconcile
from tests.factories import T
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

FOREIGN = Decimal("0.500")
TRADING_STOP = "/v5/position/trading-stop"


async def close(world: World, context: TradingContext | None = None, leg: Leg = "g") -> Order | None:
    at = context or world.context
    account = await world.trader_account(1)
    return await close_ours(at, account, at.exchanges.open(account, "guard"), leg, text("a test closes"))


async def plan_close(world: World, leg: Leg = "g") -> Order:
    """A close as a process leaves it that dies before it sends anything."""
    draft = exit_draft(world.position(), Decimal(60_000), leg=leg)
    account = await world.trader_account(1)
    return await world.ledger.plan_exit(account, world.t_ms, AccountPlan("closed", text("a test closes"), (draft,)))


async def claimed_close(world: World, leg: Leg = "g") -> Order:
    """A close as a process leaves it that dies between the claim and the send."""
    row = await plan_close(world, leg)
    signed = (await world.exchange(1)).sign_order(row, world.clock.now_ms())
    assert (await world.ledger.claim(row, signed, "trader-1")).granted
    return world.order(leg)


def sold(world: World) -> Decimal:
    """What reduce-only orders of ours took off the position."""
    return sum((order.filled for order in world.accepted() if order.reduce_only), ZERO)


def asked(world: World) -> list[dict[str, object]]:
    """Every close that left."""
    return [body for body in world.transport.orders() if body["reduceOnly"]]


async def shared(world: World) -> Decimal:
    """A position of ours with a person's part in it; ours."""
    await world.cycle("buy")
    ours = world.position().qty
    world.by_hand("buy", str(FOREIGN))
    return ours


async def test_a_close_takes_our_part_and_leaves_a_persons(world: World) -> None:
    ours = await shared(world)
    done = await close(world)
    assert done is not None
    assert (done.state, done.filled_qty) == (OrderState.FILLED, ours)
    assert world.position().qty == FOREIGN
    assert await close(world) is None


@pytest.mark.parametrize("leg", ["g", "f", "x"])
async def test_no_close_begins_while_another_exit_is_in_flight(world: World, leg: Leg) -> None:
    await shared(world)
    await claimed_close(world, leg)
    assert await close(world) is None
    assert asked(world) == []


async def test_a_close_whose_end_is_unknown_and_that_comes_late_is_not_doubled(world: World) -> None:
    ours = await shared(world)
    world.fault("delay", CREATE, ms=12_000)
    first = await close(world)
    assert first is not None
    for _ in range(3):
        await close(world)
        world.wait(5)
        await reconcile(world.context, sweep=False)
    assert world.position().qty in (FOREIGN, FOREIGN + ours)
    assert sold(world) <= ours


async def test_a_second_try_of_a_close_takes_no_more_than_what_is_still_ours(world: World) -> None:
    await world.cycle("buy")
    ours = world.position().qty
    world.fault("rate_limit_past_reset", CREATE)
    world.on(CREATE, lambda: world.by_hand("sell", str(ours - Decimal("0.001"))), after=True)
    await close(world)
    assert sold(world) == 0
    assert len(asked(world)) == 1, "the first try was refused, and the second would have been too large"
    assert world.position().qty == Decimal("0.001")
    world.calm()
    assert world.order("g").state is OrderState.UNKNOWN, "bytes left once: a query ends it"
    world.wait(AT_WORK_MS / 1000 + 10)
    await reconcile(world.context, sweep=False)
    assert world.order("g").state is OrderState.ABSENT
    done = await close(world)
    assert done is not None
    assert world.position().is_flat


async def test_a_close_is_not_signed_by_an_old_look_at_the_position(world: World) -> None:
    await world.cycle("buy")
    looks = 0

    def frozen() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:  # the look before the send: its answer is read a minute later
            world.wait(60)

    world.on("/v5/position/list", frozen, after=True)
    done = await close(world)
    assert done is not None
    assert done.state is OrderState.FILLED
    assert looks > 2, "the position was read once more"


async def test_a_close_somebody_planned_a_moment_ago_is_left_to_them(world: World) -> None:
    await shared(world)
    row = await plan_close(world)
    assert await close(world) is None
    assert world.order("g") == row


async def test_a_close_whose_maker_died_is_taken_back_and_another_made(world: World) -> None:
    ours = await shared(world)
    dead = await plan_close(world, "f")
    world.wait(AT_WORK_MS / 1000)
    done = await close(world)
    assert done is not None
    assert done.state is OrderState.FILLED
    assert world.order("f").state is OrderState.BLOCKED
    assert world.order("f").id == dead.id
    assert sold(world) == ours


@pytest.mark.parametrize("seed", range(40))
async def test_two_guardians_at_once_never_close_more_than_ours(world: World, seed: int) -> None:
    ours = await shared(world)
    rng = random.Random(seed)
    for kind in ("drop_reply", "drop_before", "delay"):
        if rng.random() < 0.5:
            world.fault(kind, CREATE, ms=rng.randrange(200, 6_000))
    desks = [world.new_context("trader-1"), world.new_context("trader-2"), world.new_context("trader-3")]

    async def guard(context: TradingContext) -> None:
        for _ in range(rng.randrange(60)):
            await asyncio.sleep(0)
        await close(world, context)

    for _ in range(4):
        await asyncio.gather(*(guard(context) for context in desks))
        world.wait(rng.choice((1, 5, 12)))
        await reconcile(world.context, sweep=False)
    assert sold(world) == ours
    assert world.position().qty == FOREIGN


async def test_a_close_that_ended_while_another_was_being_sized_is_not_repeated(world: World) -> None:
    class Meanwhile:
        """A market whose ticker takes long enough for another process to close and be done."""

        def __init__(self) -> None:
            self.instrument = world.context.market.instrument

        async def ticker(self, venue: Any, symbol: str) -> Ticker:
            await close(world, world.new_context("trader-2"))
            return await world.context.market.ticker(venue, symbol)

    ours = await shared(world)
    slow: Any = Meanwhile()
    assert await close(world, replace(world.new_context("trader-1"), market=slow)) is None
    assert sold(world) == ours
    assert world.position().qty == FOREIGN


async def test_two_guardians_that_find_a_stop_refused_close_once(world: World) -> None:
    world.fault("drop_stop")
    ours = await shared(world)
    world.fault("refuse_stop", TRADING_STOP, count=99)
    guardians = [Guardian(world.new_context("trader-1")), Guardian(world.new_context("trader-2"))]
    for _ in range(3):
        await asyncio.gather(*(guardian.run_pass() for guardian in guardians))
        world.wait(3)
    assert world.position().qty == FOREIGN
    assert sold(world) == ours


async def test_two_guardians_repair_the_same_stop_without_harm(world: World) -> None:
    await world.cycle("buy")
    world.remove_stop()
    guardians = [Guardian(world.new_context("trader-1")), Guardian(world.new_context("trader-2"))]
    await asyncio.gather(*(guardian.run_pass() for guardian in guardians))
    assert world.position().stop_loss == 58_800
    assert asked(world) == []


# --- beside a cycle ---------------------------------------------------------------------------------------------------


async def test_a_close_just_before_a_cycle_plans_takes_nothing_from_its_plan(world: World) -> None:
    await world.cycle("buy")
    world.to(T + CYCLE_MS + 500)
    done = await close(world)
    assert done is not None
    assert done.t_ms == T
    world.t_ms = T + CYCLE_MS
    world.to(world.t_ms + 2_000)
    report = await world.again("sell")
    assert result_of(report).outcome == "sold"
    assert world.order().t_ms == T + CYCLE_MS
    assert world.log().planned == "sold"


async def test_a_close_is_booked_under_the_cycle_whose_plan_stands(world: World) -> None:
    await world.cycle("buy")
    assert await exit_t(world.context, await world.trader_account(1)) == T
    world.to(T + CYCLE_MS + 89_000)
    assert await exit_t(world.context, await world.trader_account(1)) == T
    world.to(T + CYCLE_MS + 91_000)
    assert await exit_t(world.context, await world.trader_account(1)) == T + CYCLE_MS


async def test_a_close_in_the_middle_of_a_flip_loses_and_doubles_nothing(world: World) -> None:
    await world.cycle("buy")
    ours = world.position().qty
    closing: list[asyncio.Task[Order | None]] = []

    def meanwhile() -> None:
        if not closing:
            closing.append(asyncio.ensure_future(close(world, world.new_context("trader-2"))))

    world.on("/v5/account/wallet-balance", meanwhile)
    report = await world.cycle("sell")
    await closing[0]
    assert result_of(report).outcome in ("sold", "failed", "closed", "refused")
    assert world.position().direction in ("short", "flat")
    assert sold(world) == ours
    assert len([order for order in world.accepted() if not order.reduce_only]) <= 2


async def test_a_close_under_an_old_t_is_not_retired_while_it_is_young(world: World) -> None:
    await world.cycle("buy")
    world.to(T + 250_000)
    row = await plan_close(world)
    await reconcile(world.context, sweep=False)
    assert world.order("g") == row
    world.wait(AT_WORK_MS / 1000 + 1)
    await reconcile(world.context, sweep=False)
    assert world.order("g").state is OrderState.EXPIRED


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_our_part_is_never_more_than_either_holds(held: int, own: int) -> None:
    part = our_part(Position("BTCUSDT", Decimal(held)), Decimal(own))
    assert part == (min(abs(held), abs(own)) if held * own > 0 else 0)


async def test_a_close_listed_by_halves_is_not_followed_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await shared(world)
    listed, seen = BybitExchange.fills_since, dict[str, int]()

    async def by_halves(self: BybitExchange, symbol: str, since: int) -> list[Fill]:
        """Of our close one half at once, the other two seconds later."""
        found: list[Fill] = []
        for fill in await listed(self, symbol, since):
            link = parse_link_id(fill.order_link_id)
            if link is None or link.leg != "f":
                found.append(fill)
                continue
            half = (fill.qty / 2).quantize(Decimal("0.001"))
            since_ms = seen.setdefault(fill.exec_id, world.clock.now_ms())
            found.append(replace(fill, exec_id=f"{fill.exec_id}a", qty=half, fee=fill.fee / 2))
            if world.clock.now_ms() - since_ms > 2_000:
                found.append(replace(fill, exec_id=f"{fill.exec_id}b", qty=fill.qty - half, fee=fill.fee / 2))
        return found

    monkeypatch.setattr(BybitExchange, "fills_since", by_halves)
    flattener, account = Flattener(world.context), await world.trader_account(1)
    for _ in range(4):
        await flattener.step(account)
        world.wait(2)
    assert sold(world) == ours
    assert world.position().qty == FOREIGN
