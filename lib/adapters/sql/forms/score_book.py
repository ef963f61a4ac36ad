"""
The book of scores over SQL: `lib.ports.scores.ScoreBook`.

Answers are walked by their primary key, and scores are added and never changed: what trades waits for none of it. The
long texts of answers are not read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.analysis import read_decision
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.analysts import model_calls
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.trading import cycles
from lib.domain.decimals import plain
from lib.domain.decision import Abstained, Decision
from lib.domain.order import CYCLE_MS
from lib.domain.position import ZERO
from lib.domain.scores import BOTH_WAYS, METHOD, BothWays, Opined, Score
from lib.ports.scores import ALWAYS, ScoreBook

_C, _S = cycles.c, scores.c
COLUMN = {"entry": "entry_price", "exit": "exit_price", "cost": "cost_usd", "in_stops": "r_multiple"}
"""Fields of a score that have another name as a column."""
_UNSCORED = (
    sa.select(_C.id, _C.feed, _C.symbol, _C.t_ms, _C.decision, _C.latency_ms, _C.cost_usd, _C.asked_sha256)
    .outerjoin(scores, sa.and_(_S.cycle_id == _C.id, _S.method == sa.bindparam("method")))
    .where(_C.id > sa.bindparam("after"), _S.cycle_id.is_(None), _C.state != "failed", _C.t_ms <= sa.bindparam("until"))
    .order_by(_C.id)
    .limit(sa.bindparam("most"))
)
HABIT_MS = 288 * CYCLE_MS
"""How far back an entry still says what stop and target the same question has: a day."""
_HABIT = (
    sa.select(_C.decision)
    .where(_C.asked_sha256 == sa.bindparam("asked"), _C.t_ms < sa.bindparam("t"), _C.t_ms >= sa.bindparam("since"))
    .where(_C.feed == sa.bindparam("feed"), _C.symbol == sa.bindparam("symbol"), _C.state == "decided")
    .where(_C.decision["action"].as_string().in_(("buy", "sell")))
    .order_by(_C.t_ms.desc(), _C.id.desc())
    .limit(1)
)


class SqlScoreBook(ScoreBook):
    """Over *engine*."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def before(self, feed: str, since_ms: int) -> int:
        return transact(self._engine, lambda c: _before(c, feed, since_ms), readonly=True)

    def unscored(self, after_id: int, most: int, method: int = METHOD, until_ms: int = ALWAYS) -> list[Opined]:
        asked = {"after": after_id, "most": most, "method": method, "until": until_ms}
        return transact(self._engine, lambda c: _unscored(c, asked), readonly=True)

    def keep(self, found: Sequence[Score]) -> int:
        return self._insert([score_values(one) for one in found])

    def keep_both(self, found: Sequence[BothWays]) -> int:
        return self._insert([both_values(one) for one in found])

    def _insert(self, rows: list[dict[str, Any]]) -> int:
        def work(connection: sa.Connection) -> int:
            return sum(insert_once(connection, scores, row) for row in rows)

        return transact(self._engine, work) if rows else 0


def _before(connection: sa.Connection, feed: str, since_ms: int) -> int:
    first = sa.select(_C.t_ms).where(_C.feed == feed, _C.t_ms >= since_ms).order_by(_C.t_ms).limit(1)
    t_ms = connection.scalar(first)
    of_t = sa.select(sa.func.min(_C.id)).where(_C.feed == feed, _C.t_ms == t_ms)
    newest = sa.select(sa.func.max(_C.id))
    return (connection.scalar(newest) or 0) if t_ms is None else (connection.scalar(of_t) or 1) - 1


def _unscored(connection: sa.Connection, asked: dict[str, int]) -> list[Opined]:
    rows = connection.execute(_UNSCORED, asked).all()
    parts = _parts(connection, [row.id for row in rows])
    found = [
        Opined(row.id, row.feed, row.symbol, row.t_ms, read_decision(row.decision), row.latency_ms, cost)
        for row in rows
        for cost in [_cost(parts[row.id]) if row.id in parts else row.cost_usd]
    ]
    if asked["method"] != BOTH_WAYS:
        return found
    return [replace(one, habit=_habit(connection, row, one)) for row, one in zip(rows, found, strict=True)]


def _habit(connection: sa.Connection, row: Any, one: Opined) -> Decision | None:
    """The last entry before T of the question of *row*, where *one* entered nothing; None without a hash."""
    if not row.asked_sha256 or (isinstance(one.view, Decision) and one.view.action in ("buy", "sell")):
        return None
    of = {"asked": row.asked_sha256, "feed": one.feed, "symbol": one.symbol, "t": one.t_ms}
    written = connection.scalar(_HABIT, of | {"since": one.t_ms - HABIT_MS})
    found = None if written is None else read_decision(written)
    return None if isinstance(found, Abstained) else found


def _parts(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Decimal | None]]:
    """One person's part of every call made for these answers."""
    called = model_calls.c
    query = sa.select(called.cycle_id, called.cost_usd, called.people).where(called.cycle_id.in_(ids))
    parts: dict[int, list[Decimal | None]] = defaultdict(list)
    for cycle_id, cost, people in connection.execute(query) if ids else ():
        parts[cycle_id].append(None if cost is None else cost / people)
    return parts


def _cost(parts: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; unknown where one of them is."""
    known = list(parts)
    costs = [cost for cost in known if cost is not None]
    return plain(sum(costs, ZERO)) if len(costs) == len(known) else None


def score_values(score: Score) -> dict[str, Any]:
    """The columns of `scores`."""
    return {COLUMN.get(name, name): value for name, value in asdict(score).items()} | {"method": METHOD}


def both_values(both: BothWays) -> dict[str, Any]:
    """The columns of `scores`, of both ways."""
    return score_values(both.score) | {"method": BOTH_WAYS, "long_net": both.long, "short_net": both.short}


def score_from(row: sa.RowMapping) -> Score:
    """A row of `scores`."""
    return Score(**{name: row[COLUMN.get(name, name)] for name in Score.__dataclass_fields__})
