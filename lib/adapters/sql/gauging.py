"""
What the books know of an account, and of the whole platform, on a UTC day: the ledger's half of the risk gates.

Only reads. Money is summed in Python, over one row an account; whole numbers over indexes that cover them.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.columns import plain
from lib.adapters.sql.cycles import analyst_failures
from lib.adapters.sql.locks import lock_kinds
from lib.adapters.sql.people import accounts
from lib.adapters.sql.rows import Now, order_from, running_books
from lib.adapters.sql.rulings import DAY_MS, YOUNG_POINT_MS, is_unresolved, since_then, utc_day
from lib.adapters.sql.trading import cycles, equity_points, orders
from lib.domain.gates import UNLISTED_MS, newly_missing
from lib.domain.order import IN_FLIGHT, OrderState
from lib.domain.position import ZERO
from lib.ports import LogFacts, PlatformFacts

_MAY_BE_UNRESOLVED = [state.value for state in (*IN_FLIGHT, OrderState.NEEDS_HUMAN, OrderState.PLANNED)]


def facts(connection: sa.Connection, now: Now, account_id: int, t_ms: int) -> LogFacts:
    """The ledger's `facts`."""
    account = connection.execute(sa.select(accounts).where(accounts.c.id == account_id)).mappings().one()
    return LogFacts(
        own_qty=account["position_qty"],
        day_start_equity=_day_start_equity(connection, account, t_ms),
        peak_equity=account["peak_equity"],
        entries_today=_entries(connection, t_ms, orders.c.account_id == account_id),
        loss_streak=running_books(account).streak_on(t_ms),
        last_stop_ms=account["last_stop_ms"],
        locks=lock_kinds(connection, account_id, now(connection)),
        unresolved=_unresolved(connection, account_id, t_ms),
        tokens_today=account["tokens_spent"] if account["tokens_day"] == utc_day(t_ms) else 0,
        difference_before=_difference_before(connection, account_id, t_ms),
    )


def _difference_before(connection: sa.Connection, account_id: int, t_ms: int) -> Decimal:
    points = equity_points.c
    old = sa.select(points.difference).where(points.account_id == account_id, points.t_ms <= t_ms - UNLISTED_MS)
    found: Decimal | None = connection.execute(old.order_by(points.t_ms.desc()).limit(1)).scalar_one_or_none()
    return found or ZERO


def _midnight(t_ms: int) -> int:
    return utc_day(t_ms) * DAY_MS


def _on_day(column: "sa.Column[int]", t_ms: int) -> sa.ColumnElement[bool]:
    return sa.and_(column >= _midnight(t_ms), column < _midnight(t_ms) + DAY_MS)


def _day_start_equity(connection: sa.Connection, account: sa.RowMapping, t_ms: int) -> Decimal:
    """The last point before midnight; an old one only when today has none yet, then the start of the books."""
    points, midnight = equity_points.c, _midnight(t_ms)
    mine = sa.select(points.equity, points.transfers).where(points.account_id == account["id"])
    before = mine.where(points.t_ms < midnight).order_by(points.t_ms.desc())
    young = before.where(points.t_ms >= midnight - YOUNG_POINT_MS)
    today = mine.where(points.t_ms >= midnight, points.t_ms <= t_ms).order_by(points.t_ms)
    found = (connection.execute(query.limit(1)).one_or_none() for query in (young, today, before))
    equity, counted = next((tuple(row) for row in found if row is not None), (account["start_balance"], ZERO))
    return since_then(account["transfers"], equity, counted)


def _entries(connection: sa.Connection, t_ms: int, *where: sa.ColumnElement[bool]) -> int:
    sent = (orders.c.leg == "e", orders.c.attempts >= 1, _on_day(orders.c.t_ms, t_ms))
    return connection.scalar(sa.select(sa.func.count()).where(*where, *sent)) or 0


def _unresolved(connection: sa.Connection, account_id: int, t_ms: int) -> int:
    query = sa.select(orders).where(orders.c.account_id == account_id, orders.c.state.in_(_MAY_BE_UNRESOLVED))
    rows = (order_from(row) for row in connection.execute(query).mappings())
    return sum(is_unresolved(row, t_ms) for row in rows)


# --- the platform ----------------------------------------------------------------------------------------------------


def platform_facts(connection: sa.Connection, now: Now, feed: str, t_ms: int) -> PlatformFacts:
    """The ledger's `platform_facts`."""
    rows = connection.execute(_standing(feed, t_ms)).all()
    today = [row for row in rows if row.equity is not None]
    starts = (since_then(row.transfers, row.day_start, row.counted) for row in today)
    tokens, cost = _spent(connection, feed, t_ms)
    of_feed = orders.c.account_id.in_(sa.select(accounts.c.id).where(accounts.c.feed == feed))
    return PlatformFacts(
        entries=_entries(connection, t_ms, of_feed),
        exposure=sum((abs(row.position_qty) * row.avg_entry_price for row in rows), ZERO),
        equity=sum((since_then(row.transfers, row.equity, row.counted_then) for row in today), ZERO),
        day_start_equity=sum(starts, ZERO),
        tokens=tokens,
        cost=cost,
        analyst_failures=analyst_failures(connection, feed, before_ms=t_ms),
        locks=lock_kinds(connection, 0, now(connection)),
        missing=sum((newly_missing(row.difference, row.difference_before or ZERO) for row in today), ZERO),
    )


def _standing(feed: str, t_ms: int) -> "sa.Select[Any]":
    """Each account of *feed* with its newest equity of the day and its day's start, NULL for one not served today."""
    newest = (equity_points.c.t_ms.desc(), *_today(t_ms))
    return sa.select(
        accounts.c.position_qty,
        accounts.c.avg_entry_price,
        accounts.c.transfers,
        _point("equity", *newest).label("equity"),
        _point("difference", *newest).label("difference"),
        _point("difference", newest[0], equity_points.c.t_ms <= t_ms - UNLISTED_MS).label("difference_before"),
        _point("transfers", *newest).label("counted_then"),
        _day_start("equity", t_ms).label("day_start"),
        _day_start("transfers", t_ms).label("counted"),
    ).where(accounts.c.feed == feed)


def _today(t_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    return equity_points.c.t_ms >= _midnight(t_ms), equity_points.c.t_ms <= t_ms


def _day_start(name: str, t_ms: int) -> "sa.ColumnElement[Any]":
    """As `_day_start_equity`; of who has a point today, so an old one is never asked for."""
    at, midnight = equity_points.c.t_ms, _midnight(t_ms)
    young = _point(name, at.desc(), at < midnight, at >= midnight - YOUNG_POINT_MS)
    return sa.func.coalesce(young, _point(name, at, *_today(t_ms)), type_=equity_points.c[name].type)


def _point(name: str, order: Any, *when: sa.ColumnElement[bool]) -> "sa.ScalarSelect[Any]":
    """One column of an account's first or newest point: a single step in the primary key."""
    points = equity_points.c
    mine = sa.select(points[name]).where(points.account_id == accounts.c.id, *when)
    return mine.order_by(order).limit(1).correlate(accounts).scalar_subquery()


def _spent(connection: sa.Connection, feed: str, t_ms: int) -> tuple[int, Decimal]:
    today = (cycles.c.feed == feed, _on_day(cycles.c.t_ms, t_ms))
    tokens = connection.scalar(
        sa.select(sa.func.sum(cycles.c.prompt_tokens + cycles.c.completion_tokens)).where(*today)
    )
    # thousands of rows: as the driver gives them, made plain once at the end
    as_given = sa.type_coerce(cycles.c.cost_usd, sa.Text())
    priced = connection.scalars(sa.select(as_given).where(*today, cycles.c.cost_usd.is_not(None)))
    return int(tokens or 0), plain(sum(map(Decimal, priced), ZERO))
