"""
Bybit's klines of any interval, built from one-minute candles, and its rules about which rows an answer holds.

The open row is included and its close is the last price; rows of minutes without trading do not exist. Windows:
`start` is floored to its candle; `start` alone runs forward; with `end` the newest rows up to it are returned.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.simulator.market import Market
from lib.simulator.orders import Refused

MINUTES = {"1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720}
MINUTES_OF_DAY = 1440
DAYS = {"D": 1, "W": 7}
MONDAY_MS = 4 * 86_400_000
"""The first Monday after the epoch, where weeks are counted from."""
MONTH = "M"
INTERVALS = (*MINUTES, *DAYS, MONTH)
MOST_MINUTES = 200_000
"""One answer looks at no more minutes than this; rows beyond are left out."""
CACHE_ROWS = 50_000


def floor_open(interval: str, at_ms: int) -> int:
    """Open time of the candle of *at_ms*."""
    if interval == MONTH:
        day = datetime.fromtimestamp(at_ms / 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    shift = MONDAY_MS if interval == "W" else 0
    return at_ms - (at_ms - shift) % _step(interval)


def next_open(interval: str, open_time: int) -> int:
    """Open time of the candle after the one that opened at *open_time*."""
    if interval == MONTH:
        return floor_open(MONTH, open_time + 32 * MINUTES_OF_DAY * MINUTE_MS)
    return open_time + _step(interval)


def previous_open(interval: str, open_time: int) -> int:
    """Open time of the candle before."""
    return floor_open(interval, open_time - 1)


def _step(interval: str) -> int:
    return (MINUTES.get(interval) or DAYS[interval] * MINUTES_OF_DAY) * MINUTE_MS


class Klines:
    """Candles of every interval of *market*; closed ones are remembered."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._closed: dict[tuple[str, str, int], Candle] = {}

    def candle(self, symbol: str, interval: str, open_time: int, now: int) -> Candle | None:
        """The candle that opened at *open_time* as of *now*, open or closed; None without trading."""
        key = (symbol, interval, open_time)
        if key in self._closed:
            return self._closed[key]
        end = next_open(interval, open_time)
        parts = list(self._minutes(symbol, open_time, min(end, now + 1), now))
        if not parts:
            return None
        whole = parts[0] if len(parts) == 1 else _merge(open_time, parts)
        if end <= now and len(parts) * MINUTE_MS == end - open_time:
            self._remember(key, whole)
        return whole

    def _minutes(self, symbol: str, start: int, end: int, now: int) -> Iterator[Candle]:
        for open_time in range(start, end, MINUTE_MS):
            is_open = open_time + MINUTE_MS > now
            found = self._market.forming(symbol, now) if is_open else self._market.candle(symbol, open_time)
            if found is not None:
                yield found

    def _remember(self, key: tuple[str, str, int], candle: Candle) -> None:
        if len(self._closed) >= CACHE_ROWS:
            self._closed.clear()
        self._closed[key] = candle

    def rows(
        self, symbol: str, interval: str, now: int, limit: int, *, start: int | None = None, end: int | None = None
    ) -> list[Candle]:
        """At most *limit* candles as `/v5/market/kline` chooses them, newest first; *Refused* for an odd window."""
        if start is not None and end is not None and end < start:
            raise Refused(10001, "params error: The requested end is before start")
        first = None if start is None else floor_open(interval, start)
        if first is not None and end is None:
            wanted = self._forward(interval, first, now, limit)
        else:
            wanted = self._backward(interval, min(now, now if end is None else end), first, limit)
        candles = [self.candle(symbol, interval, open_time, now) for open_time in wanted]
        return [candle for candle in candles if candle is not None]

    def _forward(self, interval: str, first: int, now: int, limit: int) -> list[int]:
        opens: list[int] = []
        while len(opens) < limit and first <= now and (first - (opens or [first])[0]) < MOST_MINUTES * MINUTE_MS:
            opens.append(first)
            first = next_open(interval, first)
        return opens[::-1]

    def _backward(self, interval: str, end: int, first: int | None, limit: int) -> list[int]:
        opens: list[int] = []
        at, least = floor_open(interval, end), max(first or 0, end - MOST_MINUTES * MINUTE_MS)
        while len(opens) < limit and at >= least:
            opens.append(at)
            at = previous_open(interval, at)
        return opens


def _merge(open_time: int, parts: list[Candle]) -> Candle:
    volume = sum((part.volume for part in parts), Decimal(0))
    high, low = max(part.high for part in parts), min(part.low for part in parts)
    return Candle(open_time, parts[0].open, high, low, parts[-1].close, volume)


def turnover(candle: Candle) -> Decimal:
    """Quote volume, as the candle's middle price has it."""
    return candle.volume * (candle.open + candle.high + candle.low + candle.close) / 4
