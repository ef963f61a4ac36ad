"""
The people of a deployment as its operators see them: who they are, how their account stands, and figures of money.

Figures alone: no key, sealed or not, no prompt, no answer and no order of anybody is read here. A page of people is
found by walking down their ids; what is told of each is read for that page alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts, sessions, users
from lib.adapters.sql.tables.trading import cycles, equity_points, trade_logs
from lib.domain.analyst_call import SHADOW
from lib.domain.books import paid_in
from lib.domain.day import midnight_before
from lib.domain.equity import Mark
from lib.domain.position import ZERO
from lib.domain.spelling import normal_email
from lib.queries.reading import Reading, epoch_ms
from lib.queries.standing import Standing, standings

MOST_SEARCHED = 100
"""Characters of a search."""
_CALL = [
    cycles.c[name] for name in ("id", "model", "state", "prompt_tokens", "completion_tokens", "cost_usd", "latency_ms")
]


@dataclass(frozen=True, slots=True)
class Spend:
    """Analyst calls of a day: a call that several people shared counts in parts. *cost* None = no price is known."""

    calls: Decimal = ZERO
    tokens: Decimal = ZERO
    cost: Decimal | None = None

    def plus(self, more: "Spend") -> "Spend":
        """Both together."""
        costs = [cost for cost in (self.cost, more.cost) if cost is not None]
        return Spend(self.calls + more.calls, self.tokens + more.tokens, sum(costs, ZERO) if costs else None)


@dataclass(frozen=True, slots=True)
class Spender:
    """What one person's calls of one model come to today."""

    user_id: int
    email: str
    model: str
    spend: Spend


@dataclass(frozen=True, slots=True)
class PersonLine:
    """
    One person. *last_seen_ms* 0 = no session is known; *equity* is the newest wallet reading, *pnl* that less what was
    paid in; both None without an account.
    """

    user_id: int
    email: str
    is_guest: bool
    is_demo: bool
    joined_ms: int
    last_seen_ms: int
    standing: Standing | None
    equity: Decimal | None
    pnl: Decimal | None
    spend: Spend


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """*rows* by id, newest first; *older* is where the next page begins, 0 = there is none."""

    rows: tuple[PersonLine, ...]
    total: int
    older: int


class RosterReadings(Reading):
    """Everybody who is not deleted."""

    def people(self, search: str = "", *, guests: bool = False, before: int = 0, limit: int = 25) -> PeoplePage:
        """At most *limit* people whose e-mail contains *search*, newest first, with ids below *before* (0 = all)."""
        now = self._clock.now_ms()
        where = _who(search, guests=guests)

        def read(connection: sa.Connection) -> PeoplePage:
            total = connection.scalar(sa.select(sa.func.count()).select_from(users).where(*where)) or 0
            page = (*where, users.c.id < before) if before else tuple(where)
            query = sa.select(users).where(*page).order_by(users.c.id.desc()).limit(limit + 1)
            found = connection.execute(query).mappings().all()
            older = found[limit - 1]["id"] if len(found) > limit else 0
            return PeoplePage(tuple(_lines(connection, found[:limit], now)), total, older)

        return self._read(read)

    def person(self, user_id: int) -> PersonLine | None:
        """One person; None for nobody and for who was deleted."""
        now = self._clock.now_ms()

        def read(connection: sa.Connection) -> PersonLine | None:
            query = sa.select(users).where(users.c.id == user_id, users.c.deleted_at.is_(None))
            found = connection.execute(query).mappings().all()
            return next(iter(_lines(connection, found, now)), None)

        return self._read(read)

    def spenders(self, feed: str, most: int = 50) -> list[Spender]:
        """Who asked which model today, by tokens, the most first."""
        now = self._clock.now_ms()

        def read(connection: sa.Connection) -> list[Spender]:
            shares = _shares(connection, calls_of_day(connection, feed, now))
            first = sorted(shares.items(), key=lambda item: -item[1].tokens)[:most]
            query = sa.select(users.c.id, users.c.email).where(users.c.id.in_([who for (who, _), _ in first]))
            names = {row.id: row.email for row in connection.execute(query)}
            return [Spender(who, names[who], model, spend) for (who, model), spend in first if who in names]

        return self._read(read)


def _who(search: str, *, guests: bool) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [users.c.deleted_at.is_(None)]
    if not guests:
        where.append(sa.not_(users.c.is_guest))
    if wanted := normal_email(search[:MOST_SEARCHED]):
        where.append(users.c.email.contains(wanted, autoescape=True))
    return where


def _lines(connection: sa.Connection, rows: Sequence[sa.RowMapping], now_ms: int) -> list[PersonLine]:
    ids = [row["id"] for row in rows]
    owners = _accounts(connection, ids)
    standing = {one.account_id: one for one in standings(connection, now_ms, accounts.c.id.in_(owners.values()))}
    money = _money(connection, list(owners.values()))
    seen, spent = _last_seen(connection, ids), _spend(connection, ids, now_ms)
    return [
        PersonLine(
            user_id=row["id"],
            email=row["email"],
            is_guest=bool(row["is_guest"]),
            is_demo=bool(row["is_demo"]),
            joined_ms=epoch_ms(row["created_at"]),
            last_seen_ms=seen.get(row["id"], 0),
            standing=standing.get(owners.get(row["id"], 0)),
            equity=money.get(owners.get(row["id"], 0), (None, None))[0],
            pnl=money.get(owners.get(row["id"], 0), (None, None))[1],
            spend=spent.get(row["id"], Spend()),
        )
        for row in rows
    ]


def _accounts(connection: sa.Connection, user_ids: Sequence[int]) -> dict[int, int]:
    """Active account by person."""
    query = sa.select(accounts.c.user_id, accounts.c.id).where(accounts.c.user_id.in_(user_ids), accounts.c.active)
    return {row.user_id: row.id for row in connection.execute(query)}


def _money(connection: sa.Connection, account_ids: Sequence[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """Equity, and what of it was earned, by account: of the newest wallet reading, else of the books' beginning."""
    points = equity_points.c
    newest = (
        sa.select(points.account_id, sa.func.max(points.t_ms).label("t_ms"))
        .where(points.account_id.in_(account_ids))
        .group_by(points.account_id)
        .subquery()
    )
    same = (points.account_id == newest.c.account_id) & (points.t_ms == newest.c.t_ms)
    read = sa.select(points.account_id, points.t_ms, points.equity, points.transfers).join(newest, same)
    marks = {row.account_id: Mark(row.t_ms, row.equity, row.transfers) for row in connection.execute(read)}
    began = sa.select(accounts.c.id, accounts.c.start_balance, accounts.c.transfers)
    found = {}
    for row in connection.execute(began.where(accounts.c.id.in_(account_ids))):
        paid = paid_in(row.start_balance, row.transfers)
        equity = marks[row.id].moved(row.transfers) if row.id in marks else paid
        found[row.id] = (equity, equity - paid)
    return found


def _last_seen(connection: sa.Connection, user_ids: Sequence[int]) -> dict[int, int]:
    # a visitor's look at the demo account is nobody's of the demo person
    mine = (sessions.c.user_id.in_(user_ids), sa.not_(sessions.c.read_only))
    query = sa.select(sessions.c.user_id, sa.func.max(sessions.c.seen_ms)).where(*mine).group_by(sessions.c.user_id)
    return {user_id: int(seen_ms) for user_id, seen_ms in connection.execute(query)}


def _spend(connection: sa.Connection, user_ids: Sequence[int], now_ms: int) -> dict[int, Spend]:
    """What each of these people's share of the analyst's calls of the UTC day comes to."""
    logs = trade_logs.c
    of_day = (logs.executed_at >= utc_from_ms(midnight_before(now_ms)), logs.cycle_id.is_not(None))
    asked = sa.select(logs.cycle_id).where(logs.user_id.in_(user_ids), *of_day)
    ids = set(connection.scalars(asked))
    rows = connection.execute(sa.select(*_CALL).where(cycles.c.id.in_(ids))).mappings().all() if ids else ()
    found: dict[int, Spend] = {}
    for (user_id, _), spend in _shares(connection, rows).items():
        found[user_id] = found.get(user_id, Spend()).plus(spend)
    return found


def calls_of_day(connection: sa.Connection, feed: str, now_ms: int) -> Sequence[sa.RowMapping]:
    """The analyst's calls of the UTC day, those of shadows left out."""
    of_day = (cycles.c.feed == feed, cycles.c.t_ms >= midnight_before(now_ms), cycles.c.asked_for != SHADOW)
    return connection.execute(sa.select(*_CALL).where(*of_day)).mappings().all()


def _shares(connection: sa.Connection, calls: Sequence[sa.RowMapping]) -> dict[tuple[int, str], Spend]:
    """By person and model, a call that several people shared in equal parts."""
    if not calls:
        return {}
    known = {call["id"]: call for call in calls}
    logs = trade_logs.c
    query = sa.select(logs.cycle_id, logs.user_id).where(logs.cycle_id.between(min(known), max(known)))
    asked = [row for row in connection.execute(query) if row.cycle_id in known]
    sharers = Counter(row.cycle_id for row in asked)
    found: dict[tuple[int, str], Spend] = {}
    for row in asked:
        call, who = known[row.cycle_id], (row.user_id, known[row.cycle_id]["model"])
        found[who] = found.get(who, Spend()).plus(_part(call, sharers[row.cycle_id]))
    return found


def _part(call: sa.RowMapping, sharers: int) -> Spend:
    part = Decimal(1) / sharers
    tokens, cost = call["prompt_tokens"] + call["completion_tokens"], call["cost_usd"]
    return Spend(part, tokens * part, None if cost is None else cost * part)
