"""
A person's versions compared: the answers both of whose ways are scored, by the strategy's version and the model; what
traded and what answered beside it as a shadow alike.

What is read is bounded, the newest first: `MOST_COMPARED` answers of one account, and as many of its shadows. An answer
counts for the version that ran at its T, and once a window. What stands here is turned to statistics by
`lib.evidence.versions`; nothing is judged in SQL.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

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
from lib.queries.scores import CANDLES_GO_MS, MOST_SCORES, Ran, runs_of

MOST_COMPARED = MOST_SCORES
_L, _S, _C, _D = trade_logs.c, scores.c, cycles.c, shadow_calls.c
_WORTH = (_S.long_net, _S.short_net, _S.fees, _S.cost_usd)
T = TypeVar("T")
_SIDES = {"buy": 1, "sell": -1}


@dataclass(frozen=True, slots=True)
class VersionKey:
    """A strategy's version (id 0, *name* None = the original design) and the *model* that answered for it."""

    version_id: int
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
class Mark:
    """
    What a comparison rests on: as long as all but the numbers *waiting* are the same, so is the comparison. *waiting*
    are answers of days that are not whole yet, by version, the newest first; *traded* those of which one traded.
    """

    rests_on: tuple[int, ...]
    waiting: Mapping[VersionKey, int]
    traded: frozenset[VersionKey]


class ComparedReadings(Reading):
    """Of one person; *account_id* None is the account in use. Days are whole before *until_ms*, epoch ms."""

    def compared_mark(self, user_id: int, until_ms: int, account_id: int | None = None) -> Mark | None:
        """What a comparison rests on; None without an account."""
        return self._of_own(user_id, account_id, lambda c, own: _mark(c, user_id, own, until_ms))

    def compared(self, user_id: int, until_ms: int, account_id: int | None = None) -> Compared | None:
        """The person's versions as they stand; None without an account."""
        now = self._clock.now_ms()
        return self._of_own(user_id, account_id, lambda c, own: _compared(c, user_id, own, until_ms, now))

    def _of_own(self, user_id: int, account_id: int | None, read: Callable[[sa.Connection, int], T]) -> T | None:
        def work(connection: sa.Connection) -> T | None:
            mine = own_account(connection, user_id, account_id)
            return None if mine is None else read(connection, mine.id)

        return self._read(work)


def _scored(account_id: int, method: int, *columns: Any) -> "sa.Select[Any]":
    """What was answered for the account and scored by *method*, the newest first."""
    is_scored = sa.and_(_S.cycle_id == _L.cycle_id, _S.method == method)
    of = sa.select(*columns).join(scores, is_scored).where(_L.account_id == account_id)
    return of.order_by(_L.t_ms.desc())


def _shadowed(user_id: int, account_id: int) -> "sa.ColumnElement[bool]":
    return sa.and_(_D.user_id == user_id, _D.account_id == account_id, _D.state == "answered")


def _mark(connection: sa.Connection, user_id: int, account_id: int, until_ms: int) -> Mark:
    newest = connection.scalar(_scored(account_id, BOTH_WAYS, _L.cycle_id).where(_L.t_ms < until_ms).limit(1))
    own = _shadowed(user_id, account_id)
    both = sa.and_(_S.cycle_id == _D.cycle_id, _S.method == BOTH_WAYS)
    beside = sa.select(_D.cycle_id).join(scores, both).where(own, _D.t_ms < until_ms).order_by(_D.t_ms.desc()).limit(1)
    runs, waiting = runs_of(connection, user_id), Counter[VersionKey]()
    young = sa.select(_L.t_ms, _C.model).join(cycles, _C.id == _L.cycle_id).order_by(_L.t_ms.desc())
    young = young.where(_L.account_id == account_id, _L.t_ms >= until_ms, _C.state != "failed").limit(MOST_COMPARED)
    waiting.update(version_at(runs, row.t_ms, row.model) for row in connection.execute(young))
    traded = frozenset(waiting)
    shadowed = _named(_C.model).where(own, _D.t_ms >= until_ms).limit(MOST_COMPARED)
    waiting.update(_shadow_key(row) for row in connection.execute(shadowed))
    rests_on = (account_id, newest or 0, connection.scalar(beside) or 0, len(runs))
    return Mark(rests_on, waiting, traded)


def _named(*columns: Any) -> "sa.Select[Any]":
    """Answers of shadows with the strategy's version that each is."""
    return (
        sa.select(strategy_versions.c.id, strategies.c.name, strategy_versions.c.number, *columns)
        .select_from(shadow_calls)
        .join(cycles, _C.id == _D.cycle_id)
        .join(shadows, shadows.c.id == _D.shadow_id)
        .outerjoin(strategy_versions, strategy_versions.c.id == shadows.c.version_id)
        .outerjoin(strategies, strategies.c.id == strategy_versions.c.strategy_id)
        .order_by(_D.t_ms.desc())
    )


def _shadow_key(row: Any) -> VersionKey:
    return VersionKey(row.id or 0, row.name, row.number or 0, row.model)


def _compared(connection: sa.Connection, user_id: int, account_id: int, until_ms: int, now_ms: int) -> Compared:
    wanted = (_L.t_ms, _L.symbol, _L.action, _L.confidence, _C.model, *_WORTH)
    traded = _scored(account_id, BOTH_WAYS, *wanted).join(cycles, _C.id == _L.cycle_id).where(_L.t_ms < until_ms)
    both = sa.and_(_S.cycle_id == _D.cycle_id, _S.method == BOTH_WAYS)
    beside = _named(_D.t_ms, _D.symbol, _C.decision, _C.model, *_WORTH).join(scores, both)
    beside = beside.where(_shadowed(user_id, account_id), _D.t_ms < until_ms)
    runs, gathered = runs_of(connection, user_id), Gathered()
    for row in connection.execute(traded.limit(MOST_COMPARED)):
        gathered.add(version_at(runs, row.t_ms, row.model), row, row.action, row.confidence or ZERO)
    names = frozenset(gathered.answers)
    for row in connection.execute(beside.limit(MOST_COMPARED)):
        view = read_decision(row.decision)
        said = (view.action, view.confidence) if isinstance(view, Decision) else (None, ZERO)
        gathered.add(_shadow_key(row), row, *said)
    answers = {key: list(told.values()) for key, told in gathered.answers.items()}
    return Compared(answers, gathered.calls(), names, _one_way(connection, account_id, now_ms))


def version_at(runs: Sequence[Ran], t_ms: int, model: str) -> VersionKey:
    """What ran at T, with the *model* that answered."""
    place = bisect_right(runs, t_ms, key=lambda run: run.from_ms) - 1
    if place < 0:
        return VersionKey(0, None, 0, model)
    run = runs[place]
    return VersionKey(run.version_id, run.name, run.number, model)


def _one_way(connection: sa.Connection, account_id: int, now_ms: int) -> int:
    """How many answers have one score for good: their candles were gone before both ways were scored."""
    both = scores.alias()
    alone = (
        _scored(account_id, METHOD, _L.cycle_id)
        .outerjoin(both, sa.and_(both.c.cycle_id == _L.cycle_id, both.c.method == BOTH_WAYS))
        .where(both.c.cycle_id.is_(None), _L.t_ms < now_ms - CANDLES_GO_MS)
        .limit(MOST_COMPARED)
    )
    return connection.scalar(sa.select(sa.func.count()).select_from(alone.subquery())) or 0


class Gathered:
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


def _calls(costs: Sequence[Decimal | None]) -> Calls:
    known = [cost for cost in costs if cost is not None]
    return Calls(len(costs), sum(known, ZERO), len(costs) - len(known))
