"""
The second-by-second path a price takes through one minute.

A candle only says where a minute opened, turned and closed; the path invents the sixty one-second prints between,
deterministically from the candle itself. Invariants: first print = open, last = close, both extremes are printed, no
print leaves [low, high], every invented print is on the tick. The order of the extremes is invented too.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from itertools import pairwise

from lib.domain.candle import Candle

SECONDS = 60
NOISE_SHARE = 6
"""The wobble around the straight line is at most range / NOISE_SHARE."""

FOR_EVER = 10**15
"""Epoch ms after any time that is asked about."""

Anchor = tuple[int, Decimal]
"""(second, price): where the path turns."""
Path = tuple[tuple[int, Decimal], ...]
"""(offset in ms from the open time, price), offsets ascending."""


def walk(symbol: str, candle: Candle, tick: Decimal) -> Path:
    """Sixty (offset ms, price) prints through *candle*; the same candle always walks the same way."""
    if candle.high == candle.low:
        return tuple((second * 1000, candle.open) for second in range(SECONDS))
    noise = _noise(symbol, candle)
    prices: list[Decimal] = []
    for start, end in pairwise(_anchors(candle, noise)):
        prices.append(start[1])
        prices += _leg(candle, (start, end), tick, noise, range(start[0] + 1, end[0]))
    prices.append(candle.close)
    return tuple((second * 1000, price) for second, price in enumerate(prices))


def print_in(symbol: str, candle: Candle, tick: Decimal, second: int) -> Decimal:
    """The print of *second* (0 to 59) of `walk`, alone."""
    if second == 0 or candle.high == candle.low:
        return candle.open
    noise = _noise(symbol, candle)
    for start, end in pairwise(_anchors(candle, noise)):
        if start[0] < second < end[0]:
            return _leg(candle, (start, end), tick, noise, (second,))[0]
        if second == end[0]:
            return end[1]
    raise ValueError("a minute has seconds 0 to 59")


def _noise(symbol: str, candle: Candle) -> bytes:
    key = f"{symbol}|{candle.open_time}|{candle.open!s}|{candle.high!s}|{candle.low!s}|{candle.close!s}"
    return blake2b(key.encode(), digest_size=64).digest()


def _anchors(candle: Candle, noise: bytes) -> list[Anchor]:
    first, second = 1 + noise[60] % 28, 30 + noise[61] % 28
    turns = (candle.high, candle.low) if noise[62] & 1 else (candle.low, candle.high)
    return [(0, candle.open), (first, turns[0]), (second, turns[1]), (SECONDS - 1, candle.close)]


def _leg(
    candle: Candle, between: tuple[Anchor, Anchor], tick: Decimal, noise: bytes, seconds: Iterable[int]
) -> list[Decimal]:
    """The prints of *seconds* between two anchors: a straight line with a wobble, kept inside the candle."""
    (from_second, from_price), (to_second, to_price) = between
    low, high = candle.low, candle.high
    base, slope = from_price / tick, (to_price - from_price) / tick / (to_second - from_second)
    wobble = (high - low) / tick / NOISE_SHARE / 128
    prints = []
    for second in seconds:
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


def finest_step(candles: Iterable[Candle]) -> Decimal:
    """The smallest price step the data shows, 1 at most: 46319.0 with 46319.5 is 0.5's decade, 0.1."""
    decimals = 0
    for candle in candles:
        for price in (candle.open, candle.high, candle.low, candle.close):
            exponent = price.normalize().as_tuple().exponent
            decimals = max(decimals, -int(exponent))
    return Decimal(1).scaleb(-decimals)
