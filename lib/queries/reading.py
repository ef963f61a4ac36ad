"""What every group of read models stands on: one engine that only reads, the candle store, a clock."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.clock import Clock, SystemClock
from lib.ports.market import CandleStore

T = TypeVar("T")


class Reading:
    """Base of the groups."""

    def __init__(self, engine: sa.Engine, candles: CandleStore, clock: Clock | None = None) -> None:
        self._engine = engine
        self._candles = candles
        self._clock = clock or SystemClock()

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        """One short read transaction; *Retry* when the database is away."""
        return transact(self._engine, work, readonly=True)


def epoch_ms(at: datetime) -> int:
    """An aware moment as epoch ms."""
    return round(at.timestamp() * 1000)
