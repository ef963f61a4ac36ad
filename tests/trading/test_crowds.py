"""Closes where the way to the venue is crowded, slow or fails: every one of them still finds out what is ours."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.adapters.bybit.limits.limiter import LANE_WAIT_S, Limiter, Limits, LocalLimiter
from lib.adapters.bybit.limits.turnstile import Answer, Ask, Turnstile
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.transport import Transport
from lib.clock import Clock
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Halt, Pause, Retry
from lib.domain.instrument import Instrument
from lib.domain.order import TERMINAL, Order, OrderState
from lib.domain.reason import text
from lib.ports.exchange import Lane
from lib.trading.cycle.run import run_cycle
from lib.trading.kill_switch.flatten import Flattener
from lib.trading.orders.close import close_ours
from tests.worlds.one_process import INSIDE, World
from tests.worlds.props import OpenSeals

POSITIONS = "/v5/position/list"
CROWD = 24
PACE_MS = 200
"""Between two calls: eighteen times the shared budget's, so that these few are a crowd of 440."""


class Paced:
    """Limits of the shared budget's shape: one call after the other, those of the better lane first, few under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_ms = 0
        self._turnstile = Turnstile(clock, self, most_under_way=28)

    async def take(self, asks: Sequence[Ask]) -> list[Answer]:
        return [self._answer() for _ in asks]

    def _answer(self) -> Answer:
        now = self._clock.now_ms()
        if self._next_ms > now:
            return Answer(self._next_ms - now)
        self._next_ms = now + PACE_MS
        return Answer()

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        wait_s = LANE_WAIT_S[lane] if max_wait_s is None else max_wait_s
        await self._turnstile.enter(Ask(account, path, lane), urgent=urgent, max_wait_s=wait_s)

    def finished(self, lane: Lane) -> None:
        self._turnstile.left(lane)

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        raise AssertionError("the venue has no limits here")

    def banned(self) -> None:
        raise AssertionError("the venue has no limits here")

    def at(self, url: str) -> Limiter:
        return self


def lead_out(world: World, limits: Limits, transport: Transport | None = None) -> None:
    """Let the traders of *world* out by another way."""

    def transport_for(_: str) -> Transport:
        return transport or world.transport

    exchanges = BybitExchanges(OpenSeals(), {"paper": INSIDE}, transport_for, world.clock, limits)
    market = BybitAsyncMarket(INSIDE, {"paper": INSIDE}, transport_for, world.clock, limits)
    world.context = replace(world.context, exchanges=exchanges, market=market)


async def close(world: World) -> Order | None:
    account = await world.trader_account(1)
    return await close_ours(
        world.context, account, world.context.exchanges.open(account, "guard"), "g", text("a test closes")
    )


def exits(world: World) -> list[OrderState]:
    return [row.state for row in world.ledger.store.orders.values() if row.reduce_only]


async def test_a_crowd_that_turns_round_finds_its_way_out(world: World) -> None:
    for _ in range(CROWD - 1):
        world.add_account()
    await world.cycle("buy")
    lead_out(world, Paced(world.clock))
    await world.cycle("sell")
    assert exits(world) == [OrderState.FILLED] * CROWD


async def test_a_crowd_that_is_closed_is_flat_by_one_row_each(world: World) -> None:
    for _ in range(CROWD - 1):
        world.add_account()
    await world.cycle("buy")
    lead_out(world, Paced(world.clock))
    flattener = Flattener(world.context)
    accounts = [await world.trader_account(number) for number in range(1, CROWD + 1)]
    for _ in range(10):
        proofs = await asyncio.gather(*(flattener.step(account) for account in accounts))
        accounts = [account for account, proof in zip(accounts, proofs, strict=True) if proof is None]
    assert not accounts
    assert exits(world) == [OrderState.FILLED] * CROWD


async def test_in_a_crowd_most_wait_before_they_have_a_row(world: World) -> None:
    for _ in range(CROWD - 1):
        world.add_account()
    await world.cycle("buy")
    context = replace(world.context, state=replace(world.context.state, closers=3))
    at_once: list[int] = []

    def count() -> None:
        at_once.append(sum(row.leg == "g" and row.state not in TERMINAL for row in world.ledger.store.orders.values()))

    world.on(POSITIONS, count)
    accounts = [await world.trader_account(number) for number in range(1, CROWD + 1)]
    await asyncio.gather(
        *(close_ours(context, a, context.exchanges.open(a, "guard"), "g", text("a test closes")) for a in accounts)
    )
    assert exits(world) == [OrderState.FILLED] * CROWD
    assert max(at_once) <= 3


async def test_a_position_held_for_half_a_year_is_closed_over_a_slow_line(world: World) -> None:
    await world.cycle("buy")
    inner = world.transport

    class Slow:
        async def request(self, *call: Any) -> Any:
            await world.clock.sleep(0.16)
            return await inner.request(*call)

    lead_out(world, LocalLimiter(world.clock, ip_calls=0), Slow())
    world.wait(182 * 86_400)
    done = await close(world)
    assert done is not None
    assert (done.state, done.attempts) == (OrderState.FILLED, 1)


class Looks:
    """The looks at the position of a world, of which some fail."""

    def __init__(self, world: World, failing: range, failure: Exception) -> None:
        self.count = 0
        self._failing, self._failure = failing, failure
        world.on(POSITIONS, self._look)

    def _look(self) -> None:
        self.count += 1
        if self.count in self._failing:
            raise self._failure


async def test_one_look_that_fails_costs_a_close_nothing(world: World) -> None:
    await world.cycle("buy")
    looks = Looks(world, range(2, 3), TimeoutError())
    done = await close(world)
    assert done is not None
    assert done.state is OrderState.FILLED
    assert looks.count == 3


async def test_one_look_that_fails_costs_a_cycles_exit_nothing(world: World) -> None:
    await world.cycle("buy")
    looks = Looks(world, range(2, 3), TimeoutError())  # the first is what the plan rests on
    await world.cycle("sell")
    assert looks.count > 3
    assert world.order("x").state is OrderState.FILLED


async def test_a_close_that_cannot_be_looked_at_stands_in_nobodys_way(world: World) -> None:
    await world.cycle("buy")
    Looks(world, range(2, 4), TimeoutError())
    assert await close(world) is None
    assert world.order("g").state is OrderState.BLOCKED
    done = await close(world)  # at once, not when the row has grown old
    assert done is not None
    assert done.state is OrderState.FILLED


async def test_a_key_that_is_refused_meanwhile_takes_the_close_back(world: World) -> None:
    await world.cycle("buy")
    Looks(world, range(2, 3), Pause("10003: the key is refused"))
    with pytest.raises(Pause):
        await close(world)
    assert world.order("g").state is OrderState.BLOCKED


@pytest.mark.parametrize("trouble", [Retry("the venue is silent"), Halt("the venue does not know it")])
async def test_no_unknown_instrument_holds_a_close_up(
    world: World, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("buy")

    async def unknown(venue: str, symbol: str) -> Instrument:
        raise trouble

    monkeypatch.setattr(world.context.market, "instrument", unknown)
    done = await close(world)
    assert done is not None
    assert done.state is OrderState.FILLED


async def test_what_works_and_cannot_be_cancelled_holds_no_close_up(world: World) -> None:
    await world.cycle("buy")
    flattener, account = Flattener(world.context), await world.trader_account(1)

    def silent() -> None:
        raise TimeoutError

    world.on("/v5/order/realtime", silent)
    assert await flattener.step(account) is None, "nobody knows what else may fill"
    world.calm()
    assert world.position().is_flat
    assert await flattener.step(account) is not None


async def test_a_position_larger_than_any_market_order_is_closed_by_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("buy")
    ours = world.position().qty
    rule = await world.context.market.instrument("paper", "BTCUSDT")
    half = (ours / 2).quantize(Decimal("0.001"))

    async def smaller(venue: str, symbol: str) -> Instrument:
        return replace(rule, max_market_qty=half)

    monkeypatch.setattr(world.context.market, "instrument", smaller)
    await world.cycle("sell")
    assert world.order("x").filled_qty == half
    assert world.position().qty == ours - half
    assert world.log().summary.outcome == "closed"


async def flat_after_ms(world: World, account_id: int) -> int:
    """How long it takes to close everything of the account, in the world's time."""
    began, flattener = world.clock.now_ms(), Flattener(world.context)
    account = await world.trader_account(account_id)
    while await flattener.step(account) is None:
        await world.clock.sleep(0.1)
    return world.clock.now_ms() - began


async def test_a_crowd_that_asks_now_holds_nobodys_close_up() -> None:
    waits: list[int] = []
    for crowd in (0, CROWD):
        world = World()
        closing, *asking = [world.add_account() for _ in range(crowd + 1)]
        await world.cycle("buy")
        world.wait(70)
        paced = Paced(world.clock)
        lead_out(world, paced)
        minute = world.clock.now_ms() // MINUTE_MS * MINUTE_MS
        flood = asyncio.create_task(run_cycle(world.context, minute, only=frozenset(asking)))
        await world.clock.sleep(1)
        waits.append(await flat_after_ms(world, closing))
        assert not crowd or not flood.done(), "the crowd is still at it"
        await flood
        assert world.position(closing).is_flat
        assert world.violations == []
    alone, in_the_crowd = waits
    # each of its calls may find one of the crowd's just admitted, and nothing more
    assert in_the_crowd <= 2 * alone + PACE_MS
