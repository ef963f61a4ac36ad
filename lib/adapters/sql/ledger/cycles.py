"""Analyst calls, stored once each: prompt, candles, raw answer and what was read in it. The first writer wins."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import cycle_state, decision_json, read_decision
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.analysts import model_calls
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.analyst_call import SHADOW, AnalystAnswer, CycleKey, CycleRecord, ModelCall
from lib.domain.day import DAY_MS, midnight_before
from lib.domain.decimals import plain
from lib.domain.decision import Abstained, Decision
from lib.domain.opinions import Opinion
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING


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
    for seq, call in enumerate(record.calls):
        insert_once(connection, model_calls, _call_values(record, stands.id, seq, call))
    return stands.answer


def _call_values(record: CycleRecord, cycle_id: int, seq: int, call: ModelCall) -> dict[str, Any]:
    answer = call.answer
    return {
        "cycle_id": cycle_id,
        "asker": record.asker,
        "seq": seq,
        "t_ms": record.key.t_ms,
        "name": call.name,
        "owner_id": call.owner_id,
        "answered": "" if answer.failed else answer.model,
        "state": cycle_state(answer),
        "why": answer.decision.why if isinstance(answer.decision, Abstained) else NOTHING,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "cached_tokens": answer.cached_tokens,
        "latency_ms": answer.latency_ms,
        "cost_usd": answer.cost,
        "people": record.people,
        "shadow": record.asked_for == SHADOW,
    }


def model_spent(connection: sa.Connection, owner_id: int, name: str, t_ms: int) -> Decimal:
    """The ledger's `model_spent`: a shadow never uses up what a model may cost who trades."""
    return spent_on(connection, owner_id, name, t_ms, model_calls.c.shadow.is_(False))


def spent_on(
    connection: sa.Connection, owner_id: int, name: str, t_ms: int, *which: "sa.ColumnElement[bool]"
) -> Decimal:
    """What such calls of a model cost on the UTC day of *t_ms*: rows as the driver gives them, summed exactly."""
    called = model_calls.c
    from_ms = midnight_before(t_ms)
    costs = sa.select(sa.type_coerce(called.cost_usd, sa.Text())).where(
        called.t_ms >= from_ms,
        called.t_ms < from_ms + DAY_MS,
        called.owner_id == owner_id,
        called.name == name,
        called.cost_usd.is_not(None),
        *which,
    )
    return plain(sum(map(Decimal, connection.scalars(costs)), ZERO))


MOST_CALLS = 400
"""Calls looked through for opinions: a day and more of five-minute cycles."""


def read_opinions(
    connection: sa.Connection, feed: str, symbol: str, asked_sha256: str, before_ms: int
) -> list[Opinion]:
    """The ledger's `opinions`."""
    query = (
        sa.select(cycles.c.t_ms, cycles.c.decision)
        .where(cycles.c.asked_sha256 == asked_sha256, cycles.c.t_ms < before_ms, cycles.c.feed == feed)
        .where(cycles.c.symbol == symbol, cycles.c.state == "decided")
        .order_by(cycles.c.t_ms.desc(), cycles.c.id)
        .limit(MOST_CALLS)
    )
    found: dict[int, Opinion] = {}
    for t_ms, written in connection.execute(query):
        view = read_decision(written)
        if isinstance(view, Decision) and view.action in ("buy", "sell"):
            found.setdefault(t_ms, Opinion(t_ms, view.action, view.confidence, view.stop_loss, view.take_profit))
    return list(found.values())


def person_spent(connection: sa.Connection, user_id: int, t_ms: int) -> Decimal:
    """The ledger's `person_spent`; two accounts of a person share a call as one."""
    called, from_ms = model_calls.c, midnight_before(t_ms)
    of_person = sa.select(accounts.c.id).where(accounts.c.user_id == user_id)
    decided = sa.select(trade_logs.c.cycle_id).where(
        trade_logs.c.account_id.in_(of_person), trade_logs.c.t_ms >= from_ms, trade_logs.c.t_ms < from_ms + DAY_MS
    )
    parts = sa.select(sa.type_coerce(called.cost_usd, sa.Text()), called.people).where(
        called.cycle_id.in_(decided), called.owner_id == 0, called.cost_usd.is_not(None)
    )
    return plain(sum((Decimal(cost) / people for cost, people in connection.execute(parts)), ZERO))


def analyst_failures(
    connection: sa.Connection, feed: str, symbol: str | None = None, before_ms: int | None = None
) -> int:
    """
    How many of the newest T in a row got no answer for any prompt group; of one symbol, or of all symbols together. A
    shadow's answer says nothing of those that accounts wait for.
    """
    of_market = [cycles.c.feed == feed, cycles.c.asked_for != SHADOW]
    of_market += [cycles.c.symbol == symbol] if symbol is not None else []
    of_market += [cycles.c.t_ms < before_ms] if before_ms is not None else []
    answered = sa.select(cycles.c.t_ms).where(*of_market, cycles.c.state != "failed")
    newest = connection.scalar(answered.order_by(cycles.c.t_ms.desc()).limit(1))
    failed = sa.select(sa.func.count(cycles.c.t_ms.distinct())).where(
        *of_market, cycles.c.t_ms > (-1 if newest is None else newest)
    )
    return connection.scalar(failed) or 0
