"""
What questions to models cost, by day, model and person, and who was asked for one decision.

A call that several people share costs each of them an equal part, whatever came of it for them: cost ÷ people, and of
whole billionths of a dollar none is lost in a sum. A call without a known price counts as a call and adds no cost.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.tables.analysts import model_calls
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import trade_logs
from lib.domain.day import DAY_MS
from lib.domain.reason import Reason
from lib.queries.analyst_costs import BILLION
from lib.queries.reading import Reading

_C = model_calls.c
_DAY: "sa.ColumnElement[int]" = (_C.t_ms - _C.t_ms % DAY_MS).label("day")
_BILLIONTHS = sa.cast(sa.func.round(sa.type_coerce(_C.cost_usd, sa.Float) * BILLION), sa.BigInteger)


@dataclass(frozen=True, slots=True)
class ModelDay:
    """
    A person's use of a model on a UTC day: *calls* made for them, of which *shared* were for others too and *failed*
    brought nothing; *usd* is their part of what the *priced* ones cost, None where none has a price.
    """

    day_ms: int
    name: str
    is_own: bool
    calls: int
    shared: int
    failed: int
    tokens: int
    priced: int
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One question behind a decision, in the order of the chain; *usd* is of the whole call, None = no known price."""

    name: str
    answered: str
    state: str
    why: Reason
    tokens: int
    latency_ms: int
    usd: Decimal | None
    people: int


class ModelReadings(Reading):
    """A person's own part alone."""

    def model_days(self, user_id: int, since_ms: int) -> list[ModelDay]:
        """Every day and model since *since_ms*, newest day first."""
        query = (
            sa.select(
                _DAY, _C.name, _C.owner_id, _C.people, sa.func.count(), sa.func.count(_C.cost_usd),
                sa.func.sum(_BILLIONTHS), sa.func.sum(_C.prompt_tokens + _C.completion_tokens),
                sa.func.sum(sa.case((_C.state == "failed", 1), else_=0)),
            )
            .where(_C.cycle_id.in_(_decided(user_id, since_ms)), _C.t_ms >= since_ms)
            .group_by("day", _C.name, _C.owner_id, _C.people)
        )  # fmt: skip
        found: dict[tuple[int, str, int], ModelDay] = {}
        for day, name, owner, people, calls, priced, cost, tokens, failed in self._read(
            lambda c: c.execute(query).all()
        ):
            key = (int(day), name, owner)
            before = found.get(key) or ModelDay(int(day), name, owner != 0, 0, 0, 0, 0, 0, None)
            part = Decimal(int(cost or 0)) / BILLION / people if priced else None
            found[key] = ModelDay(
                before.day_ms,
                name,
                before.is_own,
                before.calls + calls,
                before.shared + (calls if people > 1 else 0),
                before.failed + int(failed or 0),
                before.tokens + int(tokens or 0),
                before.priced + priced,
                before.usd if part is None else (before.usd or Decimal(0)) + part,
            )
        return sorted(found.values(), key=lambda one: (-one.day_ms, one.name))

    def model_lines(self, user_id: int, log_id: int) -> list[ModelLine]:
        """The questions behind one of the person's own decisions; none for another's."""
        query = (
            sa.select(model_calls)
            .join(trade_logs, trade_logs.c.cycle_id == _C.cycle_id)
            .where(trade_logs.c.id == log_id, trade_logs.c.user_id == user_id)
            .order_by(_C.id)
        )
        rows = self._read(lambda c: c.execute(query).mappings().all())
        return [
            ModelLine(
                row["name"], row["answered"], row["state"], row["why"], row["prompt_tokens"] + row["completion_tokens"],
                row["latency_ms"], row["cost_usd"], row["people"],
            )
            for row in rows
        ]  # fmt: skip


def _decided(user_id: int, since_ms: int) -> "sa.Select[tuple[int]]":
    """The cycles behind the person's decisions, each once: two accounts of a person share a call as one."""
    of_person = sa.select(accounts.c.id).where(accounts.c.user_id == user_id)
    logs = trade_logs.c
    return sa.select(logs.cycle_id).where(logs.account_id.in_(of_person), logs.t_ms >= since_ms)
