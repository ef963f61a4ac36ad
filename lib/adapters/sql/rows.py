"""
Reading rows into the values of the ports, and the small statements several ledger methods share.

Everything here takes an open connection and runs inside its caller's transaction. `exclusively` and `shared` are
locking reads; on SQLite they are plain reads, because BEGIN IMMEDIATE already made the writer alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.analysis import read_limits
from lib.adapters.sql.booking import RunningBooks
from lib.adapters.sql.people import accounts, credentials, symbols, users
from lib.adapters.sql.trading import orders
from lib.clock import Clock, SystemClock
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.order import Order, OrderState
from lib.ports import TraderAccount

Now = Callable[[sa.Connection], int]
"""The ledger's clock, epoch ms, read at the moment of the call."""

# SYSDATE is the moment it runs; NOW() would be the statement's start, before any lock was waited for
_SERVER_MS = sa.text("SELECT CAST(FLOOR(UNIX_TIMESTAMP(SYSDATE(6)) * 1000) AS SIGNED)")


def ledger_clock(engine: sa.Engine, clock: Clock | None) -> Now:
    """*clock* when one is given, else the database server's own clock (the machine's, for SQLite)."""
    if clock is None and engine.dialect.name != "sqlite":
        return lambda connection: int(connection.scalar(_SERVER_MS) or 0)
    local = clock or SystemClock()
    return lambda connection: local.now_ms()


def exclusively(query: sa.Select[Any]) -> sa.Select[Any]:
    """*query* as SELECT … FOR UPDATE."""
    return query.with_for_update()


def shared(query: sa.Select[Any]) -> sa.Select[Any]:
    """*query* as SELECT … LOCK IN SHARE MODE: nobody changes what was read until we commit."""
    return query.with_for_update(read=True)


def insert_once(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """Insert a row unless a unique key has it already; False when it was there."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(values))
    except IntegrityError:
        return False
    return True


def order_from(row: sa.RowMapping) -> Order:
    """A row of `orders`."""
    return Order(**{**row, "state": OrderState(row["state"])})


def order_values(order: Order) -> dict[str, Any]:
    """The columns of `orders` but its id."""
    return {field.name: getattr(order, field.name) for field in fields(Order) if field.name != "id"}


def read_orders(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Order]:
    """Orders that match, by id."""
    query = sa.select(orders).where(*where).order_by(orders.c.id)
    return [order_from(row) for row in connection.execute(query).mappings()]


def order_for_update(connection: sa.Connection, order_id: int) -> Order:
    """The order's row as it is now, locked."""
    query = exclusively(sa.select(orders).where(orders.c.id == order_id))
    return order_from(connection.execute(query).mappings().one())


def lock_account(connection: sa.Connection, account_id: int) -> sa.RowMapping:
    """The account's row as it is now, locked: claims wait, and so does whoever plans or books for it."""
    query = exclusively(sa.select(accounts).where(accounts.c.id == account_id))
    return connection.execute(query).mappings().one()


def running_books(row: sa.RowMapping) -> RunningBooks:
    """The running columns of a row of `accounts`."""
    return RunningBooks(**{field.name: row[field.name] for field in fields(RunningBooks)})


def settings_from(row: sa.RowMapping) -> AccountSettings:
    """The settings in a row that has the columns of `users`."""
    return AccountSettings(
        risk_level=RiskLevel(row["risk_level"]),
        max_leverage=row["max_leverage"],
        custom_prompt=row["custom_prompt"] or "",
        long_only=row["long_only"],
        risk_per_trade=row["risk_per_trade"],
        min_confidence=row["min_confidence"],
        limits=read_limits(row["limits"]),
    )


_ACCOUNT = sa.select(
    accounts.c.id.label("account_id"),
    accounts.c.user_id,
    accounts.c.venue,
    accounts.c.feed,
    accounts.c.uid,
    accounts.c.symbol_no,
    accounts.c.key_version,
    accounts.c.trading_enabled,
    accounts.c.position_qty,
    symbols.c.symbol,
    credentials.c.sealed,
    users.c.auto_trade_enabled,
    users.c.auto_trade_since_ms,
    users.c.settings_version,
    users.c.risk_level,
    users.c.max_leverage,
    users.c.custom_prompt,
    users.c.long_only,
    users.c.risk_per_trade,
    users.c.min_confidence,
    users.c.limits,
).select_from(
    accounts.join(users, users.c.id == accounts.c.user_id)
    .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
    .join(
        credentials,
        (credentials.c.account_id == accounts.c.id) & (credentials.c.key_version == accounts.c.key_version),
    )
)


def read_accounts(connection: sa.Connection) -> list[TraderAccount]:
    """Every active account whose owner is not deleted and whose key is not revoked, by id."""
    query = _ACCOUNT.where(
        accounts.c.active, users.c.deleted_at.is_(None), credentials.c.revoked_at.is_(None)
    ).order_by(accounts.c.id)
    return [_account_from(row) for row in connection.execute(query).mappings()]


def _account_from(row: sa.RowMapping) -> TraderAccount:
    return TraderAccount(
        account_id=row["account_id"],
        user_id=row["user_id"],
        venue=row["venue"],
        feed=row["feed"],
        uid=row["uid"],
        symbol=row["symbol"],
        symbol_no=row["symbol_no"],
        settings=settings_from(row),
        key_version=row["key_version"],
        settings_version=row["settings_version"],
        sealed_key=row["sealed"],
        auto_trade=row["auto_trade_enabled"],
        auto_since=row["auto_trade_since_ms"],
        trading_enabled=row["trading_enabled"],
        booked_qty=row["position_qty"],
    )


def account_symbol(connection: sa.Connection, account_id: int) -> str:
    """The symbol the account trades."""
    query = (
        sa.select(symbols.c.symbol)
        .join(accounts, accounts.c.symbol_no == symbols.c.symbol_no)
        .where(accounts.c.id == account_id)
    )
    return str(connection.execute(query).scalar_one())


def same_t(account_id: int, t_ms: int) -> Sequence[sa.ColumnElement[bool]]:
    """Conditions for the orders of (account, T)."""
    return (orders.c.account_id == account_id, orders.c.t_ms == t_ms)
