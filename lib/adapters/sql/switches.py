"""Lease, platform flags, risk locks and pauses: what stops entries, and who may trade."""

import sqlalchemy as sa

from lib.adapters.sql.columns import clip
from lib.adapters.sql.people import accounts, outbox, system_flags
from lib.adapters.sql.rows import Now, exclusively, insert_once, lock_account
from lib.adapters.sql.rulings import utc_day
from lib.adapters.sql.trading import risk_locks, trader_lease
from lib.domain.errors import Halt
from lib.ports import Flags


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
    return Flags(row["trading_enabled"], row["flatten"])


def set_flags(connection: sa.Connection, flags: Flags, changed_by: str) -> None:
    """Throw the platform's switches; claims in progress decide first, later ones see this."""
    connection.execute(
        sa.update(system_flags).values(
            trading_enabled=flags.trading_enabled,
            flatten=flags.flatten,
            changed_by=changed_by,
            version=system_flags.c.version + 1,
        )
    )


def set_account_flags(connection: sa.Connection, account_id: int, flags: Flags) -> None:
    """Throw one account's switches; switching on again forgets why it was paused."""
    values: dict[str, object] = {"trading_enabled": flags.trading_enabled, "flatten": flags.flatten}
    if flags.trading_enabled:
        values["pause_reason"] = ""
    connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(values))


def lock(connection: sa.Connection, now: Now, account_id: int, kind: str, until_ms: int, why: str) -> None:
    """The ledger's `lock`. The account's row is locked first: a claim that read "no lock" is decided before."""
    lock_account(connection, account_id)
    at = now(connection)
    values = {
        "account_id": account_id,
        "utc_day": utc_day(at),
        "kind": kind,
        "until_ms": until_ms,
        "why": clip(why),
        "created_ms": at,
    }
    insert_once(connection, risk_locks, values)


def pause(connection: sa.Connection, account_id: int, why: str) -> None:
    """The ledger's `pause`; the owner hears of the first reason, not of every later one."""
    account = lock_account(connection, account_id)
    if not account["trading_enabled"]:
        return
    connection.execute(
        sa.update(accounts).where(accounts.c.id == account_id).values(trading_enabled=False, pause_reason=clip(why))
    )
    connection.execute(
        sa.insert(outbox).values(user_id=account["user_id"], account_id=account_id, kind="paused", body=why)
    )
