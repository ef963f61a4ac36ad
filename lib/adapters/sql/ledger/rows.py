"""
Reading rows into the values of the ports, and the small statements several ledger methods share.

Everything here takes an open connection and runs inside its caller's transaction. `exclusively` and `shared` are
locking reads; on SQLite they are plain reads, because BEGIN IMMEDIATE already made the writer alone.

Statements of every cycle are made once, here and in the modules beside this one, with their values bound at the call:
building one, and the key by which its compiled form is found, costs more than SQLite takes to answer it.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.ledger.analysis import read_limits
from lib.adapters.sql.tables.people import account_symbols, accounts, sessions, symbols, system_settings, users
from lib.adapters.sql.tables.trading import orders
from lib.clock import Clock, SystemClock
from lib.domain import reason_codes as codes
from lib.domain.account import DOUBTS, AccountSettings, Doubt, RiskLevel, Slot
from lib.domain.books import OF_SYMBOL, RunningBooks
from lib.domain.decision import answer_version
from lib.domain.errors import Retry
from lib.domain.exit_rules import read_rules
from lib.domain.input_blocks import read_inputs
from lib.domain.order import Order, OrderState
from lib.domain.platform_settings import PREFIX
from lib.domain.session import ABSOLUTE_MS, IDLE_MS

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


@cache
def insertion(table: sa.Table) -> sa.Insert:
    """INSERT into *table*; the values are given when it runs."""
    return sa.insert(table)


def insert_once(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """Insert a row unless a unique key has it already; False when it was there."""
    try:
        with connection.begin_nested():
            connection.execute(insertion(table), values)
    except IntegrityError:
        return False
    return True


def order_from(row: sa.RowMapping) -> Order:
    """A row of `orders`."""
    return Order(**{**row, "state": OrderState(row["state"])})


_VALUES = tuple(field.name for field in fields(Order) if field.name != "id")


def order_values(order: Order) -> dict[str, Any]:
    """The columns of `orders` but its id."""
    return {name: getattr(order, name) for name in _VALUES}


def read_orders(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Order]:
    """Orders that match, by id."""
    query = sa.select(orders).where(*where).order_by(orders.c.id)
    return [order_from(row) for row in connection.execute(query).mappings()]


_AT = (
    sa.select(orders)
    .where(
        orders.c.account_id == sa.bindparam("of_account"),
        orders.c.t_ms == sa.bindparam("at_t"),
        orders.c.symbol == sa.bindparam("of_symbol"),
    )
    .order_by(orders.c.id)
)


def of(slot: Slot) -> dict[str, Any]:
    """*slot* as the values of a statement that asks for *of_account* and *of_symbol*."""
    return {"of_account": slot[0], "of_symbol": slot[1]}


def orders_at(connection: sa.Connection, slot: Slot, t_ms: int) -> list[Order]:
    """The orders of (account, symbol, T), by id."""
    rows = connection.execute(_AT, of(slot) | {"at_t": t_ms}).mappings()
    return [order_from(row) for row in rows]


_BY_LINK = sa.select(orders).where(orders.c.order_link_id == sa.bindparam("of_link"))


def order_of_link(connection: sa.Connection, order_link_id: str) -> Order | None:
    """The order of that link id."""
    row = connection.execute(_BY_LINK, {"of_link": order_link_id}).mappings().one_or_none()
    return None if row is None else order_from(row)


_FOR_UPDATE = exclusively(_BY_LINK.where(orders.c.id == sa.bindparam("of_order")))


def order_for_update(connection: sa.Connection, asked: Order) -> Order:
    """
    The row of *asked* as it is now, locked. *Retry* when the database has lost it.

    By id and link: a database that lost commits gives the same id to another order.
    """
    mine = {"of_order": asked.id, "of_link": asked.order_link_id}
    row = connection.execute(_FOR_UPDATE, mine).mappings().one_or_none()
    if row is None:
        raise Retry(codes.ORDER_ROW_LOST(link=asked.order_link_id))
    return order_from(row)


_ACCOUNT = exclusively(sa.select(accounts).where(accounts.c.id == sa.bindparam("of_account")))
_PERSON = shared(sa.select(users.c.id).where(users.c.id == sa.bindparam("of_user")))


def lock_account(connection: sa.Connection, account_id: int) -> sa.RowMapping:
    """The account's row as it is now, locked: claims, plans and bookings of the account wait for this transaction."""
    return connection.execute(_ACCOUNT, {"of_account": account_id}).mappings().one()


def lock_person(connection: sa.Connection, user_id: int) -> None:
    """Lock the person's row against changes; before the account's row, in the order every transaction locks."""
    connection.execute(_PERSON, {"of_user": user_id}).one()


_RUNNING = tuple(field.name for field in fields(RunningBooks) if field.name not in OF_SYMBOL)
_SLOTS = (
    sa.select(account_symbols, symbols.c.symbol)
    .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
    .where(account_symbols.c.account_id == sa.bindparam("of_account"))
    .order_by(account_symbols.c.symbol_no)
)


def symbol_rows(connection: sa.Connection, account_id: int) -> dict[str, sa.RowMapping]:
    """The rows of `account_symbols` of the account, by symbol; whoever writes one holds the account's row."""
    return {row["symbol"]: row for row in connection.execute(_SLOTS, {"of_account": account_id}).mappings()}


def running_books(row: sa.RowMapping, held: sa.RowMapping | None = None) -> RunningBooks:
    """The running columns of a row of `accounts`, on the symbol of *held*, a row of `account_symbols`."""
    known = {name: row[name] for name in _RUNNING}
    return RunningBooks(**known, **({name: held[name] for name in OF_SYMBOL} if held else {}))


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
        system=row["system_text"] or "",
        cadence_min=row["cadence_min"],
        inputs=read_inputs(row["inputs"]),
        models=tuple(row["models"].split(",")) if row["models"] else (),
        answer_version=answer_version(row["answer_version"]),
        exits=read_rules(row["exits"]),
    )


def doubts_text(doubts: Iterable[Doubt]) -> str:
    """*doubts* as the column of `accounts` holds them."""
    return ",".join(doubts)


def read_doubts(stored: str) -> tuple[Doubt, ...]:
    """What `doubts_text` wrote; a word nobody knows is left out."""
    written = stored.split(",")
    return tuple(doubt for doubt in DOUBTS if doubt in written)


def setting_rows(connection: sa.Connection) -> dict[str, str]:
    """Every platform setting that has a row; a row without a value reads as empty text, which no setting may be."""
    row = system_settings.c
    query = sa.select(row.setting_key, row.setting_value).where(row.setting_key.startswith(PREFIX, autoescape=True))
    return {name: text or "" for name, text in connection.execute(query)}


def has_session(now_ms: "int | sa.BindParameter[int]") -> sa.ColumnElement[bool]:
    """Whether a session of the person of a query over `users` lives at *now_ms*: `lib.domain.session` in SQL."""
    return sa.exists().where(
        sessions.c.user_id == users.c.id,
        sessions.c.created_ms > now_ms - ABSOLUTE_MS,
        sessions.c.seen_ms > now_ms - IDLE_MS,
    )
