"""
What a person's opinions were worth: those of cycles in which an account of theirs took part, traded or not.

Each opinion is scored once for everybody who shared it (`lib.evidence.scorer`); read here are the scores of this
release's method. An opinion counts for the version that ran at its T, and once however many symbols' rows it has. No
verdict is made here: a mean of few opinions says nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.forms.score_book import score_from
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_versions
from lib.adapters.sql.tables.trading import cycles, orders, trade_logs
from lib.domain.candle import MINUTE_MS
from lib.domain.position import ZERO
from lib.domain.round_trips import Trips
from lib.domain.scores import METHOD, Beside, Score, beside
from lib.queries.own import own_account
from lib.queries.trips import TripReadings

MOST_SCORES = 30_000
"""Opinions of one reading, the newest: a hundred days of five-minute cycles."""
CANDLES_GO_MS = 5_000 * MINUTE_MS
"""An opinion older than this that has no score gets none: its candles are not kept any more."""
_L, _S, _C = trade_logs.c, scores.c, cycles.c
_IS_SCORED = sa.and_(_S.cycle_id == _L.cycle_id, _S.method == METHOD)


@dataclass(frozen=True, slots=True)
class OpinionWorth:
    """
    What the opinion of one decision was worth: its *score*, None while it has none; *is_gone* = it gets none, since its
    candles are not kept. *beside* is the trade it began, once that has ended.
    """

    is_gone: bool
    score: Score | None
    beside: Beside | None


@dataclass(frozen=True, slots=True)
class VersionScores:
    """
    The scored opinions of one version (*name* None = the original design), by what they said. *mean* is the mean net
    result of a decision, holds among them, as a fraction of the notional; *cost* is the person's part of all their
    calls in USD, *unpriced* how many of them have no known price. *sum_net* ÷ *scored* is *mean*.
    """

    name: str | None
    number: int
    scored: int
    longs: int
    shorts: int
    holds: int
    sum_net: Decimal
    cost: Decimal
    unpriced: int

    @property
    def decided(self) -> int:
        """Those that were no hold."""
        return self.longs + self.shorts

    @property
    def mean(self) -> Decimal:
        return self.sum_net / self.scored


@dataclass(slots=True)
class _Sums:
    scored: int = 0
    longs: int = 0
    shorts: int = 0
    sum_net: Decimal = ZERO
    cost: Decimal = ZERO
    unpriced: int = 0

    def add(self, action: str | None, net: Decimal, cost: Decimal | None) -> None:
        self.scored += 1
        self.longs += action == "buy"
        self.shorts += action == "sell"
        self.sum_net += net
        self.cost += cost or ZERO
        self.unpriced += cost is None


@dataclass(frozen=True, slots=True)
class Ran:
    """A version that ran from *from_ms* on."""

    from_ms: int
    version_id: int
    name: str
    number: int


class ScoreReadings(TripReadings):
    """Of one person; *account_id* None is the account in use."""

    def worth(self, user_id: int, log_id: int) -> OpinionWorth | None:
        """What the opinion behind one of the person's decisions was worth; None where no answer stands behind it."""
        now = self._clock.now_ms()
        return self._read(lambda c: self._worth(c, user_id, log_id, now))

    def version_scores(self, user_id: int, *, since_ms: int = 0, account_id: int | None = None) -> list[VersionScores]:
        """Scored opinions from *since_ms* (epoch ms) on by the version that ran, the newest version first."""

        def read(connection: sa.Connection) -> list[VersionScores]:
            mine = own_account(connection, user_id, account_id)
            if mine is None:
                return []
            return _by_version(_rows(connection, mine.id, since_ms), runs_of(connection, user_id))

        return self._read(read)

    def _worth(self, connection: sa.Connection, user_id: int, log_id: int, now_ms: int) -> OpinionWorth | None:
        wanted = (_L.account_id, _L.symbol, _L.t_ms, _C.state)
        query = sa.select(*wanted, scores).join(cycles, _C.id == _L.cycle_id).outerjoin(scores, _IS_SCORED)
        row = connection.execute(query.where(_L.id == log_id, _L.user_id == user_id)).mappings().one_or_none()
        if row is None or row["state"] == "failed":
            return None
        if row[_S.cycle_id] is None:
            return OpinionWorth(row[_L.t_ms] < now_ms - CANDLES_GO_MS, None, None)
        score = score_from(row)
        return OpinionWorth(False, score, self._traded(connection, row, log_id, score))

    def _traded(self, connection: sa.Connection, row: Any, log_id: int, score: Score) -> Beside | None:
        """The ended trade that the decision's entry began, beside its score."""
        o = orders.c
        of_log = (o.account_id == row[_L.account_id], o.symbol == row[_L.symbol], o.t_ms == row[_L.t_ms], o.leg == "e")
        entry = connection.execute(sa.select(o.qty, o.filled_qty).where(*of_log)).first()
        if entry is None or not entry.filled_qty:
            return None
        found: Trips = self._walks.trips(connection, row[_L.account_id])
        trip = next((one for one in found.closed if one.entry is not None and one.entry.log_id == log_id), None)
        return None if trip is None else beside(score, trip, entry.qty or entry.filled_qty, entry.filled_qty)


def _rows(connection: sa.Connection, account_id: int, since_ms: int) -> list[Any]:
    query = (
        sa.select(_L.t_ms, _L.cycle_id, _L.action, _S.net, _S.cost_usd)
        .join(scores, _IS_SCORED)
        .where(_L.account_id == account_id, _L.t_ms >= since_ms)
        .order_by(_L.t_ms.desc())
        .limit(MOST_SCORES)
    )
    return list(connection.execute(query))


def runs_of(connection: sa.Connection, user_id: int) -> list[Ran]:
    """What ran, oldest first."""
    r, v, s = strategy_runs.c, strategy_versions.c, strategies.c
    query = (
        sa.select(r.from_ms, v.id, s.name, v.number)
        .join(strategy_versions, v.id == r.version_id)
        .join(strategies, s.id == v.strategy_id)
        .where(r.user_id == user_id)
        .order_by(r.id)
    )
    return [Ran(*row) for row in connection.execute(query)]


def _by_version(rows: Iterable[Any], runs: list[Ran]) -> list[VersionScores]:
    begins, seen = [run.from_ms for run in runs], set[int]()
    sums: dict[int, tuple[str | None, int, _Sums]] = {}
    for row in rows:  # newest first, and so are the versions
        if row.cycle_id in seen:
            continue
        seen.add(row.cycle_id)
        place = bisect_right(begins, row.t_ms) - 1
        run = runs[place] if place >= 0 else None  # by its id: two strategies may have one name
        told = (run.name, run.number, _Sums()) if run else (None, 0, _Sums())
        sums.setdefault(run.version_id if run else 0, told)[2].add(row.action, row.net, row.cost_usd)
    return [_told(*one) for one in sums.values()]


def _told(name: str | None, number: int, of: _Sums) -> VersionScores:
    holds = of.scored - of.longs - of.shorts
    return VersionScores(name, number, of.scored, of.longs, of.shorts, holds, of.sum_net, of.cost, of.unpriced)
