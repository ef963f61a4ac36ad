"""
Lease, platform and account flags, pauses, and the proof that something stopped: who may trade, and who may not.

A switch that is thrown dates itself after its row is locked: no claim decided before it is dated later. Every throw
takes an earlier proof back. A stop leaves a flatten as it stands, whatever its thrower had read before the lock.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import Now, exclusively, lock_account
from lib.adapters.sql.ledger.telling import tell, tell_owner
from lib.adapters.sql.tables.people import accounts, system_flags
from lib.adapters.sql.tables.trading import trader_lease
from lib.domain.errors import Halt
from lib.domain.events import Event, EventKind, of_proof
from lib.domain.reason import Reason
from lib.domain.switches import AccountStop, Flags, after_throw, keeps_flatten, why_thrown


def hold_lease(connection: sa.Connection, now: Now, holder: str, ttl_ms: int) -> int | None:
    """The ledger's `hold_lease`: renewing keeps the epoch, taking over adds one."""
    row = connection.execute(exclusively(sa.select(trader_lease))).mappings().one()
    at = now(connection)
    ours = row["holder"] == holder
    if row["holder"] and not ours and row["expires_ms"] > at:
        return None
    epoch = row["epoch"] if ours else row["epoch"] + 1
    connection.execute(sa.update(trader_lease).values(holder=holder, epoch=epoch, expires_ms=at + ttl_ms))
    return int(epoch)


def release_lease(connection: sa.Connection, holder: str) -> None:
    """The ledger's `release_lease`; another's lease stays."""
    connection.execute(sa.update(trader_lease).where(trader_lease.c.holder == holder).values(holder="", expires_ms=0))


def read_flags(connection: sa.Connection) -> Flags:
    """The ledger's `flags`. *Halt* when the row the migration made is gone: unreadable means no entry."""
    row = connection.execute(sa.select(system_flags)).mappings().one_or_none()
    if row is None:
        raise Halt("the table system_flags is empty: it must hold the one row the migration made")
    thrown_at = row["switched_ms"], row["proven_ms"]
    return Flags(row["trading_enabled"], row["flatten"], *thrown_at, row["why"], row["restored_ms"])


def lock_flags(connection: sa.Connection) -> None:
    """The platform's row, locked: every claim reads it first, and so waits or has been decided."""
    connection.execute(exclusively(sa.select(system_flags.c.id))).one()


def thrown(table: sa.Table, at: int) -> dict[str, Any]:
    """The columns a switch thrown at *at* writes beside its own; two throws within one ms still differ."""
    later = sa.case((table.c.switched_ms >= at, table.c.switched_ms + 1), else_=at)
    return {"switched_ms": later, "proven_ms": 0}


def set_flags(connection: sa.Connection, now: Now, flags: Flags, who: str) -> None:
    """The ledger's `set_flags`."""
    lock_flags(connection)
    kept = {} if keeps_flatten(flags) else {"flatten": flags.flatten}
    why = why_thrown(read_flags(connection), flags)
    switch = kept | {"trading_enabled": flags.trading_enabled, "why": why}
    counted = {"changed_by": who[:255], "version": system_flags.c.version + 1}
    connection.execute(sa.update(system_flags).values(switch | counted | thrown(system_flags, now(connection))))


def set_account_flags(connection: sa.Connection, now: Now, account_id: int, flags: Flags, who: str) -> AccountStop:
    """The ledger's `set_account_flags`; what stands then."""
    left = after_throw(stop_of(lock_account(connection, account_id)), flags, who)
    _change(connection, account_id, columns_of(left) | thrown(accounts, now(connection)))
    return left


def stop_of(row: sa.RowMapping) -> AccountStop:
    """The switches of a row of `accounts`."""
    return AccountStop(row["trading_enabled"], row["flatten"], row["paused_by"], row["owner_stop"], row["pause_reason"])


def columns_of(stop: AccountStop) -> dict[str, Any]:
    """*stop* as columns of `accounts`; the way back from `stop_of`."""
    return {
        "trading_enabled": stop.trading_enabled,
        "flatten": stop.flatten,
        "paused_by": stop.paused_by,
        "owner_stop": stop.owner_stop,
        "pause_reason": stop.why,
    }


def throw_of_person(connection: sa.Connection, user_id: int, at: int) -> None:
    """Date a switch of the person's own (auto-trading, deletion), whose row is locked, on their account."""
    mine = (accounts.c.user_id == user_id, accounts.c.active)
    connection.execute(sa.update(accounts).where(*mine).values(thrown(accounts, at)))


def prove_stopped(connection: sa.Connection, account_id: int, switched_ms: int, at_ms: int) -> bool:
    """The ledger's `prove_stopped`."""
    table = accounts if account_id else system_flags
    same = (table.c.id == (account_id or 1), table.c.switched_ms == switched_ms)
    if connection.execute(sa.update(table).where(*same).values(proven_ms=at_ms)).rowcount != 1:
        return False
    tell_owner(connection, account_id, of_proof(account_id, switched_ms))
    return True


def pause(connection: sa.Connection, now: Now, account_id: int, why: Reason) -> None:
    """The ledger's `pause`; the owner hears of the first reason, not of every later one."""
    account = lock_account(connection, account_id)
    if not account["trading_enabled"]:
        return
    values = {"trading_enabled": False, "pause_reason": why, "paused_by": "system"}
    _change(connection, account_id, values | thrown(accounts, now(connection)))
    told = Event(EventKind.PAUSED, why, f"paused:{account_id}:{account['switched_ms']}")
    tell(connection, account["user_id"], account_id, told)


def _change(connection: sa.Connection, account_id: int, values: dict[str, Any]) -> None:
    connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values))
