"""
In-memory stand-ins of the market ports: a candle store, a venue's REST, a scripted stream, and candles that look real.

They keep the ports' contracts (the store runs the same contract suite as Redis) and can be told to fail.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

from lib.clock import Clock
from lib.domain.candle import MINUTE_MS, Candle, FormingCandle, interval_ms
from lib.domain.errors import Retry
from lib.domain.instrument import Instrument
from lib.domain.quotes import KlineUpdate, Ticker
from lib.ports.market import AppendOutcome, CandleStore, KlineStream, MarketData

START = 1_700_000_040_000
"""A full minute in November 2023, epoch ms."""


def candle_at(open_time: int, salt: int = 0) -> Candle:
    """A plausible candle that is a pure function of its time and *salt* (another salt is another market)."""
    minute = open_time // MINUTE_MS
    o = Decimal(40_000 + (minute * 7 + salt) % 500) + Decimal("0.10")
    c = Decimal(40_000 + ((minute + 1) * 7 + salt) % 500) + Decimal("0.10")
    volume = Decimal((minute * 31 + salt) % 1000) / 1000
    return Candle(open_time, o, max(o, c) + Decimal("1.5"), min(o, c) - Decimal("2"), c, volume)


def run_of(count: int, *, start: int = START, interval: str = "1m", salt: int = 0) -> list[Candle]:
    """*count* consecutive candles from *start*, oldest first."""
    step = interval_ms(interval)
    return [candle_at(start + i * step, salt) for i in range(count)]


def push(candle: Candle, *, closed: bool, symbol: str = "BTCUSDT", interval: str = "1m") -> KlineUpdate:
    """One push of the stream, seen a moment after the candle's end or in its middle."""
    step = interval_ms(interval)
    return KlineUpdate(symbol, interval, candle, closed, candle.open_time + (step + 300 if closed else step // 2))


class SetClock(Clock):
    """A clock a test sets by hand."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


class MemoryCandleStore(CandleStore):
    """`CandleStore` in a dict; set *down* to make every call a *Retry*."""

    def __init__(self, *, capacity: int = 5000) -> None:
        self.capacity = capacity
        self.lists: dict[tuple[str, str], list[Candle]] = {}
        self.forming_candles: dict[tuple[str, str], FormingCandle] = {}
        self.fields: dict[str, str] = {}
        self.forming_puts = 0
        self.rebuilds = 0
        self.down = False

    def _up(self) -> None:
        if self.down:
            raise Retry("the store is away")

    def append(self, symbol: str, interval: str, candles: Sequence[Candle]) -> AppendOutcome:
        self._up()
        step = interval_ms(interval)
        held = self.lists.setdefault((symbol, interval), [])
        outcome: AppendOutcome = "ignored"
        for candle in candles:
            newest = held[-1].open_time if held else candle.open_time - step
            if candle.open_time > newest and candle.open_time != newest + step:
                outcome = "gap"
                break
            outcome = "ignored"
            if candle.open_time == newest + step:
                held.append(candle)
                outcome = "appended"
            elif candle.open_time == newest:
                held[-1] = candle
                outcome = "replaced"
        del held[: -self.capacity]
        return outcome

    def rebuild(self, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
        self._up()
        step = interval_ms(interval)
        if any(b.open_time - a.open_time != step for a, b in pairwise(candles)):
            raise ValueError("a list is rebuilt from consecutive candles only")
        self.rebuilds += 1
        self.lists[(symbol, interval)] = list(candles[-self.capacity :])

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        self._up()
        return self.lists.get((symbol, interval), [])[-count:] if count > 0 else []

    def count(self, symbol: str, interval: str) -> int:
        self._up()
        return len(self.lists.get((symbol, interval), []))

    def put_forming(self, symbol: str, interval: str, forming: FormingCandle) -> None:
        self._up()
        self.forming_puts += 1
        self.forming_candles[(symbol, interval)] = forming

    def forming(self, symbol: str, interval: str) -> FormingCandle | None:
        self._up()
        return self.forming_candles.get((symbol, interval))

    def set_status(self, fields: dict[str, str]) -> None:
        self._up()
        self.fields |= fields

    def status(self) -> dict[str, str]:
        self._up()
        return dict(self.fields)

    def clear(self) -> None:
        self._up()
        self.lists.clear()
        self.forming_candles.clear()


class ScriptedMarket(MarketData):
    """`MarketData` over lists of candles: what has closed by *clock* is the truth, *lag_ms* later. *down*: *Retry*."""

    def __init__(self, clock: SetClock, truth: Sequence[Candle], *, interval: str = "1m") -> None:
        self.clock = clock
        self.truth: dict[tuple[str, str], list[Candle]] = {("BTCUSDT", interval): list(truth)}
        self.lag_ms = 0
        self.down = False
        self.calls = 0

    def server_time(self) -> int:
        self._up()
        return self.clock.now

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        self._up()
        assert 1 <= limit <= 1000
        self.calls += 1
        known = self.truth.get((symbol, interval), [])
        last = self.clock.now - self.lag_ms - interval_ms(interval)
        upto = bisect_right([c.open_time for c in known], last if end is None else min(end, last))
        return known[max(0, upto - limit) : upto]

    def instrument(self, symbol: str) -> Instrument:
        self._up()
        d = Decimal
        return Instrument(symbol, d("0.10"), d("0.001"), d("0.001"), d("500"), d("5"), d("100"))

    def ticker(self, symbol: str) -> Ticker:
        self._up()
        price = self.truth[(symbol, "1m")][-1].close
        return Ticker(symbol, price, price, self.clock.now)

    def _up(self) -> None:
        if self.down:
            raise Retry("the venue is away")


class ScriptedStream(KlineStream):
    """`KlineStream` that plays *script* (an update, or None for a reconnect) and then waits for `stop`."""

    def __init__(self, script: Sequence[KlineUpdate | None] = ()) -> None:
        self._script = script
        self._stopping = threading.Event()
        self.played = threading.Event()
        self._connected = False

    def run(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        self._connected = True
        on_connect()
        for step in self._script:
            if step is None:
                on_connect()
            else:
                on_update(step)
        self.played.set()
        self._stopping.wait()
        self._connected = False

    def stop(self) -> None:
        self._stopping.set()

    @property
    def connected(self) -> bool:
        return self._connected
