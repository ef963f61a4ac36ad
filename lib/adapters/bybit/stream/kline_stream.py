"""
Bybit's public kline stream over websocket-client, under our own supervisor.

A connection counts as up once its subscription is acknowledged. Each symbol is asked for by itself: a symbol that the
venue does not have (any more) is left out and asked for again a while later, without a trace for the others. A
connection is given up when the venue closes it, when a ping stays unanswered, or when no kline arrives for a while (a
connected stream is not a living one); then a new connection follows, for ever, with growing jittered pauses and never
more than one attempt a second. A malformed frame is counted and dropped. An exception of a callback ends `run` and
propagates. Patience and pauses are those of every stream (`watchdog`, `lib.domain.backoff`); only the threads differ.

The stream repairs nothing: after every (re)subscription *on_connect* is called, and the use-case fetches missed
candles.

Source: https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import websocket

from lib import log
from lib.adapters.bybit.kline_wire import Frame, parse_frame, topic, updates
from lib.adapters.bybit.stream.watchdog import PING, Lost, StreamTimings, Watchdog
from lib.domain.errors import Halt
from lib.domain.quotes import KlineUpdate
from lib.ports.market import KlineStream

_log = log.get("bybit")
MOST_LETTERS = 20_000
"""Of all topics of a connection together; the venue allows 21,000: some four hundred symbols at two intervals."""


@dataclass(frozen=True, slots=True)
class KlineTimings(StreamTimings):
    """In seconds; the venue pushes a kline at least once a minute."""

    connect: float = 5.0
    up_within: float = 5.0
    pong_within: float = 20.0
    stale_after: float = 75.0
    steady_after: float = 30.0
    poll: float = 0.5
    """How often a waiting read checks the deadlines and `stop`."""


class BybitKlineStream(KlineStream):
    """`lib.ports.market.KlineStream` at *url* for *series* of (symbol, interval). One `run` at a time."""

    def __init__(
        self,
        url: str,
        series: Sequence[tuple[str, str]],
        *,
        timings: KlineTimings | None = None,
        draw: Callable[[], float] = random.random,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_url(url)
        if not series:
            raise Halt("the kline stream needs at least one symbol and interval")
        self._url = url
        self._topics = [topic(symbol, interval) for symbol, interval in series]
        if sum(map(len, self._topics)) > MOST_LETTERS:
            raise Halt(f"SYMBOLS and INTERVALS make {len(self._topics)} topics: more than one connection may have")
        self._timings = timings or KlineTimings()
        self._draw = draw
        self._now = now
        self._stopping = threading.Event()
        self._connected = False
        self.connections = 0
        """Subscriptions acknowledged so far; one less is the number of reconnects."""
        self.malformed = 0
        """Frames dropped because they could not be read."""

    @property
    def connected(self) -> bool:
        return self._connected

    def stop(self) -> None:
        self._stopping.set()

    def run(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = self._now()
            try:
                self._live_once(on_connect, on_update)
            except Lost as lost:
                _log.warning("ws.lost", why=str(lost))
            finally:
                self._connected = False
            failures = self._timings.failures_after(failures, self._now() - began)
            self._stopping.wait(self._timings.backoff.pause_s(failures, self._draw()))

    def _live_once(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        socket = self._open()
        try:
            session = _Session(socket, self._topics, self._timings, self._now)
            session.subscribe()
            while not self._stopping.is_set():
                frame = self._read(session)
                if session.just_acknowledged():
                    self.connections += 1
                    self._connected = True
                    _log.info("ws.connected", topics=len(self._topics), connections=self.connections)
                    on_connect()
                    session.caught_up()
                if frame is not None and frame.topic:
                    self._dispatch(frame, session, on_update)
        finally:
            socket.close(timeout=0)
            socket.shutdown()  # type: ignore[no-untyped-call]  # the library leaves it untyped

    def _open(self) -> websocket.WebSocket:
        try:
            socket = websocket.create_connection(self._url, timeout=self._timings.connect)
        except (OSError, websocket.WebSocketException) as problem:
            raise Lost(f"no connection ({type(problem).__name__})") from None
        socket.settimeout(self._timings.poll)
        return socket

    def _read(self, session: "_Session") -> Frame | None:
        raw = session.receive()
        if raw is None:
            return None
        try:
            frame = parse_frame(raw)
        except ValueError as problem:
            self._drop(problem)
            return None
        session.note(frame)
        return frame

    def _dispatch(self, frame: Frame, session: "_Session", on_update: Callable[[KlineUpdate], None]) -> None:
        try:
            pushes = updates(frame)
        except ValueError as problem:
            self._drop(problem)
            return
        session.kline_arrived()
        for push in pushes:
            on_update(push)
        session.caught_up()

    def _drop(self, problem: ValueError) -> None:
        self.malformed += 1
        if self.malformed & (self.malformed - 1) == 0:  # 1, 2, 4, 8, …: a broken feed must not fill the log
            _log.warning("ws.malformed", why=str(problem), dropped=self.malformed)


class _Session:
    """One connection: subscriptions asked for, their answers, and the deadlines."""

    def __init__(
        self, socket: websocket.WebSocket, topics: Sequence[str], timings: KlineTimings, now: Callable[[], float]
    ) -> None:
        self._socket = socket
        self._topics = topics
        self._now = now
        self._unanswered: set[str] = set()
        self._has_topics = False
        """Whether any subscription was granted."""
        self._is_up = self._fresh = False
        self._watchdog = Watchdog(timings, now())

    def subscribe(self) -> None:
        """Ask for all topics, a request a symbol: the venue grants or refuses a request as a whole."""
        by_symbol: dict[str, list[str]] = {}
        for one in self._topics:
            by_symbol.setdefault(one.rpartition(".")[2], []).append(one)
        for number, args in enumerate(by_symbol.values()):
            request_id = f"subscribe-{number:04}"
            self._unanswered.add(request_id)
            self._send(msgspec.json.encode({"req_id": request_id, "op": "subscribe", "args": args}).decode())

    def receive(self) -> str | bytes | None:
        """The next text, or None when nothing came within a poll; raises *Lost* when a deadline has passed."""
        self._keep_alive()
        try:
            raw: str | bytes = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException) as problem:
            raise Lost(f"connection broke ({type(problem).__name__})") from None
        except UnicodeDecodeError:
            raise Lost("text frame is not UTF-8") from None
        if not raw:
            raise Lost("the venue closed the connection")
        return raw

    def note(self, frame: Frame) -> None:
        """Take an answer to our ping or subscription; *Lost* when every subscription was refused."""
        if frame.op in ("ping", "pong"):
            self._watchdog.answered()
        elif frame.op == "subscribe":
            if frame.success:
                self._has_topics = True
            else:
                _log.alert("ws.topics_refused", why=frame.ret_msg[:120])
                self._watchdog.lacks_something(self._now())
            self._answered(frame.req_id)
            if not self._unanswered and not self._has_topics:
                raise Lost(f"subscription refused: {frame.ret_msg[:120]}")

    def just_acknowledged(self) -> bool:
        """True once, when the last subscription request has been answered."""
        fresh, self._fresh = self._fresh, False
        return fresh

    def kline_arrived(self) -> None:
        """A kline arrived: the feed is alive."""
        self._watchdog.data_arrived(self._now())

    def caught_up(self) -> None:
        """A callback may have taken long: frames were waiting meanwhile, so the deadlines begin anew."""
        self._watchdog.caught_up(self._now())

    def _answered(self, request_id: str) -> None:
        # the linear stream answers with an empty req_id: then answers are counted, in order
        self._unanswered.discard(request_id if request_id in self._unanswered else min(self._unanswered, default=""))
        if not self._unanswered and not self._is_up:
            self._is_up = self._fresh = True
            self._watchdog.came_up()

    def _keep_alive(self) -> None:
        if why := self._watchdog.why_lost(self._now()):
            raise Lost(why)
        if self._watchdog.is_ping_due(self._now()):
            self._send(PING)

    def _send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (OSError, websocket.WebSocketException) as problem:
            raise Lost(f"connection broke while sending ({type(problem).__name__})") from None


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Halt("the kline stream's URL must look like wss://stream.bybit.com/v5/public/linear")
