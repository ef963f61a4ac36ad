"""
Bybit's klines of any interval, built from one-minute candles, and its rules about which rows an answer holds.

The open row is included and its close is the last price; rows of minutes without trading do not exist. Windows:
`start` is floored to its candle; `start` alone runs forward; with `end` the newest rows up to it are returned.

Long candles are made of shorter ones that are kept once closed, so an open day or month costs a few minutes of reading.
The candles an answer needs that are not built yet are named beforehand in pieces of an hour at most (`pieces`), so that
a caller can build them one by one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.simulator.engine.orders import Refused
from lib.simulator.market.market import Market, MergingMarket

MINUTES = {"1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720}
MINUTES_OF_DAY = 1440
DAYS = {"D": 1, "W": 7}
MONDAY_MS = 4 * 86_400_000
"""The first Monday after the epoch, where weeks are counted from."""
MONTH = "M"
INTERVALS = (*MINUTES, *DAYS, MONTH)
HOUR, DAY = "60", "D"
PART_OF = {"120": HOUR, "240": HOUR, "360": HOUR, "720": HOUR, DAY: HOUR, "W": DAY, MONTH: DAY}
"""The shorter interval a candle of an interval is made of, where that is not minutes."""
MOST_MINUTES = 200_000
"""The most minutes that one answer reads; rows beyond are left out."""
CACHE_ROWS = 50_000

Piece = tuple[str, str, int]
"""A candle to be built: symbol, interval of an hour at most, open time."""


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


def minutes_of(piece: Piece) -> int:
    """How many minutes of the market *piece* reads at most."""
    return MINUTES[piece[1]]


def _step(interval: str) -> int:
    return (MINUTES.get(interval) or DAYS[interval] * MINUTES_OF_DAY) * MINUTE_MS


class Klines:
    """Candles of every interval of *market*; closed ones are remembered."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._merging = market if isinstance(market, MergingMarket) else None
        self._closed: dict[tuple[str, str, int], Candle] = {}

    def candle(self, symbol: str, interval: str, open_time: int, now: int) -> Candle | None:
        """The candle that opened at *open_time* as of *now*, open or closed; None without trading."""
        return self._built(symbol, interval, open_time, now)[0]

    def _built(self, symbol: str, interval: str, open_time: int, now: int) -> tuple[Candle | None, bool]:
        """The candle, and whether the candle is whole: closed, with every minute there."""
        if interval == "1":
            return self._minute(symbol, open_time, now)
        if self._is_beyond(symbol, interval, open_time):
            return None, False
        key = (symbol, interval, open_time)
        if key in self._closed:
            return self._closed[key], True
        end = next_open(interval, open_time)
        if end <= now and interval not in PART_OF and (merged := self._merged(symbol, interval, open_time)):
            self._remember(key, merged)
            return merged, True
        parts = [self._built(symbol, *part, now) for part in _parts(interval, open_time, min(end, now + 1))]
        known = [candle for candle, _ in parts if candle is not None]
        if not known:
            return None, False
        merged = _merge(open_time, known)
        is_whole = end <= now and all(is_whole for _, is_whole in parts)
        if is_whole:
            self._remember(key, merged)
        return merged, is_whole

    def _merged(self, symbol: str, interval: str, open_time: int) -> Candle | None:
        """The whole candle, where the market makes it at once."""
        return self._merging.merged(symbol, open_time, MINUTES[interval]) if self._merging else None

    def _is_beyond(self, symbol: str, interval: str, open_time: int) -> bool:
        """Whether the market has no candles of that time: a short file is not searched for months."""
        first, last = self._market.span(symbol)
        return open_time > last or next_open(interval, open_time) <= first

    def _minute(self, symbol: str, open_time: int, now: int) -> tuple[Candle | None, bool]:
        if open_time + MINUTE_MS > now:
            return self._market.forming(symbol, now), False
        found = self._market.candle(symbol, open_time)
        return found, found is not None

    def _remember(self, key: tuple[str, str, int], candle: Candle) -> None:
        if len(self._closed) >= CACHE_ROWS:
            del self._closed[next(iter(self._closed))]
        self._closed[key] = candle

    # --- answers ------------------------------------------------------------------------------------------------------

    def opens(
        self, interval: str, now: int, limit: int, *, start: int | None = None, end: int | None = None
    ) -> list[int]:
        """
        Open times of at most *limit* candles as `/v5/market/kline` chooses them, newest first, whether there was
        trading or not; *Refused* for an odd window.
        """
        if start is not None and end is not None and end < start:
            raise Refused(10001, "params error: The requested end is before start")
        if start is not None and start > now:
            return []
        first = None if start is None else floor_open(interval, start)
        if first is not None and end is None:
            return self._forward(interval, first, now, limit)
        return self._backward(interval, min(now, now if end is None else end), first, limit)

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

    # --- in pieces ----------------------------------------------------------------------------------------------------

    def pieces(self, symbol: str, interval: str, opens: Iterable[int], now: int) -> Iterator[Piece]:
        """The pieces to read of the market for the candles that open at *opens*, without those already kept."""
        for open_time in opens:
            if (symbol, interval, open_time) in self._closed or self._is_beyond(symbol, interval, open_time):
                continue
            if interval not in PART_OF:
                yield symbol, interval, open_time
                continue
            end = min(next_open(interval, open_time), now + 1)
            part = PART_OF[interval]
            yield from self.pieces(symbol, part, (at for _, at in _parts(interval, open_time, end)), now)

    def build(self, piece: Piece, now: int) -> None:
        """Build and keep *piece*; nothing where there was no trading."""
        self._built(*piece, now)


def _parts(interval: str, open_time: int, end: int) -> Iterator[tuple[str, int]]:
    """The shorter candles of a candle, as (interval, open time), up to *end*."""
    part = PART_OF.get(interval, "1")
    return ((part, at) for at in range(open_time, end, _step(part)))


def _merge(open_time: int, parts: list[Candle]) -> Candle:
    volume = sum((part.volume for part in parts), Decimal(0))
    high, low = max(part.high for part in parts), min(part.low for part in parts)
    return Candle(open_time, parts[0].open, high, low, parts[-1].close, volume)


def turnover(candle: Candle) -> Decimal:
    """Quote volume, as the candle's middle price has it."""
    return candle.volume * (candle.open + candle.high + candle.low + candle.close) / 4
