"""
The four classic indicators the local analyst reads, over closed one-minute candles, oldest first.

Exact Decimal arithmetic in the default context, so that the same candles give the same reading on every machine.
It decides nothing: `lib.simulator.analyst` turns readings into an opinion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from lib.domain.candle import Candle

ZERO = Decimal(0)
HUNDRED = Decimal(100)
FAST, SLOW, SPAN = 8, 21, 14
CHANNEL = 20
LEAST_CANDLES = SLOW + 1
"""Fewer candles than this cannot be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """
    The indicators at the newest candle.

    *atr* in USDT; *cross* is the signed number of minutes since the fast average crossed the slow one (+3 = crossed
    upwards three minutes ago, 0 = no cross in sight); *breakout* is the distance beyond the channel in ATR, signed;
    *gap* is the distance of the averages in ATR, signed; *body* is the last candle's body in ATR, signed.
    """

    close: Decimal
    atr: Decimal
    rsi: Decimal
    cross: int
    breakout: Decimal
    gap: Decimal
    body: Decimal

    @property
    def atr_percent(self) -> Decimal:
        """ATR as a percentage of the close."""
        return self.atr / self.close * HUNDRED


def read(candles: Sequence[Candle]) -> Reading:
    """The reading at the newest candle; ValueError below *LEAST_CANDLES* candles."""
    if len(candles) < LEAST_CANDLES:
        raise ValueError(f"{len(candles)} candles are too few to read: {LEAST_CANDLES} are needed")
    closes = [c.close for c in candles]
    atr = average_true_range(candles)
    unit = atr or closes[-1]  # a dead flat market has no ATR: every distance in it is 0 anyway
    gaps = [f - s for f, s in zip(ema(closes, FAST), ema(closes, SLOW), strict=True)]
    last = candles[-1]
    return Reading(
        close=last.close,
        atr=atr,
        rsi=relative_strength(closes),
        cross=minutes_since_cross(gaps[-SPAN:]),
        breakout=beyond_channel(candles) / unit,
        gap=gaps[-1] / unit,
        body=(last.close - last.open) / unit,
    )


def ema(values: Sequence[Decimal], span: int) -> list[Decimal]:
    """Exponential moving average, seeded with the first value."""
    weight = Decimal(2) / (span + 1)
    average = values[0]
    averages = [average]
    for value in values[1:]:
        average += (value - average) * weight
        averages.append(average)
    return averages


def average_true_range(candles: Sequence[Candle], span: int = SPAN) -> Decimal:
    """Mean true range of the newest *span* candles, USDT."""
    newest = candles[-span - 1 :]
    ranges = [max(c.high, before.close) - min(c.low, before.close) for before, c in pairwise(newest)]
    return sum(ranges, ZERO) / len(ranges)


def relative_strength(closes: Sequence[Decimal], span: int = SPAN) -> Decimal:
    """Cutler's RSI (simple means), 0..100; 50 when nothing moved."""
    newest = closes[-span - 1 :]
    moves = [b - a for a, b in pairwise(newest)]
    ups = sum((m for m in moves if m > 0), ZERO)
    total = sum((abs(m) for m in moves), ZERO)
    return ups / total * HUNDRED if total else Decimal(50)


def minutes_since_cross(gaps: Sequence[Decimal]) -> int:
    """Signed candles since *gaps* last changed sign (1 = in the newest candle), 0 when it never did."""
    for age in range(1, len(gaps)):
        now, before = gaps[-age], gaps[-age - 1]
        if now > 0 >= before:
            return age
        if now < 0 <= before:
            return -age
    return 0


def beyond_channel(candles: Sequence[Candle], span: int = CHANNEL) -> Decimal:
    """How far the newest close lies above (+) or below (-) the *span* candles before it, USDT; 0 inside."""
    earlier = candles[-span - 1 : -1]
    close = candles[-1].close
    high, low = max(c.high for c in earlier), min(c.low for c in earlier)
    if close > high:
        return close - high
    return min(close - low, ZERO)
