"""
The prices as the engine and the venue read them: the port that every source of prices implements.

A market is read-only and deterministic: the same question about the past always gets the same answer, so an engine
that stopped can catch up and end in the state of one that ran on. None means there is no price: before the data start,
or after they end (the symbol is halted). A market knows nothing of orders, and has no clock.
"""

from decimal import Decimal
from typing import Protocol, runtime_checkable

from lib.domain.candle import Candle
from lib.domain.price_path import Path as Path
from lib.simulator.market.file_market import ReplayMarket as ReplayMarket
from lib.simulator.market.live_market import LiveMarket as LiveMarket
from lib.simulator.market.synthetic import SyntheticMarket as SyntheticMarket


class Market(Protocol):
    """Prices of some symbols; times are epoch ms, prices USDT per base unit."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols this market has prices for."""
        ...

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        """The complete one-minute candle that opened at *open_time*, or None when there is none."""
        ...

    def span(self, symbol: str) -> tuple[int, int]:
        """(first, last) in epoch ms: no candle opened before *first* or after *last*, so nobody need look there."""
        ...

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        """The last traded price at *at_ms*, or None while there is no trading."""
        ...

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        """The open candle of the minute of *at_ms* as of then."""
        ...

    def path(self, symbol: str, open_time: int) -> Path:
        """
        (offset ms, price) prints of that minute in time order, about one a second; empty when there is no trading.

        A complete minute starts with its open, ends with its close and touches both extremes.
        """
        ...


@runtime_checkable
class MergingMarket(Market, Protocol):
    """A market that makes many minutes of less work than one by one."""

    def merged(self, symbol: str, open_time: int, minutes: int) -> Candle | None:
        """One candle of that many complete minutes from *open_time* on, None where `candle` has none."""
        ...
