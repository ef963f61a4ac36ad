"""
Seeded prices: six prints a minute, calm or wild, with jumps and halts where the seed has them.

The prices depend on the seed alone and not on who looks when. Implements the simulator's `Market` for one symbol.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.price_path import FOR_EVER, Path, price_on

PRINT_MS = 10_000
TICKS = 600_000
"""60,000.0 USDT in ticks of 0.1."""


NOTHING: tuple[None, Path] = (None, ())


@dataclass(frozen=True, slots=True)
class Weather:
    """*step* is the usual move between two prints; *jump* and *halt* are chances a minute."""

    step: float = 0.0004
    jump: float = 0.0
    halt: float = 0.0


class SeededMarket:
    """Trading begins at *first_ms*, a minute's start."""

    symbols = ("BTCUSDT",)

    def __init__(self, rng: random.Random, first_ms: int, weather: Weather) -> None:
        self._rng, self._first, self._weather = rng, first_ms, weather
        self._ticks = TICKS + rng.randint(-9_000, 9_000)
        self._minutes: list[tuple[Candle | None, Path]] = []
        self.has_halted = False
        """For half an hour after a halt no window is whole, and nobody is served."""
        self.wild = range(0)
        """When (epoch ms) prices may jump and trading may halt."""

    def minute(self, open_time: int) -> tuple[Candle | None, Path]:
        """Candle and prints of the minute; both empty before the first."""
        if open_time < self._first:
            return NOTHING
        place = (open_time - self._first) // MINUTE_MS
        while len(self._minutes) <= place:
            self._minutes.append(self._make(self._first + len(self._minutes) * MINUTE_MS))
        return self._minutes[place]

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        return self.minute(open_time)[0] if open_time >= self._first else None

    def path(self, symbol: str, open_time: int) -> Path:
        return self.minute(open_time)[1]

    def span(self, symbol: str) -> tuple[int, int]:
        return 0, FOR_EVER

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return price_on(self.minute(at_ms - at_ms % MINUTE_MS)[1], at_ms % MINUTE_MS)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        return self.candle(symbol, at_ms - at_ms % MINUTE_MS)

    def _make(self, open_time: int) -> tuple[Candle | None, Path]:
        rng, weather, is_wild = self._rng, self._weather, open_time in self.wild
        jump, halt = rng.random() < weather.jump, rng.random() < weather.halt
        moves = [rng.gauss(0, weather.step) for _ in range(MINUTE_MS // PRINT_MS)]
        if jump and is_wild:
            moves[rng.randrange(6)] += rng.choice((-1, 1)) * rng.uniform(0.004, 0.04)
        prices = []
        for move in moves:
            self._ticks = min(max(round(self._ticks * (1 + move)), 100_000), 3_000_000)
            prices.append(Decimal(self._ticks).scaleb(-1))
        if halt and is_wild:
            self.has_halted = True
            return None, ()
        path = tuple((place * PRINT_MS, price) for place, price in enumerate(prices))
        return Candle(open_time, prices[0], max(prices), min(prices), prices[-1], Decimal(5)), path


OTHER = "ETHUSDT"
"""The second symbol of worlds that have two."""


class TwoMarkets:
    """Two symbols with prices of their own; *first* is BTCUSDT, *second* `OTHER`."""

    symbols = (*SeededMarket.symbols, OTHER)

    def __init__(self, first: SeededMarket, second: SeededMarket) -> None:
        self._first, self._second = first, second

    def _of(self, symbol: str) -> SeededMarket:
        return self._second if symbol == OTHER else self._first

    @property
    def has_halted(self) -> bool:
        return self._first.has_halted or self._second.has_halted

    @property
    def wild(self) -> range:
        return self._first.wild

    @wild.setter
    def wild(self, when: range) -> None:
        self._first.wild = self._second.wild = when

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        return self._of(symbol).candle(symbol, open_time)

    def path(self, symbol: str, open_time: int) -> Path:
        return self._of(symbol).path(symbol, open_time)

    def span(self, symbol: str) -> tuple[int, int]:
        return self._of(symbol).span(symbol)

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return self._of(symbol).price_at(symbol, at_ms)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        return self._of(symbol).forming(symbol, at_ms)
