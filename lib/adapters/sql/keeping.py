"""The books: fills, equity, and what they add up to. Sums are made in Python, never in SQL (see `columns`)."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.booking import book_fill
from lib.adapters.sql.people import accounts
from lib.adapters.sql.rows import (
    Now,
    account_symbol,
    insert_once,
    lock_account,
    order_from,
    running_books,
)
from lib.adapters.sql.rulings import DAY_MS, is_unresolved, utc_day
from lib.adapters.sql.trading import equity_points, fills, orders, risk_locks
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.ports import Books, EquityPoint, Fill, LogFacts

_MAY_BE_UNRESOLVED = [state.value for state in (*IN_FLIGHT, OrderState.NEEDS_HUMAN, OrderState.PLANNED)]
_MAY_HAVE_FILLED = [OrderState.FILLED.value, OrderState.PARTIAL.value]


def record_fills(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> int:
    """The ledger's `record_fills`."""
    if not seen:
        return 0
    books = running_books(lock_account(connection, account_id))
    known = _known(connection, account_id, seen)
    ours = _order_ids(connection, account_id, seen)
    rows = []
    for fill in seen:
        if fill.exec_id not in known and fill.at_ms >= books.opened_ms:
            known.add(fill.exec_id)
            books, realised = book_fill(books, fill)
            rows.append(_fill_values(account_id, fill, ours.get(fill.order_link_id), realised))
    if rows:
        connection.execute(sa.insert(fills), rows)
        connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(asdict(books)))
    return len(rows)


def _known(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> set[str]:
    ids = [fill.exec_id for fill in seen]
    query = sa.select(fills.c.exec_id).where(fills.c.account_id == account_id, fills.c.exec_id.in_(ids))
    return set(connection.scalars(query))


def _order_ids(connection: sa.Connection, account_id: int, seen: Sequence[Fill]) -> dict[str, int]:
    links = {fill.order_link_id for fill in seen if fill.order_link_id}
    query = sa.select(orders.c.order_link_id, orders.c.id).where(
        orders.c.account_id == account_id, orders.c.order_link_id.in_(links)
    )
    return {link: order_id for link, order_id in connection.execute(query)}


def _fill_values(account_id: int, fill: Fill, order_id: int | None, realised: Decimal) -> dict[str, Any]:
    values = asdict(fill)
    values["exchange_order_id"] = values.pop("order_id")
    return values | {"account_id": account_id, "order_id": order_id, "realised": realised}


def books(connection: sa.Connection, account_id: int) -> Books:
    """The ledger's `books`."""
    row = connection.execute(sa.select(accounts).where(accounts.c.id == account_id)).mappings().one()
    return running_books(row).books(account_symbol(connection, account_id))


def record_equity(connection: sa.Connection, point: EquityPoint) -> None:
    """The ledger's `record_equity`; the account's peak follows the point that stands."""
    peak = lock_account(connection, point.account_id)["peak_equity"]
    if insert_once(connection, equity_points, asdict(point)) and point.equity > peak:
        connection.execute(
            sa.update(accounts).where(accounts.c.id == point.account_id).values(peak_equity=point.equity)
        )


def facts(connection: sa.Connection, now: Now, account_id: int, t_ms: int) -> LogFacts:
    """The ledger's `facts`."""
    account = connection.execute(sa.select(accounts).where(accounts.c.id == account_id)).mappings().one()
    return LogFacts(
        own_qty=account["position_qty"],
        day_start_equity=_day_start_equity(connection, account, t_ms),
        peak_equity=account["peak_equity"],
        entries_today=_entries_today(connection, account_id, t_ms),
        loss_streak=running_books(account).streak_on(t_ms),
        last_stop_ms=account["last_stop_ms"],
        locks=_locks(connection, account_id, now(connection)),
        unresolved=_unresolved(connection, account_id, t_ms),
    )


def _day_start_equity(connection: sa.Connection, account: sa.RowMapping, t_ms: int) -> Decimal:
    points, midnight = equity_points.c, utc_day(t_ms) * DAY_MS
    mine = sa.select(points.equity).where(points.account_id == account["id"])
    today = mine.where(points.t_ms >= midnight, points.t_ms <= t_ms).order_by(points.t_ms)
    before = mine.where(points.t_ms < midnight).order_by(points.t_ms.desc())
    found = (connection.execute(query.limit(1)).scalar_one_or_none() for query in (today, before))
    start: Decimal = account["start_balance"]
    return next((equity for equity in found if equity is not None), start)


def _entries_today(connection: sa.Connection, account_id: int, t_ms: int) -> int:
    midnight = utc_day(t_ms) * DAY_MS
    query = sa.select(sa.func.count(orders.c.id)).where(
        orders.c.account_id == account_id,
        orders.c.leg == "e",
        orders.c.attempts >= 1,
        orders.c.t_ms >= midnight,
        orders.c.t_ms < midnight + DAY_MS,
    )
    return connection.scalar(query) or 0


def _locks(connection: sa.Connection, account_id: int, now: int) -> tuple[str, ...]:
    query = sa.select(risk_locks.c.kind).where(risk_locks.c.account_id == account_id, risk_locks.c.until_ms > now)
    return tuple(sorted(set(connection.scalars(query))))


def _unresolved(connection: sa.Connection, account_id: int, t_ms: int) -> int:
    query = sa.select(orders).where(orders.c.account_id == account_id, orders.c.state.in_(_MAY_BE_UNRESOLVED))
    rows = (order_from(row) for row in connection.execute(query).mappings())
    return sum(is_unresolved(row, t_ms) for row in rows)


def last_entry(connection: sa.Connection, account_id: int) -> Order | None:
    """The ledger's `last_entry`. Money is compared in Python; only states that can have filled are read."""
    query = (
        sa.select(orders)
        .where(orders.c.account_id == account_id, orders.c.leg == "e", orders.c.state.in_(_MAY_HAVE_FILLED))
        .order_by(orders.c.t_ms.desc(), orders.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return order_from(row) if row else None
