"""
The collector: every list of the plan kept true, and the status written, until stopped.

Threads: the stream's, which takes pushes; the clock's, which looks at each list every few seconds, asks REST for what
is due and writes the status; one for the news where sources are named; and the caller's, which waits in `run` for
`stop` or for the first exception of the others. A store or a venue that is away is survived: lists stay in doubt until
it is back. Intervals of 15 minutes and more have no stream; their lists are loaded by REST when a candle is due.

It does not choose stores, venues or timings, and knows no signals and no settings.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lib import log
from lib.clock import Clock
from lib.domain.candle import interval_ms
from lib.domain.errors import Retry
from lib.domain.input_blocks import WARM_UP
from lib.domain.quotes import KlineUpdate
from lib.market.feed import CandleFeed
from lib.market.measuring import Measuring
from lib.market.newsroom import Newsroom
from lib.market.status import adopt_feed, collector_fields, iso, rules_text
from lib.ports.market import CandleStore, KlineStream, MarketData

RULES_LIFE_MS, RULES_AGAIN_MS = 6 * 3_600_000, 60_000
"""How long trading rules count as read, and how soon they are asked for again where they could not be."""
_log = log.get("collector")

LONGEST_STREAMED_MS = 5 * 60_000
STREAM_GRACE_MS = 10_000
"""How long a streamed candle may be late before REST is asked."""
REST_GRACE_MS = 2_000
HEARTBEAT = 5.0
"""Seconds."""
LOOKS_UP = 0.5
STOP_PATIENCE = 2.0
"""Seconds the threads get to finish what they are doing."""


@dataclass(frozen=True, slots=True)
class CollectorPlan:
    """What to collect: *feed* names the source, *capacity* is the candles kept per list."""

    feed: str
    symbols: tuple[str, ...]
    intervals: tuple[str, ...]
    capacity: int = 5000
    version: str = ""
    wide: tuple[str, ...] = ()
    """Intervals of which a few candles are kept beside, for what minutes do not reach back to."""
    wide_capacity: int = WARM_UP + 4
    """What an indicator is made of, and a few: a venue that makes candles when asked makes a day of its minutes."""

    @property
    def series(self) -> list[tuple[str, str]]:
        """Every list, as (symbol, interval); the wide ones last, since nothing waits for them."""
        beside = [interval for interval in self.wide if interval not in self.intervals]
        parts = (self.intervals, beside)
        return [(symbol, interval) for part in parts for symbol in self.symbols for interval in part]

    def capacity_of(self, interval: str) -> int:
        """How many candles the lists of *interval* keep."""
        return self.capacity if interval in self.intervals else self.wide_capacity

    @property
    def streamed(self) -> list[tuple[str, str]]:
        """The lists the live stream is subscribed for."""
        return [series for series in self.series if interval_ms(series[1]) <= LONGEST_STREAMED_MS]


class Collector:
    """Built once, run once. *stream* must be subscribed to `plan.streamed`, or None when nothing is streamed."""

    def __init__(
        self,
        plan: CollectorPlan,
        store: CandleStore,
        market: MarketData,
        stream: KlineStream | None,
        clock: Clock,
        measuring: Measuring | None = None,
    ) -> None:
        self._newsroom: Newsroom | None = None
        self._plan = plan
        self._measuring = measuring
        self._store = store
        self._stream = stream
        self._clock = clock
        streamed = set(plan.streamed)
        self._feeds = {
            series: CandleFeed(
                store,
                market,
                clock,
                series=series,
                capacity=plan.capacity_of(series[1]),
                grace_ms=STREAM_GRACE_MS if series in streamed else REST_GRACE_MS,
            )
            for series in plan.series
        }
        self._market = market
        self._rules_ms: dict[str, int] = {}
        """When each symbol's rules were last read."""
        self._connections = 0
        self._adopted = threading.Event()
        self._stopping = threading.Event()
        self._check_now = threading.Event()
        # SimpleQueue.put is the one wake-up that is safe inside a signal handler
        self._ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def read_news(self, newsroom: Newsroom) -> None:
        """Keep *newsroom* reading while this runs; called before `run`."""
        self._newsroom = newsroom

    def run(self) -> None:
        """Block until `stop`, or raise what one of the threads raised; a symbol that is not listed ends nothing."""
        threads = [self._thread(self._check_by_the_clock, "candles-clock")]
        if self._stream is not None:
            threads.append(self._thread(partial(self._follow, self._stream), "candles-stream"))
        if self._newsroom is not None:
            threads.append(self._thread(partial(self._follow_news, self._newsroom), "news"))
        problem = self._wait()
        self._shut_down(threads)
        if problem is not None:
            raise problem

    def _wait(self) -> Exception | None:
        """
        Until somebody ended this; the problem, if there is one. Looks up now and then: a signal that comes just before
        the waiting begins, or to another thread, wakes nobody, and its handler runs only between two steps of Python.
        """
        while True:
            try:
                return self._ended.get(timeout=LOOKS_UP)
            except queue.Empty:
                continue

    def stop(self) -> None:
        """Make `run` return within seconds; callable from a signal handler and from any thread, idempotent."""
        self._ended.put(None)

    def check_feeds(self) -> None:
        """Adopt the feed, let every list settle what is due, write the status. *Retry* while the store is away."""
        if not self._adopted.is_set():
            self._adopt()
        for feed in self._feeds.values():
            if self._stopping.is_set():
                return
            feed.tick()
        self._tell_rules()
        self._write_status()
        if self._measuring is not None:
            self._measuring.tick()

    # --- threads --------------------------------------------------------------------------------------------------

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        # daemon: a thread waiting for a venue that hangs must not hold up the end of the process
        thread = threading.Thread(target=self._until_it_ends, args=(target,), name=name, daemon=True)
        thread.start()
        return thread

    def _until_it_ends(self, target: Callable[[], None]) -> None:
        try:
            target()
            if not self._stopping.is_set():
                self._ended.put(RuntimeError(f"{threading.current_thread().name} ended by itself"))
        except Exception as problem:  # noqa: BLE001 a thread's end is the process's end: run() raises it again
            self._ended.put(problem)

    def _check_by_the_clock(self) -> None:
        while not self._stopping.is_set():
            try:
                self.check_feeds()
            except Retry as trouble:
                _log.warning("collector.waits", why=str(trouble))
            self._check_now.wait(HEARTBEAT)
            self._check_now.clear()

    def _follow(self, stream: KlineStream) -> None:
        while not self._adopted.wait(1.0):
            if self._stopping.is_set():
                return
        stream.run(self._on_connect, self._on_update)

    def _follow_news(self, newsroom: Newsroom) -> None:
        """A thread of its own: no candle waits for a slow source."""
        while not self._stopping.wait(HEARTBEAT):
            try:
                newsroom.tick()
            except Retry as trouble:
                _log.warning("news.waits", why=str(trouble))

    def _shut_down(self, threads: list[threading.Thread]) -> None:
        self._stopping.set()
        self._check_now.set()
        if self._stream is not None:
            self._stream.stop()
        for thread in threads:
            thread.join(STOP_PATIENCE / len(threads))
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        try:
            self._store.set_status({"websocket_connected": "false"})
        except Retry as trouble:
            _log.warning("collector.status_stale", why=str(trouble))

    # --- what the threads do --------------------------------------------------------------------------------------

    def _adopt(self) -> None:
        plan = self._plan
        if adopt_feed(self._store, plan.feed):
            _log.warning("candle.forgotten", why="they were another feed's", feed=plan.feed)
        fixed = {
            "data_server_started_at": iso(self._clock.now_ms()),
            "data_server_version": plan.version,
            "symbols": ",".join(plan.symbols),
            "intervals": ",".join(plan.intervals),
        }
        self._store.set_status(fixed)
        self._adopted.set()
        _log.info("collector.started", feed=plan.feed, lists=len(plan.series))

    def _tell_rules(self) -> None:
        """Write the trading rules down for whoever shows what an order needs; they change a few times a month."""
        now = self._clock.now_ms()
        for symbol in self._plan.symbols:
            if symbol in self._rules_ms and 0 <= now - self._rules_ms[symbol] < RULES_LIFE_MS:
                continue
            self._rules_ms[symbol] = now
            try:
                rules = self._market.instrument(symbol)
            except Retry as away:
                _log.warning("collector.rules_unread", symbol=symbol, why=str(away))
                self._rules_ms[symbol] = now - RULES_LIFE_MS + RULES_AGAIN_MS
                continue
            self._store.set_status({f"rules:{symbol}": rules_text(rules)})

    def _write_status(self) -> None:
        connected = self._stream is not None and self._stream.connected
        told = [feed for series, feed in self._feeds.items() if series[1] in self._plan.intervals]
        fields = collector_fields(told, now_ms=self._clock.now_ms(), connected=connected)
        fields |= {"feed": self._plan.feed, "reconnects": str(max(0, self._connections - 1))}
        self._store.set_status(fields)

    def _on_connect(self) -> None:
        self._connections += 1
        for series in self._plan.streamed:
            self._feeds[series].connected()
        self._check_now.set()

    def _on_update(self, update: KlineUpdate) -> None:
        if feed := self._feeds.get((update.symbol, update.interval)):
            feed.update(update)
