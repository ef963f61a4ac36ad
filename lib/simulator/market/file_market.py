"""
A market out of the candles of a file: the minutes it holds, and no trading in any other.

Before the first candle, after the last and in a hole between them there is no price: the symbol is halted, as an
exchange in maintenance is.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.price_path import Path, forming_on, price_on, walk


class ReplayMarket:
    """*candles* (oldest first, holes allowed) of one *symbol* as a `Market`, its prints on its own *tick*."""

    def __init__(self, symbol: str, candles: Sequence[Candle], tick: Decimal) -> None:
        if not candles:
            raise ValueError("a replay needs at least one candle")
        self._symbol = symbol
        self._candles = {candle.open_time: candle for candle in candles}
        self.first_open, self.last_open = candles[0].open_time, candles[-1].open_time
        self._tick = tick
        self._path = lru_cache(maxsize=512)(self._make_path)

    @property
    def symbols(self) -> tuple[str, ...]:
        return (self._symbol,)

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        return self._candles.get(open_time) if symbol == self._symbol else None

    def span(self, symbol: str) -> tuple[int, int]:
        return self.first_open, self.last_open

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return price_on(self.path(symbol, at_ms - at_ms % MINUTE_MS), at_ms % MINUTE_MS)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        open_time = at_ms - at_ms % MINUTE_MS
        candle = self.candle(symbol, open_time)
        return forming_on(self.path(symbol, open_time), candle, at_ms % MINUTE_MS) if candle else None

    def path(self, symbol: str, open_time: int) -> Path:
        return self._path(symbol, open_time)

    def _make_path(self, symbol: str, open_time: int) -> Path:
        candle = self.candle(symbol, open_time)
        return walk(symbol, candle, self._tick) if candle else ()
