"""
The candles of one symbol as the event engine reads them: the minute in which a price is first reached, prices at a ms.

Highs and lows are kept as arrays of floats beside the candles. They only *find* minutes: rounding to a float keeps the
order of numbers, so no minute that reaches a level is missed; one found too many changes nothing. Every price that is
told is a Decimal of the second-by-second path, the simulator's own (`lib.domain.price_path`).
"""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import numpy as np

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.price_path import Path, print_in, walk
from lib.domain.quotes import MAX_PRICE_DISTANCE

STRETCH = 64
"""How many minutes are looked at first; each further look is four times as wide."""
PATHS = 256
"""Paths kept: neighbouring events share a minute."""


class Tape:
    """
    *candles* (closed one-minute ones, oldest first, holes allowed) of *symbol*, its prints on its own *tick*: one taken
    from the candles would let those that follow a minute change what happened within it. Minutes are named by their
    index.
    """

    def __init__(self, symbol: str, candles: Sequence[Candle], tick: Decimal) -> None:
        if not candles:
            raise ValueError("a tape holds one candle at least")
        self.symbol, self.candles = symbol, candles
        self.opens = [candle.open_time for candle in candles]
        self._highs = np.fromiter((float(candle.high) for candle in candles), np.float64, len(candles))
        self._lows = np.fromiter((float(candle.low) for candle in candles), np.float64, len(candles))
        self._closes = np.fromiter((float(candle.close) for candle in candles), np.float64, len(candles))
        self._tick = tick
        self._jumps: frozenset[int] | None = None
        self._prints: dict[int, Decimal] = {}
        self._path = lru_cache(maxsize=PATHS)(self._walked)

    def __len__(self) -> int:
        return len(self.candles)

    def index(self, at_ms: int) -> int:
        """The first minute that opens at *at_ms* or later; `len` when none does."""
        return bisect_left(self.opens, at_ms)

    def at(self, open_time: int) -> int | None:
        """The minute that opens at *open_time*, None in a hole."""
        index = bisect_left(self.opens, open_time)
        return index if index < len(self.opens) and self.opens[index] == open_time else None

    def first_reach(self, start: int, below: Decimal | None, above: Decimal | None) -> int:
        """
        The first minute from *start* on whose low is at or under *below* or whose high is at or over *above* (None =
        no such level); `len` when there is none.
        """
        stretch, end = STRETCH, len(self.candles)
        while start < end:
            stop = min(start + stretch, end)
            found = np.zeros(stop - start, dtype=bool)
            if below is not None:
                found |= self._lows[start:stop] <= float(below)
            if above is not None:
                found |= self._highs[start:stop] >= float(above)
            first = int(found.argmax())
            if found[first]:
                return start + first
            start, stretch = stop, stretch * 4
        return end

    def jumps(self) -> frozenset[int]:
        """The opens of minutes whose price may be another market's (`is_away`), measured from the close before."""
        if self._jumps is None:
            before = np.concatenate((self._closes[:1], self._closes[:-1]))
            far = float(MAX_PRICE_DISTANCE) * (1 - 1e-9)
            found = (self._highs > before * (1 + far)) | (self._lows < before * (1 - far))
            self._jumps = frozenset(self.opens[index] for index in np.flatnonzero(found).tolist())
        return self._jumps

    def path(self, index: int) -> Path:
        """The prints of a minute, as (offset ms, price)."""
        return self._path(index)

    def _walked(self, index: int) -> Path:
        return walk(self.symbol, self.candles[index], self._tick)

    def price(self, at_ms: int) -> Decimal | None:
        """The last print at or before *at_ms*, None in a hole, before the first candle and after the last."""
        second = at_ms // 1000
        known = self._prints.get(second)
        if known is None:
            index = self.at(at_ms - at_ms % MINUTE_MS)
            if index is None:
                return None
            known = print_in(self.symbol, self.candles[index], self._tick, at_ms % MINUTE_MS // 1000)
            self._prints[second] = known
        return known

    def mark(self, at_ms: int) -> Decimal:
        """The price a position is valued at: `price`, in a hole the close before; ValueError before the first."""
        price = self.price(at_ms)
        if price is not None:
            return price
        before = bisect_left(self.opens, at_ms) - 1
        if before < 0:
            raise ValueError("there is no price before the first candle")
        return self.candles[before].close
