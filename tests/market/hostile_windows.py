"""
A world of the decision window: what Redis returns and what the venue's REST says, to be spoiled in known ways.

A *Scene* begins true: forty stored candles ending at *T* and a REST page that agrees. Which ways there are to spoil one
is in `hostile_stored` and `hostile_rest`; `hostile_scenes` draws them. Same seed, same scene.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

from lib.domain.candle import MINUTE_MS, Candle
from tests.factories import T

HELD = 40
SHOWN = 30

Stored = list[bytes] | Exception
Page = tuple[int, bytes] | Exception


@dataclass
class Scene:
    """*held* oldest first (a candle, or the bytes that stand in its place); *reads* before it, in order; one REST."""

    rng: Random
    truth: list[Candle]
    held: list[Candle | bytes] = field(default_factory=list)
    early: list[Stored] = field(default_factory=list)
    away: Exception | None = None
    shown: list[Any] = field(default_factory=list)
    venue_ms: int = T + 2_000
    page: Page | None = None
    spell: Callable[[Candle], str] | None = None

    def index(self) -> int:
        """Somewhere inside the newest thirty of what is held."""
        return somewhere(self.rng, self.held)

    def change(self, **changes: Any) -> None:
        """Change fields of one candle of the newest thirty."""
        self.change_at(self.index(), **changes)

    def change_at(self, index: int, **changes: Any) -> None:
        found = self.held[index] if self.held else None
        if isinstance(found, Candle):
            self.held[index] = replace(found, **changes)

    def reads(self) -> list[Stored]:
        """What LRANGE gives, call after call; the last for ever."""
        final: Stored = self.away or [self._text(item) for item in reversed(self.held)][:SHOWN]
        return [*self.early, final]

    def rest(self) -> Page:
        """The one REST answer."""
        if self.page is not None:
            return self.page
        rows = [row_of(item) if isinstance(item, Candle) else item for item in reversed(self.shown)]
        return 200, envelope(rows, self.venue_ms)

    def _text(self, item: Candle | bytes) -> bytes:
        if isinstance(item, bytes):
            return item
        return (self.spell or stored_text)(item).encode()


def somewhere(rng: Random, rows: Sequence[object]) -> int:
    """An index among the newest thirty of *rows*; 0 when there are none."""
    return rng.randrange(max(0, len(rows) - SHOWN), len(rows)) if rows else 0


def stored_text(candle: Candle) -> str:
    """The stored form, also of numbers nobody should have written."""
    return (
        f'{{"timestamp":{candle.open_time},"open":"{candle.open}","high":"{candle.high}","low":"{candle.low}",'
        f'"close":"{candle.close}","volume":"{candle.volume}"}}'
    )


def row_of(candle: Candle) -> list[str]:
    """A REST row."""
    numbers = (candle.open_time, candle.open, candle.high, candle.low, candle.close, candle.volume, 0)
    return [str(number) for number in numbers]


def envelope(rows: list[Any], time: int, code: int = 0) -> bytes:
    """A kline answer."""
    result = {"category": "linear", "symbol": "BTCUSDT", "list": rows}
    return json.dumps({"retCode": code, "retMsg": "OK", "result": result, "time": time}).encode()


def market(rng: Random, count: int = HELD, *, closes_at: int = T, step: int = MINUTE_MS) -> list[Candle]:
    """A random walk of *count* true candles, the newest closing at *closes_at*."""
    price = Decimal(rng.randrange(1_000, 1_000_000)) / 10
    made = []
    for n in range(count, 0, -1):
        last = price * (1 + Decimal(rng.randrange(-50, 51)) / 10_000)
        last = last.quantize(Decimal("0.1"))
        high, low = max(price, last) + Decimal("0.3"), min(price, last) - Decimal("0.3")
        made.append(Candle(closes_at - n * step, price, high, low, last, Decimal(rng.randrange(0, 99_999)) / 1000))
        price = last
    return made


def scaled(candle: Candle, factor: Decimal) -> Candle:
    """*candle* with every price times *factor*."""
    prices = {name: getattr(candle, name) * factor for name in ("open", "high", "low", "close")}
    return replace(candle, **prices)


def near(item: Any) -> Any:
    """A candle of a market a little beside this one, sane on its own."""
    return scaled(item, Decimal("1.0004")) if isinstance(item, Candle) else item
