"""
What the analyst answered a person, T by T, with the candles each answer rested on: a replay of decisions begins here.

One row a T, oldest first, whatever became of it. Texts that went into the archive have left their newest candle alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import read_decision
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.candle import Candle, decimal_from_wire
from lib.domain.decision import Abstained, Decision

_PRICES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """The answer of T (*t_ms*, epoch ms); *failed* = none came. *candles* are closed one-minute ones, oldest first."""

    t_ms: int
    decision: Decision | Abstained
    tokens: int
    failed: bool
    candles: tuple[Candle, ...]


def recorded_calls(engine: sa.Engine, user_id: int, symbol: str) -> Iterator[RecordedCall]:
    """Every answer that decided for *user_id* in *symbol*, oldest first."""
    wanted = (cycles.c[name] for name in ("decision", "prompt_tokens", "completion_tokens", "state", "candles"))
    query = (
        sa.select(trade_logs.c.t_ms, *wanted)
        .join(cycles, cycles.c.id == trade_logs.c.cycle_id)
        .where(trade_logs.c.user_id == user_id, trade_logs.c.symbol == symbol)
        .order_by(trade_logs.c.t_ms)
    )
    with engine.connect() as connection:
        for row in connection.execute(query):
            tokens = row.prompt_tokens + row.completion_tokens
            failed = row.state == "failed"
            yield RecordedCall(row.t_ms, read_decision(row.decision), tokens, failed, tuple(_candles(row.candles)))


def _candles(text: str) -> Iterator[Candle]:
    for kept in json.loads(text or "[]"):
        numbers = [decimal_from_wire(kept[name]) for name in _PRICES]
        yield Candle(kept["timestamp"], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
