"""The guardian as a task of its own: how soon it looks, whose streams it follows, and that nothing ends it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import OrderState
from lib.ports.exchange import AccountHints
from lib.trading.guardian.task import Guardian
from lib.trading.trader import Trader
from tests.factories import SYMBOL, T, decision
from tests.worlds.one_process import World
from tests.worlds.props import START, HeldClock

STOP = Decimal(58_800)
TRADING_STOP = "/v5/position/trading-stop"
POSITIONS = "/v5/position/list"


class WorldHints(AccountHints):
    """`AccountHints` straight from the world's exchange."""

    def __init__(self, world: World) -> None:
        self._numbers = {world.uid(number): number for number in world.ledger.store.accounts}
        self._waiting: asyncio.Queue[int] = asyncio.Queue()
        self.followed: list[int] = []
        world.engine.listen(self._note)

    def _note(self, topic: str, uid: int, subject: object) -> None:
        if self._numbers.get(uid) in self.followed:
            self._waiting.put_nowait(self._numbers[uid])

    async def follow(self, accounts: Sequence[TraderAccount]) -> None:
        self.followed = [account.account_id for account in accounts]

    async def next(self) -> int:
        return await self._waiting.get()

    async def close(self) -> None:
        return None


class Process:
    """A trader with a guardian over a world whose sleepers wait for `run`."""

    def __init__(self, accounts: int = 1, *, hinted: bool = False) -> None:
        self.clock = HeldClock(START)
        self.world = World(clock=self.clock)
        for _ in range(accounts):
            self.world.add_account()
        self.world.analyst.view = decision("buy")
        self.hints = WorldHints(self.world) if hinted else None
        self.guardian = Guardian(self.world.context, self.hints)
        self.trader = Trader(self.world.context, self.guardian)

    async def start(self) -> None:
        """Every account in a position with its stop, looked at."""
        self.world.to(T + 2_000)
        await self.trader.start()
        await self.run(28)
        for number in self.world.ledger.store.accounts:
            assert self.world.order("e", number).state is OrderState.FILLED
            assert self.world.position(number).stop_loss == STOP

    async def run(self, seconds: float) -> None:
        await self.clock.run(seconds)

    async def seconds_until(self, done: Callable[[], bool], most: int = 60) -> float:
        """How long it takes until *done*, by tenths of a second."""
        for tenths in range(most * 10):
            if done():
                return tenths / 10
            await self.run(0.1)
        raise AssertionError(f"not within {most} s")

    def has_stop(self, account_id: int = 1) -> bool:
        return self.world.position(account_id).stop_loss == STOP

    def calls(self, path: str) -> int:
        return sum(sent == path for _, sent, _ in self.world.transport.sent)

    async def end(self) -> None:
        self.world.calm()
        self.trader.ready = False
        for task in self.trader._tasks | self.guardian._timers:
            task.cancel()
        assert self.world.violations == []


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    made = Process()
    yield made
    await made.end()


@pytest.fixture
async def hinted() -> AsyncIterator[Process]:
    made = Process(accounts=2, hinted=True)
    yield made
    await made.end()


# --- how soon ---------------------------------------------------------------------------------------------------------


async def test_with_a_hint_a_lost_stop_is_back_within_two_seconds(hinted: Process) -> None:
    await hinted.start()
    worst = 0.0
    for _ in range(5):
        hinted.world.remove_stop()
        worst = max(worst, await hinted.seconds_until(hinted.has_stop))
        await hinted.run(1.7)
    assert worst <= 2


async def test_without_any_hint_a_lost_stop_is_back_within_fifteen_seconds(process: Process) -> None:
    await process.start()
    worst = 0.0
    for _ in range(5):
        process.world.remove_stop()
        worst = max(worst, await process.seconds_until(process.has_stop))
        await process.run(3.3)
    assert worst <= 15


async def test_a_stop_the_exchange_refuses_ends_in_a_close_within_thirty_seconds(process: Process) -> None:
    await process.start()
    process.world.fault("refuse_stop", TRADING_STOP, count=99)
    process.world.remove_stop()
    assert await process.seconds_until(lambda: process.world.position().is_flat) <= 30


async def test_a_stop_lost_while_the_exchange_does_not_answer_is_back_soon_after(process: Process) -> None:
    await process.start()
    process.world.remove_stop()
    process.world.fault("http_5xx_before", POSITIONS, count=5)
    assert await process.seconds_until(process.has_stop) <= 30


async def test_a_crowd_of_hints_is_few_looks(hinted: Process) -> None:
    await hinted.start()
    before = hinted.calls(POSITIONS)
    for _ in range(50):
        hinted.guardian.heard(1)
        await hinted.run(0.02)
    assert hinted.calls(POSITIONS) - before <= 3


async def test_one_account_that_hangs_keeps_no_other_waiting(hinted: Process) -> None:
    await hinted.start()
    hinted.world.transport.hanging[hinted.world.api_key(2)] = asyncio.Event()
    await hinted.run(15)
    hinted.world.remove_stop()
    assert await hinted.seconds_until(hinted.has_stop) <= 2
    hinted.world.transport.hanging.pop(hinted.world.api_key(2)).set()


async def test_what_happens_to_an_account_is_booked_at_its_hint(hinted: Process) -> None:
    await hinted.start()
    hinted.world.trade_at(58_700)
    await hinted.run(2)
    for number in (1, 2):
        assert (await hinted.world.ledger.books((number, SYMBOL))).position.is_flat


# --- who --------------------------------------------------------------------------------------------------------------


async def test_streams_are_followed_of_who_trades_or_holds_something(hinted: Process) -> None:
    assert hinted.hints is not None
    await hinted.start()
    assert sorted(hinted.hints.followed) == [1, 2]
    for number in (1, 2):
        hinted.world.ledger.people.set_auto_trade(hinted.world.user_of(number), False, hinted.clock.now_ms())
    hinted.world.by_hand("sell", str(hinted.world.position(2).qty), 2)
    hinted.world.context.state.booked((1, SYMBOL))
    await hinted.run(12)
    assert hinted.hints.followed == [1]


async def test_an_account_that_neither_trades_nor_holds_anything_is_looked_at_once(process: Process) -> None:
    process.world.ledger.people.set_auto_trade(process.world.user_of(1), False, process.clock.now_ms())
    process.world.to(T + 100_000)
    await process.trader.start()
    await process.run(60)
    assert process.calls(POSITIONS) == 1


async def test_more_accounts_than_can_be_looked_at_in_time_call_a_person_once(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "maemae.trading.guardian"):
        for _ in range(2):
            process.guardian.schedule.keep([(number, SYMBOL) for number in range(1_200)], process.clock.now_ms())
            process.guardian._call_when_crowded()
    assert [record.getMessage() for record in caplog.records] == ["guardian.crowded"]


# --- nothing ends it --------------------------------------------------------------------------------------------------


async def test_with_the_database_away_stops_are_repaired_and_a_person_is_called_once(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> Any:
        raise Retry("the database is away")

    await process.start()
    ledger = process.world.ledger
    for name in ("accounts", "open_orders", "books", "last_entry", "plan_exit", "record_fills", "now", "lock"):
        setattr(ledger, name, away)
    with caplog.at_level(logging.ERROR, "maemae.trading.guardian"):
        await process.run(30)
        process.world.remove_stop()
        assert await process.seconds_until(process.has_stop) <= 15
        process.world.fault("refuse_stop", TRADING_STOP, count=99)
        process.world.remove_stop()
        await process.run(30)
    alerts = [record for record in caplog.records if record.__dict__["maemae_fields"].get("alert")]
    events = [record.getMessage() for record in alerts if "guardian" in record.name]
    assert events == ["guardian.ledger_down", "guardian.cannot_close"]
    process.world.calm()
    assert await process.seconds_until(process.has_stop) <= 15


@pytest.mark.parametrize("broken", ["accounts", "rounds", "hints"])
async def test_a_bug_in_one_part_does_not_end_guarding(hinted: Process, broken: str) -> None:
    def bug(*_: object, **__: object) -> Any:
        raise ValueError("a bug")

    await hinted.start()
    if broken == "accounts":
        hinted.world.ledger.accounts = bug  # type: ignore[method-assign]
    elif broken == "rounds":
        due, hinted.guardian.schedule.due = hinted.guardian.schedule.due, bug  # type: ignore[method-assign]
        await hinted.run(20)
        hinted.guardian.schedule.due = due  # type: ignore[method-assign]
    else:
        hinted.guardian.hints.next = hinted.guardian.hints.follow = bug  # type: ignore[union-attr,method-assign]
    hinted.world.remove_stop()
    assert await hinted.seconds_until(hinted.has_stop) <= 15


async def test_a_guardian_that_ends_by_a_bug_is_started_again(process: Process) -> None:
    class Tired(Guardian):
        async def run(self) -> None:
            raise ValueError("a bug")

    await process.start()
    await process.trader.drain()
    process.trader.guardian = Tired(process.world.context)
    await process.trader.start()
    await process.run(3)
    process.trader.guardian = process.guardian
    process.world.remove_stop()
    assert await process.seconds_until(process.has_stop) <= 15


async def test_the_end_hears_a_close_out_and_begins_nothing_new(process: Process) -> None:
    await process.start()
    process.world.fault("refuse_stop", TRADING_STOP, count=99)
    process.world.remove_stop()
    process.world.fault("drop_reply", "/v5/order/create")
    process.guardian.heard(1)
    await process.run(0.2)
    drained = asyncio.create_task(process.trader.drain())
    await process.run(30)
    await drained
    assert process.world.position().is_flat
    assert process.world.order("g").state is OrderState.FILLED
    asked = len(process.world.transport.sent)
    await process.run(60)
    assert len(process.world.transport.sent) == asked


async def test_a_position_nobody_may_look_at_calls_a_person_once(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    class Shut:
        def open(self, *_: object) -> Any:
            raise Pause(codes.KEY_DAMAGED())

    await process.start()
    shut: Any = Shut()
    process.guardian.context = replace(process.world.context, exchanges=shut)
    with caplog.at_level(logging.ERROR, "maemae.trading.guardian"):
        await process.run(40)
    assert [record.getMessage() for record in caplog.records] == ["guardian.blind"]
    assert [body for _, body in process.world.ledger.store.outbox] == [codes.KEY_DAMAGED()]


class SetBack:
    """A machine's clock beside the true one of the market, that somebody sets."""

    def __init__(self, true: HeldClock) -> None:
        self._true = true
        self.by_ms = 0

    def now_ms(self) -> int:
        return self._true.now_ms() + self.by_ms

    async def sleep(self, seconds: float) -> None:
        await self._true.sleep(seconds)


async def test_a_clock_that_is_set_back_blinds_no_guardian() -> None:
    process = Process()
    machine = SetBack(process.clock)
    machine.by_ms = 3_600_000
    process.guardian = Guardian(replace(process.world.context, clock=machine))
    process.trader = Trader(process.world.context, process.guardian)
    await process.start()
    machine.by_ms = 0
    process.world.remove_stop()
    assert not process.has_stop()
    assert await process.seconds_until(process.has_stop) <= 15
    await process.end()


async def test_a_look_under_way_goes_on_by_the_key_it_began_with() -> None:
    process = Process()
    await process.start()
    world, guardian = process.world, process.guardian
    memory, old = guardian.memories[(1, SYMBOL)], world.api_key(1)
    row = world.order("e")
    world.ledger.store.orders[row.id] = replace(row, stop_loss=row.stop_loss * 0)  # nobody knows where it stood
    memory.guarded = None
    world.remove_stop()
    sent: list[str] = []

    def change_key(request: Any) -> None:
        if request.path == POSITIONS and memory.account.key_version == 1:
            memory.account = replace(memory.account, key_version=2)
        if request.path == "/v5/order/create":
            sent.append(request.headers["X-BAPI-API-KEY"])

    world.transport.before = change_key
    looking = asyncio.ensure_future(guardian.run_pass())
    await process.run(10)
    await looking
    assert sent == [old]
    assert world.order("g").key_version == 1
    await process.end()
