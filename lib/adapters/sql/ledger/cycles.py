"""Analyst calls, stored once each: prompt, candles, raw answer and what was read in it. The first writer wins."""

from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import cycle_state, decision_json, read_decision
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.trading import cycles
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A stored call."""

    id: int
    answer: AnalystAnswer


_CYCLE = sa.select(cycles).where(
    cycles.c.feed == sa.bindparam("of_feed"),
    cycles.c.symbol == sa.bindparam("of_symbol"),
    cycles.c.t_ms == sa.bindparam("at_t"),
    cycles.c.interval_s == sa.bindparam("of_interval"),
    cycles.c.prompt_group == sa.bindparam("of_group"),
)


def read_cycle(connection: sa.Connection, key: CycleKey) -> CycleRow | None:
    """The answer stored for *key*, or None."""
    given = {
        "of_feed": key.feed,
        "of_symbol": key.symbol,
        "at_t": key.t_ms,
        "of_interval": key.interval_s,
        "of_group": key.prompt_group,
    }
    row = connection.execute(_CYCLE, given).mappings().one_or_none()
    if row is None:
        return None
    answer = AnalystAnswer(
        decision=read_decision(row["decision"]),
        raw=row["raw_answer"],
        model=row["model"],
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        latency_ms=row["latency_ms"],
        failed=row["state"] == "failed",
        cost=row["cost_usd"],
    )
    return CycleRow(row["id"], answer)


def record_cycle(connection: sa.Connection, record: CycleRecord) -> AnalystAnswer:
    """The ledger's `record_cycle`."""
    key, answer = record.key, record.answer
    values = {
        "feed": key.feed,
        "symbol": key.symbol,
        "interval_s": key.interval_s,
        "t_ms": key.t_ms,
        "prompt_group": key.prompt_group,
        "state": cycle_state(answer),
        "decision": decision_json(answer.decision),
        "prompt": record.prompt,
        "candles": record.candles,
        "raw_answer": answer.raw,
        "model": answer.model,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "latency_ms": answer.latency_ms,
        "cost_usd": answer.cost,
        "asked_for": record.asked_for,
        "asked_sha256": record.asked_sha256,
        "sent_sha256": record.sent_sha256,
        "inputs": record.inputs or None,
    }
    insert_once(connection, cycles, values)
    stands = read_cycle(connection, key)
    if stands is None:
        raise LookupError(f"the cycle at {key.t_ms} was neither stored nor found")
    return stands.answer


def analyst_failures(
    connection: sa.Connection, feed: str, symbol: str | None = None, before_ms: int | None = None
) -> int:
    """
    How many of the newest T in a row got no answer for any prompt group; of one symbol, or of all symbols together.
    """
    of_market = [cycles.c.feed == feed] + ([cycles.c.symbol == symbol] if symbol is not None else [])
    of_market += [cycles.c.t_ms < before_ms] if before_ms is not None else []
    answered = sa.select(cycles.c.t_ms).where(*of_market, cycles.c.state != "failed")
    newest = connection.scalar(answered.order_by(cycles.c.t_ms.desc()).limit(1))
    failed = sa.select(sa.func.count(cycles.c.t_ms.distinct())).where(
        *of_market, cycles.c.t_ms > (-1 if newest is None else newest)
    )
    return connection.scalar(failed) or 0
