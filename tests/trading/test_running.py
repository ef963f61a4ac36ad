"""The trader through outages: cycles late rather than lost, a start that can be stopped, clocks set back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from lib.domain.errors import Halt, Retry
from lib.domain.order import CYCLE_MS, EVIDENCE_LIFE_MS, OrderState
from lib.trading.guardian.task import Guardian
from lib.trading.orders.reconcile import reconcile
from lib.trading.trader import Trader
from services.trader import in_time, run, timetable
from tests.factories import T, decision
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE, START, HeldClock


class Process:
    """A trader over a world whose sleepers wait for `clock.run`."""

    def __init__(self) -> None:
        self.clock = HeldClock(START)
        self.world = World(clock=self.clock)
        self.world.add_account()
        self.world.analyst.view = decision("buy")
        context = self.world.context
        self.trader = Trader(context, Guardian(context))


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    made = Process()
    yield made
    made.trader.ready = False
    for task in made.trader._tasks:
        task.cancel()
    assert made.world.violations == []


async def test_a_ledger_away_for_a_moment_at_the_boundary_makes_a_cycle_late_not_lost(process: Process) -> None:
    process.world.to(T - 1_000)
    await process.trader.start()
    hold, tries = process.world.ledger.hold_lease, 0

    async def away_twice(holder: str, ttl_ms: int) -> int | None:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise Retry("the database is away")
        return await hold(holder, ttl_ms)

    process.world.ledger.hold_lease = away_twice  # type: ignore[method-assign]
    process.world.to(T + 2_000)
    process.trader.cycle()
    await process.clock.run(10)
    assert process.world.order().state is OrderState.FILLED


async def test_a_halt_in_a_job_ends_the_process_after_what_was_sent_is_heard_out() -> None:
    world = World()
    trader = Trader(world.context, Guardian(world.context))

    async def broken() -> list[object]:
        raise Halt("the database has lost its tables")

    await trader.start()
    world.ledger.open_orders = broken  # type: ignore[method-assign,assignment]
    trader.reconcile()
    with pytest.raises(Halt, match="lost its tables"):
        await asyncio.wait_for(run(trader, asyncio.Event()), 30)


async def test_a_ledger_away_for_the_whole_cycle_is_said_in_the_status(process: Process) -> None:
    process.world.to(T - 1_000)
    await process.trader.start()

    async def away(*_: object) -> None:
        raise Retry("the database is away")

    process.world.ledger.hold_lease = away  # type: ignore[method-assign,assignment]
    process.world.to(T + 2_000)
    process.trader.cycle()
    await process.clock.run(80)
    assert process.world.candles.status["last_cycle_outcome"] == "the database is away"


async def test_one_boundary_asked_for_many_times_at_once_is_served_once(process: Process) -> None:
    process.world.to(T - 1_000)
    await process.trader.start()
    process.world.to(T + 2_000)
    for _ in range(12):  # a machine that slept: every job of the timetable is due at once
        process.trader.cycle()
    await process.clock.run(10)
    assert len(process.world.analyst.asked) == 1


async def test_a_trader_that_waits_for_the_lease_stops_waiting_when_told_to_end(process: Process) -> None:
    assert await process.world.ledger.hold_lease("another", CYCLE_MS) is not None
    process.world.to(T + 2_000)
    await process.trader.start()
    await process.clock.run(3)
    drained = asyncio.create_task(process.trader.drain())
    await process.clock.run(3)
    assert drained.done()
    assert process.world.orders() == []


async def test_a_start_that_waits_for_the_database_can_be_stopped(process: Process) -> None:
    async def away() -> object:
        raise Retry("the database is away")

    process.world.ledger.accounts = away  # type: ignore[method-assign,assignment]
    stop = asyncio.Event()
    running = asyncio.create_task(run(process.trader, stop))
    await process.clock.run(5)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_an_account_that_hangs_does_not_hold_up_the_next_look_at_the_others(process: Process) -> None:
    world = process.world
    world.add_account()
    world.to(T - 1_000)
    await process.trader.start()
    world.to(T + 2_000)
    process.trader.cycle()
    await process.clock.run(15)
    assert world.order("e", 2).state is OrderState.FILLED
    hang = world.transport.hanging[world.api_key(1)] = asyncio.Event()
    await process.clock.run(10)
    world.remove_stop(2)
    await process.clock.run(20)
    assert world.position(2).stop_loss > 0
    hang.set()


async def test_a_row_no_key_can_ask_about_is_handed_to_a_person_after_a_day(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    assert world.order().state is OrderState.UNKNOWN
    world.calm()
    store = world.ledger.store
    store.accounts[1] = replace(store.accounts[1], active=False)
    world.wait(3_600)
    await reconcile(world.context, sweep=False)
    assert world.order().state is OrderState.UNKNOWN
    world.wait(EVIDENCE_LIFE_MS / 1000)
    await reconcile(world.context, sweep=False)
    assert world.order().state is OrderState.NEEDS_HUMAN


async def test_a_row_whose_key_was_revoked_is_handed_to_a_person_after_a_day(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    world.calm()
    world.fault("key_revoked", uid=world.uid(1))
    world.wait(EVIDENCE_LIFE_MS / 1000 + 600)
    await reconcile(world.context, sweep=False)
    assert world.order().state is OrderState.NEEDS_HUMAN


async def test_a_key_refused_while_reconciling_pauses_its_account_and_tells_its_owner_once(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    world.calm()
    world.fault("key_revoked", uid=world.uid(1))
    for _ in range(3):
        await reconcile(world.context, sweep=False)
    assert not (await world.trader_account(1)).trading_enabled
    assert len(world.ledger.store.outbox) == 1


async def test_trouble_with_one_symbols_candles_is_not_the_others(world: World) -> None:
    world.add_account(symbol="ETHUSDT")
    newest = world.candles.newest

    async def broken(symbol: str, interval: str, count: int) -> object:
        if symbol == "ETHUSDT":
            raise LookupError("a bug")
        return await newest(symbol, interval, count)

    world.candles.newest = broken  # type: ignore[method-assign,assignment]
    report = await world.cycle("buy")
    assert world.order().state is OrderState.FILLED
    assert result_of(report, 2).outcome == "failed"
    assert world.log(2, symbol="ETHUSDT").summary.outcome in ("failed", "skipped")


async def test_an_account_whose_skip_cannot_be_written_leaves_the_others_theirs(world: World) -> None:
    world.add_account()
    world.candles.lag_ms = 120_000
    plan = world.ledger.plan

    async def broken(account: object, *rest: object) -> object:
        if getattr(account, "account_id", 0) == 1:
            raise LookupError("a bug")
        return await plan(account, *rest)  # type: ignore[arg-type]

    world.ledger.plan = broken  # type: ignore[method-assign,assignment]
    report = await world.cycle("buy")
    assert result_of(report, 1).outcome == "failed"
    assert result_of(report, 2).outcome == "skipped"


async def test_a_clock_set_back_an_hour_does_not_stop_the_timetable(process: Process) -> None:
    table = timetable(process.trader)
    assert in_time(table, process.trader) is table
    for job in table.jobs:
        assert job.next_run is not None
        job.next_run += timedelta(hours=1)
    fresh = in_time(table, process.trader)
    assert fresh is not table
    assert (fresh.idle_seconds or 0) <= 5


async def test_a_cycles_report_says_what_became_of_the_orders_not_what_was_hoped(world: World) -> None:
    world.fault("clock_skew", ms=-1_500)
    report = await world.cycle("buy")
    assert world.order().state is OrderState.ABSENT
    assert result_of(report).outcome == world.log().summary.outcome == "failed"
