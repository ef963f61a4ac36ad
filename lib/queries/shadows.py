"""
A person's shadows: which version and model each is, what became of its turns, and what its answers were worth.

A shadow is one version × one model for ever, so each of its scored answers says whose it is; beside it stands what the
version that traded answered about the same window. No verdict is made here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.shadowing import STORED, shadow_from
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_versions
from lib.domain.day import midnight_before
from lib.domain.position import ZERO
from lib.domain.reason import Reason
from lib.domain.scores import METHOD
from lib.domain.shadow import Shadow
from lib.queries.reading import Reading

MOST_PAIRS = 20_000
"""Scored answers of one reading, the newest."""
_S, _C, _V = shadows.c, shadow_calls.c, strategy_versions.c


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """
    A shadow's turns of a UTC day: *asked* = questions put to a model, *shared* = answers that were there, asked for
    others; *dropped* by why, the most first. *usd* is the person's part of the cost, *unpriced* calls without one.
    """

    asked: int = 0
    shared: int = 0
    dropped: tuple[tuple[Reason, int], ...] = ()
    usd: Decimal = ZERO
    unpriced: int = 0

    @property
    def drops(self) -> int:
        """Turns that brought no answer."""
        return sum(count for _, count in self.dropped)


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """
    One shadow on the list. *name* None = the original design, *number* counts within the strategy. *answered* and
    *scored* are of all its days; *changed_ms* is when it was last started or stopped, epoch ms.
    """

    shadow: Shadow
    name: str | None
    number: int
    running: bool
    made_ms: int
    changed_ms: int
    today: ShadowDay
    answered: int
    scored: int


@dataclass(frozen=True, slots=True)
class ShadowScore:
    """
    A scored answer of the shadow *shadow_id*, which is *version_id* (0 = the original design) × *model* ("" = the
    version's own): net results of it and, *beside* it, of the version that traded, fractions of the notional; None =
    that one has no score.
    """

    shadow_id: int
    version_id: int
    model: str
    account_id: int
    symbol: str
    t_ms: int
    cycle_id: int
    net: Decimal
    beside_id: int
    beside: Decimal | None


class ShadowReadings(Reading):
    """Of one person alone."""

    def shadows(self, user_id: int) -> list[ShadowLine]:
        """Those on the list, the oldest first."""
        today = midnight_before(self._clock.now_ms())
        return self._read(lambda c: _lines(c, user_id, today))

    def shadow_scores(self, user_id: int, *, since_ms: int = 0) -> list[ShadowScore]:
        """Scored answers of every shadow the person has or had, from *since_ms* (epoch ms) on, the newest first."""
        return self._read(lambda c: _scored(c, user_id, since_ms))


def _lines(connection: sa.Connection, user_id: int, today_ms: int) -> list[ShadowLine]:
    query = STORED.add_columns(strategies.c.name, _V.number).outerjoin(strategies, strategies.c.id == _V.strategy_id)
    query = query.where(_S.user_id == user_id, _S.removed_ms == 0).order_by(_S.id)
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    days, totals = _days(connection, ids, today_ms), _totals(connection, ids)
    return [
        ShadowLine(
            shadow_from(row), row["name"], row["number"] or 0, row["running"], row["made_ms"], row["changed_ms"],
            days.get(row["id"], ShadowDay()), *totals.get(row["id"], (0, 0)),
        )
        for row in rows
    ]  # fmt: skip


def _days(connection: sa.Connection, ids: Sequence[int], today_ms: int) -> dict[int, ShadowDay]:
    wanted = (_C.shadow_id, _C.state, _C.why, _C.cost_usd, _C.shared, _C.cycle_id)
    query = sa.select(*wanted).where(_C.shadow_id.in_(ids), _C.t_ms >= today_ms)
    turns: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query) if ids else ():
        turns[row.shadow_id].append(row)
    return {shadow_id: _day(rows) for shadow_id, rows in turns.items()}


def _day(rows: Iterable[Any]) -> ShadowDay:
    turns = list(rows)
    own = [row for row in turns if not row.shared and (row.state != "dropped" or row.cycle_id is not None)]
    dropped = Counter(row.why for row in turns if row.state == "dropped")
    usd = sum((row.cost_usd for row in own if row.cost_usd is not None), ZERO)
    unpriced = sum(row.cost_usd is None for row in own)
    shared = sum(row.shared for row in turns)
    return ShadowDay(len(own), shared, tuple(dropped.most_common()), usd, unpriced)


def _totals(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Answers, and how many of them have a score."""
    is_scored = sa.and_(scores.c.cycle_id == _C.cycle_id, scores.c.method == METHOD)
    query = (
        sa.select(_C.shadow_id, sa.func.count(), sa.func.count(scores.c.cycle_id))
        .outerjoin(scores, is_scored)
        .where(_C.shadow_id.in_(ids), _C.state == "answered")
        .group_by(_C.shadow_id)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)} if ids else {}


def _scored(connection: sa.Connection, user_id: int, since_ms: int) -> list[ShadowScore]:
    beside = scores.alias("beside")
    query = (
        sa.select(
            _C.shadow_id, sa.func.coalesce(_S.version_id, 0), _S.model, _C.account_id, _C.symbol, _C.t_ms, _C.cycle_id,
            scores.c.net, sa.func.coalesce(_C.beside_id, 0), beside.c.net,
        )
        .join(shadows, _S.id == _C.shadow_id)
        .join(scores, sa.and_(scores.c.cycle_id == _C.cycle_id, scores.c.method == METHOD))
        .outerjoin(beside, sa.and_(beside.c.cycle_id == _C.beside_id, beside.c.method == METHOD))
        .where(_C.user_id == user_id, _C.t_ms >= since_ms, _C.state == "answered")
        .order_by(_C.t_ms.desc(), _C.shadow_id, _C.symbol)
        .limit(MOST_PAIRS)
    )  # fmt: skip
    rows: Iterable[Any] = connection.execute(query)
    return [ShadowScore(*row) for row in rows]
