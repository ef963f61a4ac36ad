"""
Risk locks: entries of one account, or of everybody, are off until a moment.

A lock is written behind the row every claim reads before it (the account's, or the platform's flags): a claim that read
"no lock" is decided before. A lock ended by hand keeps its row, with who ended it and when.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.marks import newest_mark
from lib.adapters.sql.ledger.rows import Now, lock_account
from lib.adapters.sql.ledger.switches import lock_flags
from lib.adapters.sql.ledger.telling import tell_owner
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import platform_locks, risk_locks
from lib.domain.day import utc_day
from lib.domain.events import Event, EventKind
from lib.domain.locks import RiskLock
from lib.domain.reason import Reason


def lock(connection: sa.Connection, now: Now, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
    """The ledger's `lock`."""
    account = _behind(connection, account_id)
    at = now(connection)
    if _holding(connection, account_id, at, kind):
        return
    _put(connection, account_id, at, {"kind": kind, "until_ms": until_ms, "why": why, "created_ms": at})
    if account is not None:
        tell_owner(connection, account_id, Event(EventKind.LOCKED, why, f"locked:{account_id}:{kind}:{at}"))


def _behind(connection: sa.Connection, account_id: int) -> sa.RowMapping | None:
    """Lock the row that guards an account's risk locks: the account's own, or the platform's (None)."""
    if account_id:
        return lock_account(connection, account_id)
    lock_flags(connection)
    return None


def _holding(connection: sa.Connection, account_id: int, at: int, kind: str) -> bool:
    held = sa.select(sa.literal(1)).where(*_held(account_id, at), _table(account_id).c.kind == kind)
    return connection.execute(held.limit(1)).first() is not None


def _put(connection: sa.Connection, account_id: int, at: int, values: dict[str, Any]) -> None:
    """Insert a lock's row, or begin the row of this day (for the platform: of this kind) again."""
    table = _table(account_id)
    key = {"kind": values["kind"]} | ({"account_id": account_id, "utc_day": utc_day(at)} if account_id else {})
    same = [table.c[name] == value for name, value in key.items()]
    fresh = values | {"ended_by": "", "ended_ms": 0}
    if connection.execute(sa.update(table).where(*same).values(fresh)).rowcount == 0:
        connection.execute(sa.insert(table).values(key | values))


def locks(connection: sa.Connection, now: Now, account_id: int) -> list[RiskLock]:
    """The ledger's `locks`."""
    table = _table(account_id)
    query = sa.select(table).where(*_held(account_id, now(connection))).order_by(table.c.created_ms, table.c.kind)
    rows = connection.execute(query).mappings()
    return [RiskLock(account_id, row["kind"], row["until_ms"], row["why"], row["created_ms"]) for row in rows]


def unlock(connection: sa.Connection, now: Now, account_id: int, kind: str, who: str) -> bool:
    """The ledger's `unlock`."""
    account = _behind(connection, account_id)
    table, at = _table(account_id), now(connection)
    held = (*_held(account_id, at), table.c.kind == kind)
    ended = {"until_ms": at, "ended_by": who[:255], "ended_ms": at}
    if connection.execute(sa.update(table).where(*held).values(ended)).rowcount == 0:
        return False
    if account is not None:
        _begin_again(connection, account, kind)
    return True


def _begin_again(connection: sa.Connection, account: sa.RowMapping, kind: str) -> None:
    """Let the figure the lock is about begin anew; otherwise the next cycle would lock again at once."""
    values: dict[str, Any] = {}
    if kind == "drawdown":
        values = {"peak_equity": _newest_equity(connection, account)}
    if kind == "loss_streak":
        values = {"loss_streak": 0}
    if values:
        connection.execute(sa.update(accounts).where(accounts.c.id == account["id"]).values(values))


def _newest_equity(connection: sa.Connection, account: sa.RowMapping) -> Decimal:
    mark = newest_mark(connection, account["id"])
    return mark.moved(account["transfers"]) if mark else account["peak_equity"]


def _table(account_id: int) -> sa.Table:
    return risk_locks if account_id else platform_locks


def _held(account_id: int, at: int) -> list[sa.ColumnElement[bool]]:
    table = _table(account_id)
    mine = [table.c.account_id == account_id] if account_id else []
    return [*mine, table.c.until_ms > at]


_PLATFORM_KINDS = sa.select(platform_locks.c.kind).where(platform_locks.c.until_ms > sa.bindparam("at_ms"))
_OWN_KINDS = sa.select(risk_locks.c.kind).where(
    risk_locks.c.account_id == sa.bindparam("of_account"), risk_locks.c.until_ms > sa.bindparam("at_ms")
)


def lock_kinds(connection: sa.Connection, account_id: int, at: int) -> tuple[str, ...]:
    """Kinds of the locks of the account (0: the platform) that hold at *at*."""
    query, own = (_OWN_KINDS, {"of_account": account_id}) if account_id else (_PLATFORM_KINDS, {})
    return tuple(sorted(set(connection.scalars(query, own | {"at_ms": at}))))
