"""The collector as a whole, over fakes: lists, status, other feeds, outages, stopping."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Halt
from lib.domain.instrument import Instrument
from lib.domain.quotes import KlineUpdate
from lib.market.collector import Collector, CollectorPlan
from lib.market.status import collector_fields, iso, read_rules, rules_text
from lib.ports.market import NotListed
from tests.fakes.market import START, MemoryCandleStore, ScriptedMarket, ScriptedStream, SetClock, push, run_of

TRUTH = run_of(120)
PLAN = CollectorPlan(feed="synthetic", symbols=("BTCUSDT",), intervals=("1m",), capacity=50, version="0.1.0")
KEY = ("BTCUSDT", "1m")
PATIENCE = 10


class World:
    """A collector whose clock stands 100 minutes in."""

    def __init__(self, plan: CollectorPlan = PLAN, stream: ScriptedStream | None = None) -> None:
        self.clock = SetClock(START + 100 * MINUTE_MS + 500)
        self.market = ScriptedMarket(self.clock, TRUTH)
        self.store = MemoryCandleStore(capacity=plan.capacity)
        self.stream = stream
        self.ended = threading.Event()
        self.collector = Collector(plan, self.store, self.market, stream, self.clock)

    def settle(self) -> None:
        """What its threads do in a round, in one."""
        self.collector.check_feeds()
        while self.collector.load_next():
            pass
        self.collector._tell_rules()
        self.collector.check_feeds()

    def held(self, truth: list[Candle]) -> bool:
        """Whether the list becomes *truth* in time."""
        for _ in range(200):
            if self.store.lists.get(KEY) == truth:
                return True
            self.ended.wait(0.05)
        return False

    @contextmanager
    def running(self) -> Iterator[list[BaseException]]:
        raised: list[BaseException] = []

        def run() -> None:
            try:
                self.collector.run()
            except (Halt, ZeroDivisionError, RuntimeError) as problem:
                raised.append(problem)
            self.ended.set()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield raised
        self.collector.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_start_loads_the_list_and_the_stream_goes_on_from_there() -> None:
    world = World(stream=ScriptedStream([push(TRUTH[100], closed=True), None, push(TRUTH[101], closed=True)]))
    world.clock.now += 2 * MINUTE_MS
    assert world.stream is not None
    with world.running() as raised:
        assert world.stream.played.wait(PATIENCE)
        assert world.held(TRUTH[52:102])
    assert raised == []
    assert world.store.fields["websocket_connected"] == "false", "nobody is connected after the end"


def test_the_status_says_what_an_operator_needs() -> None:
    world = World()
    world.settle()
    now = iso(world.clock.now)
    assert world.store.fields == {
        "data_server_last_update": now,
        "data_server_heartbeat": now,
        "data_server_started_at": now,
        "data_server_version": "0.1.0",
        "data_server_problem": "",
        "websocket_connected": "false",
        "feed": "synthetic",
        "symbols": "BTCUSDT",
        "intervals": "1m",
        "last_frame": "",
        "reconnects": "0",
        "gaps_filled": "0",
        "quarantined": "0",
        "last_close:BTCUSDT:1m": iso(START + 100 * MINUTE_MS),
        "candles:BTCUSDT:1m": "50",
        "problem:BTCUSDT:1m": "",
        "rules:BTCUSDT": rules_text(world.market.instrument("BTCUSDT")),
    }


def test_times_are_iso_utc_with_z() -> None:
    assert iso(1_704_110_400_123) == "2024-01-01T12:00:00Z"
    assert iso(0) == ""
    assert iso(1_704_110_700_000) == "2024-01-01T12:05:00Z"


def test_a_status_of_no_lists_yet_is_written_before_the_first_candle() -> None:
    world = World()
    world.market.down = True
    world.settle()
    assert world.store.fields["data_server_problem"] == "the venue is away"
    assert world.store.fields["last_close:BTCUSDT:1m"] == ""


def test_another_feeds_candles_are_forgotten_even_of_lists_not_collected_now() -> None:
    world = World()
    world.store.set_status({"feed": "bybit"})
    world.store.lists[("ETHUSDT", "1m")] = run_of(50, salt=5)
    world.store.lists[KEY] = run_of(50, salt=5)
    world.settle()
    assert world.store.lists == {KEY: TRUTH[50:100]}
    assert world.store.fields["feed"] == "synthetic"


def test_the_same_feeds_candles_are_kept() -> None:
    world = World()
    world.store.set_status({"feed": "synthetic"})
    world.store.lists[KEY] = TRUTH[40:90]
    world.settle()
    assert world.store.rebuilds == 0
    assert world.store.lists[KEY] == TRUTH[50:100]


def test_the_feeds_name_comes_back_after_a_flush() -> None:
    world = World()
    world.settle()
    world.store.fields.clear()
    world.store.lists.clear()
    world.clock.now += 5_000
    world.settle()
    assert world.store.fields["feed"] == "synthetic"
    assert world.store.lists[KEY] == TRUTH[50:100]


def test_only_short_intervals_are_streamed() -> None:
    plan = CollectorPlan("synthetic", ("BTCUSDT", "ETHUSDT"), ("1m", "5m", "15m", "4h"))
    assert plan.streamed == [("BTCUSDT", "1m"), ("BTCUSDT", "5m"), ("ETHUSDT", "1m"), ("ETHUSDT", "5m")]
    assert len(plan.series) == 8


def test_a_long_interval_is_loaded_by_rest_and_refreshed_at_its_boundary() -> None:
    plan = CollectorPlan("synthetic", ("BTCUSDT",), ("15m",), capacity=4)
    world = World(plan)
    base = START - START % (15 * MINUTE_MS)
    quarters = run_of(20, start=base, interval="15m")
    world.market.truth[("BTCUSDT", "15m")] = quarters
    world.clock.now = base + 10 * 15 * MINUTE_MS + 500
    world.settle()
    assert world.store.lists[("BTCUSDT", "15m")] == quarters[6:10]
    calls = world.market.calls
    world.clock.now += 14 * MINUTE_MS
    world.settle()
    assert world.market.calls == calls
    world.clock.now += MINUTE_MS + 2_000
    world.settle()
    assert world.store.lists[("BTCUSDT", "15m")] == quarters[7:11]


def test_a_store_that_is_away_at_the_start_is_waited_for() -> None:
    stream = ScriptedStream([])
    world = World(stream=stream)
    world.store.down = True
    with world.running() as raised:
        world.store.down = False
        world.collector._check_now.set()
        assert stream.played.wait(PATIENCE)
        assert world.held(TRUTH[50:100])
    assert raised == []


def test_pushes_of_a_series_nobody_asked_for_are_ignored() -> None:
    stream = ScriptedStream([push(TRUTH[100], closed=True, symbol="DOGEUSDT")])
    world = World(stream=stream)
    with world.running() as raised:
        assert stream.played.wait(PATIENCE)
        assert world.held(TRUTH[50:100])
    assert raised == []
    assert list(world.store.lists) == [KEY]


class Raising(ScriptedStream):
    """A stream whose run fails."""

    def __init__(self, problem: Exception | None) -> None:
        super().__init__()
        self._problem = problem

    def run(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        if self._problem:
            raise self._problem


@pytest.mark.parametrize("problem", [Halt("no such symbol"), ZeroDivisionError()])
def test_what_ends_a_thread_ends_the_process(problem: Exception) -> None:
    world = World(stream=Raising(problem))
    with pytest.raises(type(problem)):
        world.collector.run()


def test_a_stream_that_ends_by_itself_ends_the_process() -> None:
    world = World(stream=Raising(None))
    with world.running() as raised:
        assert world.ended.wait(PATIENCE)
    assert [str(problem) for problem in raised] == ["candles-stream ended by itself"]


def test_a_symbol_that_is_gone_ends_nothing_and_the_others_go_on() -> None:
    world = World(replace(PLAN, symbols=("OLDUSDT", "BTCUSDT")))
    world.market.truth["OLDUSDT", "1m"] = TRUTH
    inner, asked = world.market.closed_candles, list[str]()

    def of_listed(symbol: str, *args: Any, **named: Any) -> list[Candle]:
        asked.append(symbol)
        if symbol == "OLDUSDT":
            raise NotListed("the venue does not list OLDUSDT")
        return inner(symbol, *args, **named)

    world.market.closed_candles = of_listed  # type: ignore[method-assign]
    for _ in range(40):
        world.settle()
        world.clock.now += 5_000
    assert world.store.lists[KEY][-1].open_time >= TRUTH[99].open_time
    assert ("OLDUSDT", "1m") not in world.store.lists
    assert "does not list" in world.store.fields["data_server_problem"]
    assert "does not list" in world.store.fields["problem:OLDUSDT:1m"]
    assert world.store.fields["problem:BTCUSDT:1m"] == ""
    assert asked.count("OLDUSDT") <= 9, "in 200 s: asked again, ever more slowly"
    world.market.closed_candles = inner  # type: ignore[method-assign]
    world.clock.now += 60_000
    world.settle()
    assert ("OLDUSDT", "1m") in world.store.lists, "listed again"


def test_a_request_that_can_never_work_ends_the_process() -> None:
    world = World()

    def refuse(*_: object, **__: object) -> None:
        raise Halt("check the symbols")

    world.market.closed_candles = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(Halt, match="check the symbols"):
        world.collector.run()


MANY = replace(PLAN, symbols=("AUSDT", "BUSDT", "BTCUSDT"), intervals=("1m", "5m"), wide=("1d",))


class Held:
    """The venue of *world*, where a load waits for `go`; *asked* is what was asked for, and by which thread."""

    def __init__(self, world: World, *symbols: str) -> None:
        self.go, self.began = threading.Event(), threading.Event()
        self.asked: list[tuple[str, str]] = []
        self.threads: set[str] = set()
        self._symbols, self._inner = symbols, world.market.closed_candles
        for series in MANY.series:
            world.market.truth[series] = run_of(120, interval=series[1])
        world.market.closed_candles = self.closed_candles  # type: ignore[method-assign]

    def closed_candles(self, symbol: str, interval: str, **named: Any) -> list[Candle]:
        if (symbol, interval) not in self.asked:
            self.asked.append((symbol, interval))
        self.threads.add(threading.current_thread().name)
        if symbol in self._symbols:
            self.began.set()
            assert self.go.wait(PATIENCE)
        return self._inner(symbol, interval, **named)


def test_a_list_that_is_loaded_goes_on_while_the_venue_keeps_another_waiting() -> None:
    world = World(replace(PLAN, symbols=("BTCUSDT", "BUSDT")))
    venue = Held(world, "BUSDT")
    world.collector.check_feeds()
    assert world.collector.load_next()
    loader = threading.Thread(target=world.collector.load_next)
    loader.start()
    assert venue.began.wait(PATIENCE)
    world.collector._on_update(push(TRUTH[100], closed=True))
    world.collector._on_update(push(TRUTH[100], closed=True, symbol="BUSDT"))
    world.collector.check_feeds()
    assert world.store.lists[KEY] == TRUTH[51:101]
    assert world.store.fields["last_close:BTCUSDT:1m"] == iso(START + 101 * MINUTE_MS)
    assert world.store.fields["last_close:BUSDT:1m"] == ""
    venue.go.set()
    loader.join(PATIENCE)
    assert world.store.lists["BUSDT", "1m"] == TRUTH[51:101], "its own push was kept"


def test_a_close_that_comes_while_its_own_list_is_loaded_is_taken_after_it() -> None:
    stream = ScriptedStream([push(TRUTH[100], closed=True)])
    world = World(stream=stream)
    venue = Held(world, "BTCUSDT")
    with world.running() as raised:
        assert venue.began.wait(PATIENCE)
        assert stream.played.wait(PATIENCE)
        venue.go.set()
        assert world.held(TRUTH[51:101])
    assert raised == []
    assert venue.threads == {"candles-loader"}, "neither the stream nor the clock waits for a venue"


def test_what_accounts_trade_is_loaded_first_then_minutes_then_charts_then_what_is_kept_beside() -> None:
    world = World(MANY)
    venue = Held(world)
    world.store.set_status({"traded_symbols": "BTCUSDT,GONEUSDT"})
    world.settle()
    minutes = [("BTCUSDT", "1m"), ("AUSDT", "1m"), ("BUSDT", "1m")]
    charts = [("BTCUSDT", "5m"), ("AUSDT", "5m"), ("BUSDT", "5m")]
    beside = [("BTCUSDT", "1d"), ("AUSDT", "1d"), ("BUSDT", "1d")]
    assert venue.asked == minutes + charts + beside


SERVE = """
import signal
from tests.fakes.market import ScriptedStream
from tests.market.test_collector import World
world = World(stream=ScriptedStream())
signal.signal(signal.SIGTERM, lambda *_: world.collector.stop())
world.stream.played.set = lambda: print("playing", flush=True)
world.collector.run()
print(world.store.fields["websocket_connected"])
"""


NOT_TO_THE_WAITER = """
import queue, signal, threading
from tests.fakes.market import ScriptedStream
from tests.market.test_collector import World
world = World(stream=ScriptedStream())
signal.signal(signal.SIGTERM, lambda *_: world.collector.stop())
waits = threading.Event()
class Ended(queue.SimpleQueue):
    def get(self, *args, **kwargs):
        waits.set()
        return super().get(*args, **kwargs)
world.collector._ended = Ended()
world.stream.played.set = lambda: waits.wait() and signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
world.collector.run()
"""


@pytest.mark.server
def test_a_signal_that_wakes_nobody_ends_the_collector_all_the_same() -> None:
    """As one does that comes between the last step of Python and the waiting, while the process starts."""
    command = [sys.executable, "-c", NOT_TO_THE_WAITER]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60, check=False)
    assert ended.returncode == 0


@pytest.mark.server
def test_sigterm_ends_a_collector_within_three_seconds() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "playing\n"
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=3)
        finally:
            process.kill()  # one that did not end is not left to the tests after it
    assert (process.returncode, rest) == (0, "false\n")


def test_stop_before_run_and_twice_is_fine() -> None:
    world = World(stream=ScriptedStream())
    world.collector.stop()
    world.collector.stop()
    world.collector.run()
    assert collector_fields(world.collector._feeds.values(), now_ms=0, connected=True)["websocket_connected"] == "true"


def test_trading_rules_are_written_down_and_read_again_six_hours_later() -> None:
    world = World()
    asked: list[str] = []
    real = world.market.instrument

    def noting(symbol: str) -> Instrument:
        asked.append(symbol)
        return real(symbol)

    world.market.instrument = noting  # type: ignore[method-assign]
    for hours in (0, 1, 5, 6):
        world.clock.now = START + 100 * MINUTE_MS + hours * 3_600_000
        world.collector._tell_rules()
    assert asked == ["BTCUSDT", "BTCUSDT"]
    assert read_rules("BTCUSDT", world.store.fields["rules:BTCUSDT"]) == real("BTCUSDT")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"tick_size": null}',
        rules_text(Instrument("X", *(Decimal(0),) * 6)),
        rules_text(Instrument("X", *(Decimal("NaN"),) * 6)),
    ],
)
def test_rules_that_cannot_be_read_are_none(text: str) -> None:
    assert read_rules("BTCUSDT", text) is None
