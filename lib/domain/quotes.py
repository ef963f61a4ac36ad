"""
A feed's prices: kline pushes, tickers, and the ticks the collector publishes. Times in epoch ms.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import Candle

MAX_PRICE_DISTANCE = Decimal("0.005")
"""The venue's own price must be this close to the newest close, or the account is on another market."""


def is_away(last: Decimal, close: Decimal) -> bool:
    """Whether the venue's price *last* is another market's than the newest candle's, which closed at *close*."""
    return abs(last - close) > close * MAX_PRICE_DISTANCE


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
