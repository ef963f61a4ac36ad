"""
A real venue's prices, as they come in, for paper trading.

Closed candles come from the kline stream and from backfill; the prints of the minute under way are the pushed prices,
each stamped after any time already asked for, so an engine never finds a new price in its past. Minutes that were not
seen live (a restart) walk a path through their candle. Invariant: memory is bounded. Nothing here fetches or connects.
"""

from collections.abc import Iterable
from decimal import Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.price_path import Path, price_on, walk
from lib.domain.quotes import KlineUpdate, Ticker

KEPT_MINUTES = 20_000
KEPT_PRINT_MINUTES = 30
LATE_MS = 10_000
"""A closed candle pushed later than this after its end is history, not a print."""
STALE_MS = 10 * MINUTE_MS
"""Without a print for this long the symbol counts as halted."""


class LiveMarket:
    """Fed by `on_kline` and `on_ticker`; implements `Market`."""

    def __init__(self, symbols: Iterable[str], tick_sizes: dict[str, Decimal] | None = None) -> None:
        self._symbols = tuple(symbols)
        self._ticks = tick_sizes or {}
        self._candles: dict[str, dict[int, Candle]] = {symbol: {} for symbol in self._symbols}
        self._prints: dict[str, dict[int, list[tuple[int, Decimal]]]] = {symbol: {} for symbol in self._symbols}
        self._first_open: dict[str, int] = {}
        self._forming: dict[str, Candle] = {}
        self._last: dict[str, tuple[int, Decimal]] = {}
        self._asked_ms = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    # --- feeding ------------------------------------------------------------------------------------------------------

    def on_kline(self, update: KlineUpdate) -> None:
        """Take a one-minute push; other symbols and intervals are ignored."""
        if update.symbol not in self._candles or update.interval not in ("1", "1m"):
            return
        candle, previous = update.candle, self._forming.get(update.symbol)
        if update.closed:
            self.backfill(update.symbol, [candle])
            if update.seen_at > candle.open_time + MINUTE_MS + LATE_MS:
                return
        for extreme in self._new_extremes(previous, candle):
            self._print(update.symbol, update.seen_at, extreme)
        self._print(update.symbol, update.seen_at, candle.close)
        if previous is None or candle.open_time >= previous.open_time:
            self._forming[update.symbol] = candle

    def _new_extremes(self, previous: Candle | None, candle: Candle) -> list[Decimal]:
        """Turns of the minute that no print has shown; none at the first push ever, which tells of the past."""
        if previous is None:
            return []
        if previous.open_time != candle.open_time:
            return [candle.high, candle.low]
        fresh = [candle.high] if candle.high > previous.high else []
        return [*fresh, candle.low] if candle.low < previous.low else fresh

    def on_ticker(self, ticker: Ticker) -> None:
        """Take a price change."""
        if ticker.symbol in self._candles:
            self._print(ticker.symbol, ticker.seen_at, ticker.last)

    def backfill(self, symbol: str, candles: Iterable[Candle]) -> None:
        """Take closed one-minute candles in any order."""
        kept = self._candles[symbol]
        for candle in candles:
            kept[candle.open_time] = candle
        in_order = sorted(kept)
        for open_time in in_order[: max(len(kept) - KEPT_MINUTES, 0)]:
            del kept[open_time]
        if in_order:
            self._first_open[symbol] = in_order[-min(len(in_order), KEPT_MINUTES)]

    def _print(self, symbol: str, seen_at: int, price: Decimal) -> None:
        """Keep a price at *seen_at*, or right after the last time asked for when that is later."""
        at = max(seen_at, self._asked_ms + 1, self._last.get(symbol, (0, price))[0])
        if self._last.get(symbol) == (at, price):
            return
        self._last[symbol] = (at, price)
        minutes = self._prints[symbol]
        open_time = at - at % MINUTE_MS
        minutes.setdefault(open_time, []).append((at - open_time, price))
        for old in [kept for kept in minutes if kept < open_time - KEPT_PRINT_MINUTES * MINUTE_MS]:
            del minutes[old]

    # --- answering ----------------------------------------------------------------------------------------------------

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        return self._candles.get(symbol, {}).get(open_time)

    def span(self, symbol: str) -> tuple[int, int]:
        first = self._first_open.get(symbol)
        return (self._asked_ms, self._asked_ms) if first is None else (first, self._asked_ms + MINUTE_MS)

    def path(self, symbol: str, open_time: int) -> Path:
        prints = self._prints.get(symbol, {}).get(open_time)
        if prints is not None:
            return tuple(prints)
        candle = self.candle(symbol, open_time)
        return walk(symbol, candle, self._ticks.get(symbol, Decimal("0.1"))) if candle else ()

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        self._asked_ms = max(self._asked_ms, at_ms)
        open_time = at_ms - at_ms % MINUTE_MS
        found = price_on(self.path(symbol, open_time), at_ms - open_time)
        if found is not None:
            return found
        last = self._last.get(symbol)
        if last is not None and last[0] <= at_ms < last[0] + STALE_MS:
            return last[1]
        before = self.candle(symbol, open_time - MINUTE_MS)
        return before.close if before else None

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        open_time = at_ms - at_ms % MINUTE_MS
        pushed = self._forming.get(symbol)
        closed = self.candle(symbol, open_time)
        if closed is not None or (pushed is not None and pushed.open_time == open_time):
            return closed or pushed
        prices = [price for _, price in self.path(symbol, open_time)]
        if not prices:
            return None
        return Candle(open_time, prices[0], max(prices), min(prices), prices[-1], Decimal(0))
