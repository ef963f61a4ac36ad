"""
The collector: every list of the plan kept true, and the status written, until stopped.

Threads: the stream's, which takes pushes; the clock's, which looks at each list every few seconds and writes the
status; the loader's, which asks REST for one list after the other, always the one most needed; one for trading rules
and measures; one for the news where sources are named; and the caller's, which waits in `run` for `stop` or for the
first exception of the others. Hence a list that is loaded goes on while a hundred others are not yet, and one that the
venue does not have waits alone. A store or a venue that is away is survived: lists stay in doubt until it is back.
Intervals of 15 minutes and more have no stream; their lists are loaded by REST when a candle is due.

It does not choose stores, venues or timings, and knows no signals and no settings.
"""

import queue
import threading
from collections.abc import Callable, Sequence
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
from lib.market.status import TRADED, adopt_feed, collector_fields, iso, rules_text
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
DECIDING = "1m"
"""The interval decisions rest on."""
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
        self._to_load = threading.Event()
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
        for feed in self._feeds.values():
            feed.leave_to(self._to_load.set)
        self._by_need = list(self._feeds.values())
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
        threads = [
            self._thread(self._check_by_the_clock, "candles-clock"),
            self._thread(self._load_by_need, "candles-loader"),
            self._thread(self._look_aside, "candles-beside"),
        ]
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
        """Adopt the feed, see what is due of every list, write the status. *Retry* while the store is away."""
        if not self._adopted.is_set():
            self._adopt()
        for feed in self._feeds.values():
            if self._stopping.is_set():
                return
            feed.tick()
        self._write_status()

    def load_next(self) -> bool:
        """Load the list that is most needed of those that are due; False when none is."""
        feed = next((feed for feed in self._by_need if feed.is_due), None)
        if feed is None or self._stopping.is_set():
            return False
        feed.load()
        return True

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

    def _is_adopted(self) -> bool:
        """True once the feed is adopted; False when this ends before."""
        while not self._adopted.wait(LOOKS_UP):
            if self._stopping.is_set():
                return False
        return True

    def _load_by_need(self) -> None:
        while self._is_adopted() and not self._stopping.is_set():
            if not self.load_next():
                self._to_load.wait(LOOKS_UP)
                self._to_load.clear()

    def _look_aside(self) -> None:
        """Rules and measures: many small calls, for which no candle waits."""
        while self._is_adopted() and not self._stopping.is_set():
            try:
                self._tell_rules()
                if self._measuring is not None:
                    self._measuring.tick()
            except Retry as trouble:
                _log.warning("collector.waits", why=str(trouble))
            self._stopping.wait(HEARTBEAT)

    def _follow(self, stream: KlineStream) -> None:
        if self._is_adopted():
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
        self._to_load.set()
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
        traded = self._store.status().get(TRADED, "").split(",")
        self._by_need = sorted(self._feeds.values(), key=lambda feed: self._need(feed, traded))
        self._adopted.set()
        _log.info("collector.started", feed=plan.feed, lists=len(plan.series))

    def _need(self, feed: CandleFeed, traded: Sequence[str]) -> tuple[int, int]:
        """Smaller loads first: what decisions wait for, then what charts show, then what is kept beside."""
        place = traded.index(feed.symbol) if feed.symbol in traded else len(traded)
        is_wide, is_deciding = feed.interval not in self._plan.intervals, feed.interval == DECIDING
        return (3 if is_wide else 0 if is_deciding and place < len(traded) else 1 if is_deciding else 2), place

    def _tell_rules(self) -> None:
        """Write the trading rules down for whoever shows what an order needs; they change a few times a month."""
        now = self._clock.now_ms()
        for symbol in dict.fromkeys(feed.symbol for feed in self._by_need):
            if self._stopping.is_set():
                return
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
