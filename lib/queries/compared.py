"""
A person's versions compared: the answers both of whose ways are scored, by the strategy's version and the model; what
traded and what answered beside it as a shadow alike.

What is read is bounded, the newest first: `MOST_COMPARED` answers of one account, and as many of its shadows. An answer
counts for the version that ran at its T, and once a window. What stands here is turned to statistics by
`lib.evidence.versions`; nothing is judged in SQL.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import read_decision
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_versions
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.decision import Decision
from lib.domain.position import ZERO
from lib.domain.scores import BOTH_WAYS, METHOD, Answered, call_share
from lib.queries.own import own_account
from lib.queries.reading import Reading
from lib.queries.scores import CANDLES_GO_MS, MOST_SCORES, Run, runs_of

MOST_COMPARED = MOST_SCORES
_L, _S, _C, _D = trade_logs.c, scores.c, cycles.c, shadow_calls.c
_WORTH = (_S.long_net, _S.short_net, _S.fees, _S.cost_usd)
_SIDES = {"buy": 1, "sell": -1}


@dataclass(frozen=True, slots=True)
class VersionKey:
    """A strategy's version (*name* None = the original design) and the *model* that answered for it."""

    name: str | None
    number: int
    model: str


@dataclass(frozen=True, slots=True)
class Calls:
    """What the *count* scored answers of a version cost the person: *usd*, where *unpriced* have no known price."""

    count: int
    usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class Compared:
    """*answers* of each version, the newest first, and its *calls*; *one_way*: answers with one score for good."""

    answers: Mapping[VersionKey, Sequence[Answered]]
    calls: Mapping[VersionKey, Calls]
    traded: frozenset[VersionKey]
    """Those of which an answer traded; the others were shadows alone."""
    one_way: int


@dataclass(frozen=True, slots=True)
class _Found:
    rows: Sequence[Any]
    shadowed: Sequence[Any]
    one_way: int
    runs: list[Run]


class ComparedReadings(Reading):
    """Of one person; *account_id* None is the account in use."""

    def compared_mark(self, user_id: int, account_id: int | None = None) -> tuple[int, ...] | None:
        """What a comparison rests on: as long as it is the same, so is the comparison. None without an account."""

        def read(connection: sa.Connection) -> tuple[int, ...] | None:
            mine = own_account(connection, user_id, account_id)
            if mine is None:
                return None
            newest = connection.scalar(_of(mine.id, BOTH_WAYS, _L.cycle_id).limit(1))
            beside = connection.scalar(_shadowed(user_id, mine.id, _D.cycle_id).limit(1))
            return (mine.id, newest or 0, beside or 0, len(runs_of(connection, user_id)))

        return self._read(read)

    def compared(self, user_id: int, account_id: int | None = None) -> Compared | None:
        """The person's versions as they stand; None without an account."""

        now = self._clock.now_ms()

        def read(connection: sa.Connection) -> _Found | None:
            mine = own_account(connection, user_id, account_id)
            return None if mine is None else _read(connection, mine.id, user_id, now)

        found = self._read(read)
        return None if found is None else _by_version(found)


def _of(account_id: int, method: int, *columns: Any) -> "sa.Select[Any]":
    return (
        sa.select(*columns)
        .join(scores, sa.and_(_S.cycle_id == _L.cycle_id, _S.method == method))
        .where(_L.account_id == account_id)
        .order_by(_L.t_ms.desc())
    )


def _shadowed(user_id: int, account_id: int, *columns: Any) -> "sa.Select[Any]":
    return (
        sa.select(*columns)
        .join(scores, sa.and_(_S.cycle_id == _D.cycle_id, _S.method == BOTH_WAYS))
        .where(_D.user_id == user_id, _D.account_id == account_id, _D.state == "answered")
        .order_by(_D.t_ms.desc())
    )


def _read(connection: sa.Connection, account_id: int, user_id: int, now_ms: int) -> "_Found":
    wanted = (_L.t_ms, _L.cycle_id, _L.symbol, _L.action, _L.confidence, _C.model, *_WORTH)
    query = _of(account_id, BOTH_WAYS, *wanted).join(cycles, _C.id == _L.cycle_id).limit(MOST_COMPARED)
    named = (_D.t_ms, _D.symbol, _C.decision, _C.model, strategies.c.name, strategy_versions.c.number, *_WORTH)
    beside = (
        _shadowed(user_id, account_id, *named)
        .join(cycles, _C.id == _D.cycle_id)
        .join(shadows, shadows.c.id == _D.shadow_id)
        .outerjoin(strategy_versions, strategy_versions.c.id == shadows.c.version_id)
        .outerjoin(strategies, strategies.c.id == strategy_versions.c.strategy_id)
        .limit(MOST_COMPARED)
    )
    rows, shadowed = connection.execute(query).all(), connection.execute(beside).all()
    return _Found(rows, shadowed, _one_way(connection, account_id, now_ms), runs_of(connection, user_id))


def _one_way(connection: sa.Connection, account_id: int, now_ms: int) -> int:
    """How many answers have one score for good: their candles were gone before both ways were scored."""
    both = scores.alias()
    alone = (
        _of(account_id, METHOD, _L.cycle_id)
        .outerjoin(both, sa.and_(both.c.cycle_id == _L.cycle_id, both.c.method == BOTH_WAYS))
        .where(both.c.cycle_id.is_(None), _L.t_ms < now_ms - CANDLES_GO_MS)
        .limit(MOST_COMPARED)
    )
    return connection.scalar(sa.select(sa.func.count()).select_from(alone.subquery())) or 0


class _Gathered:
    """Answers by version, each window once."""

    def __init__(self) -> None:
        self.answers: dict[VersionKey, dict[tuple[int, str], Answered]] = defaultdict(dict)
        self._costs: dict[VersionKey, list[Decimal | None]] = defaultdict(list)

    def add(self, key: VersionKey, row: Any, action: str | None, confidence: Decimal) -> None:
        known = self.answers[key]
        if (row.t_ms, row.symbol) in known:
            return
        side = _SIDES.get(action or "", 0)
        worth = (row.long_net, row.short_net, call_share(row.cost_usd), row.fees if side else ZERO)
        known[row.t_ms, row.symbol] = Answered(row.t_ms, row.symbol, side, *worth, confidence)
        self._costs[key].append(row.cost_usd)

    def calls(self) -> dict[VersionKey, Calls]:
        return {key: _calls(costs) for key, costs in self._costs.items()}


def _by_version(found: _Found) -> Compared:
    begins, gathered = [run.from_ms for run in found.runs], _Gathered()
    for row in found.rows:  # newest first, and so are the versions
        place = bisect_right(begins, row.t_ms) - 1
        run = found.runs[place] if place >= 0 else None
        key = VersionKey(run.name, run.number, row.model) if run else VersionKey(None, 0, row.model)
        gathered.add(key, row, row.action, row.confidence or ZERO)
    traded = frozenset(gathered.answers)
    for row in found.shadowed:
        view = read_decision(row.decision)
        said = (view.action, view.confidence) if isinstance(view, Decision) else (None, ZERO)
        gathered.add(VersionKey(row.name, row.number or 0, row.model), row, *said)
    answers = {key: list(told.values()) for key, told in gathered.answers.items()}
    return Compared(answers, gathered.calls(), traded, found.one_way)


def _calls(costs: Sequence[Decimal | None]) -> Calls:
    known = [cost for cost in costs if cost is not None]
    return Calls(len(costs), sum(known, ZERO), len(costs) - len(known))
