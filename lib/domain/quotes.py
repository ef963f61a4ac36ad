"""
A feed's prices: kline pushes, tickers, and the ticks the collector publishes. Times in epoch ms.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import Candle


@dataclass(frozen=True, slots=True)
class KlineUpdate:
    """One push of the kline stream: *closed* is the venue's `confirm`; *seen_at* the venue's clock, epoch ms."""

    symbol: str
    interval: str
    candle: Candle
    closed: bool
    seen_at: int


@dataclass(frozen=True, slots=True)
class Ticker:
    """Best knowledge of the price now, in USDT; *seen_at* is the venue's clock, epoch ms."""

    symbol: str
    last: Decimal
    mark: Decimal
    seen_at: int


@dataclass(frozen=True, slots=True)
class CandleTick:
    """A change of one candle list as published; *rebuilt* = the whole list was replaced, read it again."""

    symbol: str
    interval: str
    candle: Candle
    closed: bool
    rebuilt: bool
