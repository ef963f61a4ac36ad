"""
A real venue's prices poured into the simulator's live market, from the moment the simulator was last alive.

Ready once every symbol has a current price, so that no order meets a market that knows only the past. Reconnecting
and hole-filling are the feed's own business.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lib.domain.candle import Candle
from lib.domain.instrument import Instrument
from lib.domain.quotes import KlineUpdate, Ticker
from lib.ports.market import PublicFeed
from lib.simulator.market.market import LiveMarket


@dataclass(frozen=True, slots=True)
class Upstream:
    """
    The real venue behind feed `bybit`: its trading rules, and its public feed.

    *open_feed* gets the time (epoch ms) from which on closed candles are wanted.
    """

    instruments: Mapping[str, Instrument]
    open_feed: Callable[[int], PublicFeed]


class LiveFeed:
    """Keeps *market* current from *feed*."""

    def __init__(self, feed: PublicFeed, market: LiveMarket) -> None:
        self._feed = feed
        self._market = market
        self._unpriced = set(market.symbols)
        self._open_minute: dict[str, int] = {}
        self._past: dict[str, list[Candle]] = {symbol: [] for symbol in market.symbols}
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Pour until cancelled; the feed's *Halt* propagates."""
        async for event in self._feed.events():
            if isinstance(event, KlineUpdate) and self._is_past(event):
                self._past.setdefault(event.symbol, []).append(event.candle)
            else:
                self._flush()
                self._pour(event)

    def _is_past(self, update: KlineUpdate) -> bool:
        """True for a closed minute that was not seen forming: its candle is news, its prints are not."""
        return update.closed and self._open_minute.get(update.symbol) != update.candle.open_time

    def _flush(self) -> None:
        for symbol, candles in self._past.items():
            if candles:
                self._market.backfill(symbol, candles)
                candles.clear()

    def _pour(self, event: KlineUpdate | Ticker) -> None:
        if isinstance(event, KlineUpdate):
            self._open_minute[event.symbol] = event.candle.open_time
            self._market.on_kline(event)
        else:
            self._market.on_ticker(event)
        self._unpriced.discard(event.symbol)
        if not self._unpriced:
            self.ready.set()
