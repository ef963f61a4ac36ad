"""Candles that wander by a seed: minutes wide enough that stops, targets and liquidations are met."""

from decimal import Decimal
from pathlib import Path
from random import Random

from lib.domain.candle import MINUTE_MS, Candle

TICK = Decimal("0.1")
NIGHT = 1_735_682_400_000
"""2024-12-31 22:00 UTC: two hours before a funding time and a new day."""


def wandering(
    seed: int,
    minutes: int,
    *,
    wild: float = 0.001,
    begin_ms: int = NIGHT,
    holes: frozenset[int] = frozenset(),
    tick: Decimal = TICK,
) -> list[Candle]:
    """A random walk on *tick* from 500,000 ticks on; a minute moves by *wild* of the price, *holes* are left out."""
    random, price, made = Random(seed), 500_000 * tick, []
    for number in range(minutes):
        first, *between, last = [price, *(_near(random, price, wild, tick) for _ in range(3))]
        prices = [first, *between, last]
        if number not in holes:
            volume = Decimal(random.randint(1, 9_000)) / 1000
            made.append(Candle(begin_ms + number * MINUTE_MS, first, max(prices), min(prices), last, volume))
        price = last
    return made


def _near(random: Random, price: Decimal, wild: float, tick: Decimal) -> Decimal:
    ticks = round(float(price / tick) * random.gauss(0, wild))
    return max(price + ticks * tick, tick)


def file_of(candles: list[Candle], folder: Path) -> Path:
    """*candles* as a file that a replay reads."""
    file = folder / "candles.csv"
    rows = (f"{c.open_time},{c.open},{c.high},{c.low},{c.close},{c.volume}" for c in candles)
    file.write_text("open_time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return file
