"""
A database emptied and filled from a backup, so that a restore cut off anywhere trades on nothing.

SQLite does all of it in one transaction: whoever looks sees the database of before or the restored one. MySQL commits
each table it makes, so the database is marked as half restored until all is done; nothing starts on it, and the restore
is run again. Trading is off, sessions and API tokens are gone before the mark is taken away.
"""

from collections.abc import Callable

import sqlalchemy as sa

from lib.adapters.sql.database import schema
from lib.adapters.sql.recovery.table_rows import VERSION_TABLE
from lib.adapters.sql.tables.people import sessions, system_flags
from lib.adapters.sql.tables.safety import api_tokens, reset_links
from lib.adapters.sql.tables.trading import trader_lease
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt

RESTORED_BY = "restore"
_COME_BACK = (sessions, api_tokens, reset_links)
"""What somebody may have ended since the backup, and what would open a door again."""

Fill = Callable[[sa.Connection], None]


def refill(engine: sa.Engine, revision: str, fill: Fill, now: Callable[[sa.Connection], int]) -> None:
    """
    Empty the database, make the tables of *revision*, have *fill* put rows into them, upgrade to this release's schema.

    *Halt* when the database cannot be reached, or a trader works on it. An exception of *fill* leaves it as it was
    (SQLite) or marked (MySQL).
    """

    def filled(connection: sa.Connection) -> None:
        fill(connection)
        if sa.inspect(connection).has_table("system_flags"):
            # on MySQL the upgrade commits what was filled: a trader that lives through all this may read it then
            connection.execute(sa.text("UPDATE system_flags SET trading_enabled = 0"))

    def alone(connection: sa.Connection) -> None:
        refuse_trader(connection, now(connection))

    schema.rebuild(engine, revision, alone, filled, lambda connection: keep_quiet(connection, now(connection)))


def refuse_trader(connection: sa.Connection, now_ms: int) -> None:
    """*Halt* while somebody trades on this database."""
    if holder := lease_holder(connection, now_ms):
        raise Halt(f"a trader ({holder}) works on this database: stop it, wait half a minute, and restore then")


def keep_quiet(connection: sa.Connection, now_ms: int) -> None:
    """
    Trading off with its reason, no lease, nobody signed in.

    A close of everything that stood in the backup goes on: taking that back is a person's to do.
    """
    for ended in _COME_BACK:
        connection.execute(sa.delete(ended))
    connection.execute(sa.update(trader_lease).values(holder="", expires_ms=0))
    off = {"trading_enabled": False, "changed_by": RESTORED_BY, "why": codes.RESTORED()}
    counted = {"version": system_flags.c.version + 1, "switched_ms": now_ms, "proven_ms": 0}
    connection.execute(sa.update(system_flags).values(off | counted))


def lease_holder(connection: sa.Connection, now_ms: int) -> str:
    """Who trades on this database now; "" = nobody, or there is nothing here yet."""
    if not sa.inspect(connection).has_table("trader_lease"):
        return ""
    row = connection.execute(sa.text("SELECT holder, expires_ms FROM trader_lease")).first()
    return row.holder if row is not None and row.expires_ms > now_ms else ""


def found_revision(connection: sa.Connection) -> str:
    """The schema revision of the database; "" = it holds none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")) or "")  # noqa: S608 - our name
