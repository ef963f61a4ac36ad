"""
What the books know of an account, and of the whole platform, on a UTC day: the ledger's half of the risk gates.

Only reads. Money is summed in Python, over one row an account; whole numbers over indexes that cover them.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.cycles import analyst_failures
from lib.adapters.sql.ledger.locks import lock_kinds
from lib.adapters.sql.ledger.marks import day_start_of
from lib.adapters.sql.ledger.rows import Now, order_from, running_books, symbol_rows
from lib.adapters.sql.ledger.staking import stakes
from lib.adapters.sql.tables.people import account_symbols, accounts
from lib.adapters.sql.tables.trading import cycles, equity_points, orders
from lib.domain.account import Pool, Slot
from lib.domain.day import midnight_after, midnight_before, utc_day
from lib.domain.decimals import plain
from lib.domain.equity import YOUNG_POINT_MS, Mark, day_start
from lib.domain.gates import UNLISTED_MS, LogFacts, PlatformFacts, kinds_of, newly_missing
from lib.domain.order import IN_FLIGHT, OrderState
from lib.domain.order_rules import is_unresolved
from lib.domain.position import ZERO
from lib.domain.venues import venues_of

_MAY_BE_UNRESOLVED = [state.value for state in (*IN_FLIGHT, OrderState.NEEDS_HUMAN, OrderState.PLANNED)]


_OF_ACCOUNT: "sa.BindParameter[int]" = sa.bindparam("of_account")
_ACCOUNT = sa.select(accounts).where(accounts.c.id == _OF_ACCOUNT)
_ENTRIES = sa.select(sa.func.count()).where(
    orders.c.leg == "e",
    orders.c.attempts >= 1,
    orders.c.t_ms >= sa.bindparam("from_ms"),
    orders.c.t_ms < sa.bindparam("to_ms"),
)
_OWN_ENTRIES = _ENTRIES.where(orders.c.account_id == _OF_ACCOUNT)
_UNRESOLVED = sa.select(orders).where(orders.c.account_id == _OF_ACCOUNT, orders.c.state.in_(_MAY_BE_UNRESOLVED))
_DIFFERENCE = (
    sa.select(equity_points.c.difference)
    .where(equity_points.c.account_id == _OF_ACCOUNT, equity_points.c.t_ms <= sa.bindparam("until"))
    .order_by(equity_points.c.t_ms.desc())
    .limit(1)
)


def facts(connection: sa.Connection, now: Now, slot: Slot, t_ms: int) -> LogFacts:
    """The ledger's `facts`."""
    account_id, symbol = slot
    account = connection.execute(_ACCOUNT, {"of_account": account_id}).mappings().one()
    held = symbol_rows(connection, account_id)
    return LogFacts(
        own_qty=held[symbol]["position_qty"] if symbol in held else ZERO,
        day_start_equity=day_start_of(connection, account_id, t_ms, account["start_balance"], account["transfers"]),
        peak_equity=account["peak_equity"],
        entries_today=connection.scalar(_OWN_ENTRIES, {"of_account": account_id} | _day(t_ms)) or 0,
        loss_streak=running_books(account).streak_on(t_ms),
        last_stop_ms=account["last_stop_ms"],
        locks=lock_kinds(connection, account_id, now(connection)),
        unresolved=_unresolved(connection, slot, t_ms),
        others=stakes(connection, account_id, but=symbol) if len(held) > 1 else (),
        tokens_today=account["tokens_spent"] if account["tokens_day"] == utc_day(t_ms) else 0,
        difference_before=_difference_before(connection, account_id, t_ms),
    )


def _difference_before(connection: sa.Connection, account_id: int, t_ms: int) -> Decimal:
    given = {"of_account": account_id, "until": t_ms - UNLISTED_MS}
    found: Decimal | None = connection.execute(_DIFFERENCE, given).scalar_one_or_none()
    return found or ZERO


def _on_day(column: "sa.Column[int]", t_ms: int) -> sa.ColumnElement[bool]:
    return sa.and_(column >= midnight_before(t_ms), column < midnight_after(t_ms))


def _day(t_ms: int) -> dict[str, int]:
    return {"from_ms": midnight_before(t_ms), "to_ms": midnight_after(t_ms)}


def _unresolved(connection: sa.Connection, slot: Slot, t_ms: int) -> int:
    rows = (order_from(row) for row in connection.execute(_UNRESOLVED, {"of_account": slot[0]}).mappings())
    return sum(is_unresolved(row, slot[1], t_ms) for row in rows)


# --- the platform ----------------------------------------------------------------------------------------------------


def platform_facts(connection: sa.Connection, now: Now, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
    """The ledger's `platform_facts`."""
    of_pool = _of_pool(feed, pool)
    rows = connection.execute(_standing(t_ms).where(*of_pool)).mappings().all()
    today = [(row, newest) for row in rows if (newest := _mark(row, "newest"))]
    tokens, for_guests, cost = _spent(connection, feed, t_ms, pool)
    theirs = orders.c.account_id.in_(sa.select(accounts.c.id).where(*of_pool))
    return PlatformFacts(
        entries=connection.scalar(_ENTRIES.where(theirs), _day(t_ms)) or 0,
        exposure=sum((abs(qty) * average for qty, average in connection.execute(_held_in(of_pool))), ZERO),
        equity=sum((newest.moved(row["transfers"]) for row, newest in today), ZERO),
        day_start_equity=sum((_day_start(row, t_ms) for row, _ in today), ZERO),
        tokens=tokens,
        cost=cost,
        analyst_failures=analyst_failures(connection, feed, before_ms=t_ms),
        locks=kinds_of(pool, lock_kinds(connection, 0, now(connection))),
        missing=sum((newly_missing(row["difference"], row["difference_before"] or ZERO) for row, _ in today), ZERO),
        pool=pool,
        guest_tokens=for_guests,
    )


def _of_pool(feed: str, pool: Pool) -> tuple[sa.ColumnElement[bool], ...]:
    return accounts.c.feed == feed, accounts.c.venue.in_(venues_of(pool))


def _held_in(of_pool: tuple[sa.ColumnElement[bool], ...]) -> "sa.Select[Any]":
    """Quantity and average of every booked position of the pool."""
    held = account_symbols.c
    query = sa.select(held.position_qty, held.avg_entry_price).join(accounts, accounts.c.id == held.account_id)
    return query.where(*of_pool, held.position_qty != ZERO)


def _day_start(row: sa.RowMapping, t_ms: int) -> Decimal:
    return day_start(t_ms, _mark(row, "before"), _mark(row, "first"), row["start_balance"], row["transfers"])


def _standing(t_ms: int) -> "sa.Select[Any]":
    """
    Each account with three marks, NULL where it has none: its newest of the day, the first, and the last
    before. Of those before only a young one is asked for: the day of who is served today never starts at an old one.
    """
    at, midnight = equity_points.c.t_ms, midnight_before(t_ms)
    newest, today = at.desc(), (at >= midnight, at <= t_ms)
    return sa.select(
        *(accounts.c[name] for name in ("start_balance", "transfers")),
        *_marked("newest", newest, *today),
        *_marked("first", at, *today),
        *_marked("before", newest, at < midnight, at >= midnight - YOUNG_POINT_MS),
        _point("difference", newest, *today).label("difference"),
        _point("difference", newest, at <= t_ms - UNLISTED_MS).label("difference_before"),
    )


def _marked(name: str, order: Any, *when: sa.ColumnElement[bool]) -> "list[sa.Label[Any]]":
    return [_point(part, order, *when).label(f"{name}_{part}") for part in ("t_ms", "equity", "transfers")]


def _mark(row: sa.RowMapping, name: str) -> Mark | None:
    t_ms, equity, counted = (row[f"{name}_{part}"] for part in ("t_ms", "equity", "transfers"))
    return None if t_ms is None else Mark(t_ms, equity, counted)


def _point(name: str, order: Any, *when: sa.ColumnElement[bool]) -> "sa.ScalarSelect[Any]":
    """One column of an account's first or newest equity point: a single step in the primary key."""
    points = equity_points.c
    mine = sa.select(points[name]).where(points.account_id == accounts.c.id, *when)
    return mine.order_by(order).limit(1).correlate(accounts).scalar_subquery()


def _spent(connection: sa.Connection, feed: str, t_ms: int, pool: Pool) -> tuple[int, int, Decimal]:
    """Tokens of *pool*, those of guests among them, and what its calls cost in USD."""
    theirs, ours = cycles.c.asked_for == "exchange", cycles.c.asked_for.in_(("paper", "guests"))
    today = (cycles.c.feed == feed, _on_day(cycles.c.t_ms, t_ms), theirs if pool == "exchange" else ours)
    used = cycles.c.prompt_tokens + cycles.c.completion_tokens
    for_guests = sa.case((cycles.c.asked_for == "guests", used), else_=0)
    tokens, guests = connection.execute(sa.select(sa.func.sum(used), sa.func.sum(for_guests)).where(*today)).one()
    # thousands of rows: as the driver gives them, made plain once at the end
    as_given = sa.type_coerce(cycles.c.cost_usd, sa.Text())
    priced = connection.scalars(sa.select(as_given).where(*today, cycles.c.cost_usd.is_not(None)))
    return int(tokens or 0), int(guests or 0), plain(sum(map(Decimal, priced), ZERO))
