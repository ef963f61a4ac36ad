"""
The second-by-second path a price takes through one minute.

A candle only says where a minute opened, turned and closed; the path invents the sixty one-second prints between,
deterministically from the candle itself. Invariants: first print = open, last = close, both extremes are printed, no
print leaves [low, high], every invented print is on the tick. The order of the extremes is invented too.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from itertools import pairwise

from lib.domain.candle import Candle

SECONDS = 60
NOISE_SHARE = 6
"""The wobble around the straight line is at most range / NOISE_SHARE."""

FOR_EVER = 10**15
"""Epoch ms after any time that is asked about."""

Path = tuple[tuple[int, Decimal], ...]
"""(offset in ms from the open time, price), offsets ascending."""


def walk(symbol: str, candle: Candle, tick: Decimal) -> Path:
    """Sixty (offset ms, price) prints through *candle*; the same candle always walks the same way."""
    if candle.high == candle.low:
        return tuple((second * 1000, candle.open) for second in range(SECONDS))
    key = f"{symbol}|{candle.open_time}|{candle.open}|{candle.high}|{candle.low}|{candle.close}"
    noise = blake2b(key.encode(), digest_size=64).digest()
    anchors = _anchors(candle, noise)
    prices: list[Decimal] = []
    for (start, here), (end, there) in pairwise(anchors):
        prices.append(here)
        prices += _leg(candle, (start, here), (end, there), tick, noise)
    prices.append(candle.close)
    return tuple((second * 1000, price) for second, price in enumerate(prices))


def _anchors(candle: Candle, noise: bytes) -> list[tuple[int, Decimal]]:
    first, second = 1 + noise[60] % 28, 30 + noise[61] % 28
    turns = (candle.high, candle.low) if noise[62] & 1 else (candle.low, candle.high)
    return [(0, candle.open), (first, turns[0]), (second, turns[1]), (SECONDS - 1, candle.close)]


def _leg(
    candle: Candle, start: tuple[int, Decimal], end: tuple[int, Decimal], tick: Decimal, noise: bytes
) -> list[Decimal]:
    """The prints strictly between two anchors: a straight line with a wobble, kept inside the candle."""
    (from_second, from_price), (to_second, to_price) = start, end
    low, high = candle.low, candle.high
    base, slope = from_price / tick, (to_price - from_price) / tick / (to_second - from_second)
    wobble = (high - low) / tick / NOISE_SHARE / 128
    prints = []
    for second in range(from_second + 1, to_second):
        ticks = base + slope * (second - from_second) + wobble * (noise[second] - 128)
        price = ticks.to_integral_value(ROUND_HALF_EVEN) * tick
        prints.append(low if price < low else min(price, high))
    return prints


def price_on(path: Path, offset: int) -> Decimal | None:
    """The last print at or before *offset* ms, or None when there is none yet."""
    found: Decimal | None = None
    for at, price in path:
        if at > offset:
            break
        found = price
    return found


def forming_on(path: Path, candle: Candle, offset: int) -> Candle | None:
    """The open candle as of *offset* ms; its volume is the elapsed share of the minute's, whole seconds."""
    prices = [price for at, price in path if at <= offset]
    if not prices:
        return None
    step = Decimal(1).scaleb(int(candle.volume.as_tuple().exponent))
    volume = (candle.volume * len(prices) / len(path)).quantize(step)
    return Candle(candle.open_time, prices[0], max(prices), min(prices), prices[-1], volume)
