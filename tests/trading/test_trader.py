"""The trader as a process: recovered before it trades, guarded while it runs, gone without the lease."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.domain.switches import Flags
from lib.market.status import iso
from lib.trading.cycle.report import cycle_status, traded
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.trader import Trader
from tests.factories import T, decision, trader_account
from tests.fakes.accounts import LeaseRow
from tests.worlds.one_process import World
from tests.worlds.props import CREATE, START, HeldClock, Killed


class Process:
    """A trader over a world whose sleepers wait for `run`. *allowed* is what its environment says of trading."""

    allowed = True

    def __init__(self) -> None:
        self.clock = HeldClock(START)
        self.world = World(clock=self.clock)
        self.world.add_account()
        self.world.analyst.view = decision("buy")
        self.trader = self.new_trader()

    def new_trader(self) -> Trader:
        context = self.world.new_context()
        return Trader(context, Guardian(context), stopper=Stopper(context, allowed=self.allowed))

    async def start(self, at_ms: int) -> None:
        self.world.to(at_ms)
        await self.trader.start()

    async def run(self, seconds: float) -> None:
        await self.clock.run(seconds)


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    made = Process()
    yield made
    made.world.venue.faults.clear()
    made.trader.ready = False
    for task in made.trader._tasks:
        task.cancel()
    assert made.world.violations == []


async def test_a_start_shortly_after_the_boundary_takes_the_cycle_up(process: Process) -> None:
    await process.start(T + 30_000)
    await process.run(5)
    assert process.world.order().state is OrderState.FILLED
    assert process.world.candles.status["last_cycle"] == iso(T)
    assert process.world.candles.status["last_cycle_outcome"] == "1 bought"


async def test_a_start_long_after_the_boundary_waits_for_the_next(process: Process) -> None:
    await process.start(T + 61_000)
    await process.run(5)
    assert process.world.orders() == []


async def test_nothing_trades_before_the_first_reconciliation(process: Process) -> None:
    process.world.to(T + 2_000)
    process.trader.cycle()
    await process.run(5)
    assert process.world.orders() == []


async def test_a_start_waits_for_the_ledger_before_anything(process: Process) -> None:
    accounts = process.world.ledger.accounts
    tries = 0

    async def away_twice() -> object:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise Retry("the database is away")
        return await accounts()

    process.world.ledger.accounts = away_twice  # type: ignore[method-assign,assignment]
    process.world.to(T + 2_000)
    task = asyncio.create_task(process.trader.start())
    await process.run(1)
    assert not process.trader.ready
    await process.run(5)
    await task
    assert process.trader.ready


async def test_a_start_finds_the_order_a_killed_process_had_sent(process: Process) -> None:
    def die() -> None:
        raise Killed

    process.world.on(CREATE, die, after=True)
    await process.start(T + 2_000)
    await process.run(3)
    assert process.world.order().state is OrderState.SUBMITTING
    process.world.calm()
    await process.trader.drain()
    process.trader = process.new_trader()
    await process.start(T + 20_000)
    await process.run(10)
    assert process.world.order().state is OrderState.FILLED
    assert len(process.world.transport.orders()) == 1


async def test_a_start_with_one_unreadable_account_still_serves_the_others(process: Process) -> None:
    process.world.add_account()
    process.world.spoil_key(1)
    await process.start(T + 2_000)
    await process.run(5)
    assert process.trader.ready
    assert process.world.order("e", 2).state is OrderState.FILLED


async def test_an_account_that_hangs_at_the_start_holds_nobody_else_up(process: Process) -> None:
    process.world.add_account()
    hang = process.world.transport.hanging[process.world.api_key(1)] = asyncio.Event()
    await process.start(T + 2_000)
    await process.run(5)
    assert process.world.order("e", 2).state is OrderState.FILLED
    assert process.world.orders(1) == [], "its own part of the reconciliation is not done"
    del process.world.transport.hanging[process.world.api_key(1)]
    hang.set()
    await process.run(5)
    assert process.world.order("e", 1).state is OrderState.FILLED


async def test_the_guard_runs_every_ten_seconds_and_outlives_its_bugs(process: Process) -> None:
    await process.start(T + 2_000)
    await process.run(5)
    accounts = process.world.ledger.accounts

    async def broken() -> object:
        raise ValueError("a bug")

    process.world.ledger.accounts = broken  # type: ignore[method-assign,assignment]
    await process.run(25)
    process.world.ledger.accounts = accounts  # type: ignore[method-assign]
    process.world.remove_stop()
    await process.run(11)
    assert process.world.position().stop_loss > 0


async def test_a_stop_lost_is_back_within_thirty_seconds(process: Process) -> None:
    process.world.fault("drop_stop")
    await process.start(T + 2_000)
    await process.run(30)
    assert process.world.position().stop_loss > 0


async def test_the_reconcile_job_closes_what_a_cycle_left_open(process: Process) -> None:
    process.world.fault("drop_reply", CREATE)
    process.world.on(CREATE, lambda: process.world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await process.start(T + 2_000)
    await process.run(30)
    assert process.world.order().state is OrderState.UNKNOWN
    process.world.venue.faults.clear()
    process.trader.reconcile()
    await process.run(1)
    assert process.world.order().state is OrderState.FILLED


async def test_a_drain_gives_the_lease_back_at_once(process: Process) -> None:
    await process.start(T + 2_000)
    await process.run(3)
    assert process.world.ledger.store.lease.holder == "trader-1"
    await process.trader.drain()
    assert process.world.ledger.store.lease.holder == ""
    process.trader.cycle()
    process.trader.reconcile()
    await process.run(2)
    assert process.world.ledger.store.lease.holder == ""
    assert await process.world.ledger.hold_lease("trader-2", 30_000) is not None


async def test_the_heartbeat_keeps_the_lease_and_a_standby_says_nothing_that_its_leader_says_otherwise(
    process: Process,
) -> None:
    await process.start(T + 70_000)
    process.trader.heartbeat()
    await process.run(1)
    status = process.world.candles.status
    assert status["trader_heartbeat"] == iso(T + 70_000)
    assert process.world.ledger.store.lease.holder == process.trader.context.holder
    assert status["analyst_waiting"] == "0"
    assert "analyst_groups" not in status, "before the first cycle the figures of the process before stand"
    status["analyst_waiting"] = "7"
    fields, lease = set(status), LeaseRow("other", 9, T + 10**9)
    process.world.ledger.store.lease = lease
    process.trader.heartbeat()
    await process.run(1)
    assert status["trader_heartbeat"] == iso(T + 71_000)
    assert set(status) == fields
    assert "trader_leads" not in status
    assert status["analyst_waiting"] == "7", "a standby asks nobody: its leader's figures stand"
    assert process.world.ledger.store.lease == lease


async def test_thrown_switches_are_carried_out_by_a_job_of_the_timetable(process: Process) -> None:
    await process.start(T + 2_000)
    await process.run(5)
    assert process.world.position().qty > 0
    await process.world.ledger.set_flags(Flags(trading_enabled=False, flatten=True), "test")
    for _ in range(11):
        process.trader.enforce_stops()
        await process.run(2)
    assert process.world.position().is_flat
    assert (await process.world.ledger.flags()).proven_ms


async def test_no_switch_is_carried_out_before_the_first_reconciliation(process: Process) -> None:
    await process.world.ledger.set_flags(Flags(trading_enabled=False, flatten=True), "test")
    process.trader.enforce_stops()
    await process.run(30)
    assert not (await process.world.ledger.flags()).proven_ms


async def test_an_environment_that_forbids_trading_stops_the_cycle_a_restart_would_take_up(process: Process) -> None:
    process.allowed = False
    process.trader = process.new_trader()
    await process.start(T + 2_000)
    await process.run(5)
    assert process.world.accepted() == []
    assert not (await process.world.ledger.flags()).trading_enabled


async def test_a_cycles_status_is_the_designs_three_fields_and_ours() -> None:
    world = World()
    world.add_account()
    world.add_account("1")
    report = await world.cycle("buy")
    assert cycle_status(report, T + 5_000) == {
        "auto_server_last_run": "2025-10-09T08:55:05Z",
        "last_cycle": "2025-10-09T08:55:00Z",
        "last_cycle_outcome": "1 bought, 1 skipped",
        "last_cycle_groups": "1",
    }


def test_the_status_says_which_symbols_are_traded_most_accounts_first() -> None:
    symbols = ("ETHUSDT", "BTCUSDT", "SOLUSDT", "BTCUSDT", "ADAUSDT", "ADAUSDT")
    accounts = [trader_account(number, symbol=symbol) for number, symbol in enumerate(symbols)]
    accounts.append(trader_account(99, symbol="XRPUSDT", auto_trade=False))
    assert traded(accounts) == "ADAUSDT,BTCUSDT,ETHUSDT,SOLUSDT"
