"""
Engines with measured settings: READ COMMITTED and strict mode on MySQL, WAL and BEGIN IMMEDIATE on SQLite.

SQLite takes the write lock at BEGIN, so that a read followed by a write cannot lose an update; transactions marked
`sqlite_readonly` begin plainly and block nobody. synchronous=NORMAL means a power cut may take the last commits with it
(a crash of the process cannot): the orphan sweep finds such orders again. A SQLite file is its owner's alone. Nothing
connects until it is used.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from lib.adapters.private_files import private_database
from lib.adapters.sql.database.url import Address, read_address

IDLE_TRANSACTION_S = 10
"""Seconds after which a process frozen inside a transaction loses it, with its row locks (MariaDB alone can)."""
LOCK_WAIT_S = 2
"""How long a statement waits for another's row lock before it gives up (MySQL 1205), in seconds."""
SQLITE_BUSY_MS = 15_000
"""How long BEGIN IMMEDIATE waits for the one writer, in ms."""

_SESSION = (
    "SET SESSION time_zone='+00:00', "
    "sql_mode='STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
    f"innodb_lock_wait_timeout={LOCK_WAIT_S}, "
    "completion_type=0, foreign_key_checks=1, unique_checks=1, sql_safe_updates=0, sql_auto_is_null=0, "
    "sql_select_limit=18446744073709551615, sql_big_selects=1, sql_quote_show_create=1, "
    "default_storage_engine=InnoDB"  # Alembic names no engine for its own table
)
"""The settings of a session of ours from its first statement on, whatever the server's own are."""


def make_engine(
    raw_url: str, *, pool_size: int = 4, max_overflow: int = 1, sqlite_busy_ms: int = SQLITE_BUSY_MS
) -> sa.Engine:
    """
    An engine for *raw_url* in any of the dialects `read_address` knows; *Halt* for one that cannot work.

    The pool is small on purpose: hosted plans allow about ten connections for everything. It holds what a ledger's
    four workers need, because a connection beyond the pool is opened and thrown away at every use.
    """
    address = read_address(raw_url)
    if address.is_sqlite:
        return _sqlite_engine(address, pool_size + max_overflow, sqlite_busy_ms)
    return _mysql_engine(address, pool_size, max_overflow)


def describe(engine: sa.Engine) -> str:
    """The database's name for messages: no user, no password."""
    return str(Address(engine.url))


def _mysql_engine(address: Address, pool_size: int, max_overflow: int) -> sa.Engine:
    engine = sa.create_engine(
        address.url,
        # by the driver, before anything else is asked: the dialect looks at sql_mode when it first connects, and reads
        # and writes names by what it saw (ANSI_QUOTES) until the process ends
        connect_args=address.connect_args | {"init_command": _SESSION},
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_recycle=280,  # below the 300 s after which proxies in front of managed MySQL drop idle connections
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _end_idle_transactions)
    return engine


def _end_idle_transactions(connection: Any, record: object) -> None:
    if "mariadb" in connection.get_server_info().lower():
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION idle_transaction_timeout={IDLE_TRANSACTION_S}")


def _sqlite_engine(address: Address, pool_size: int, busy_ms: int) -> sa.Engine:
    file = Path(address.url.database or "")
    engine = sa.create_engine(
        address.url,
        connect_args={"timeout": busy_ms / 1000, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", lambda *_: private_database(file))
    event.listen(engine, "connect", _sqlite_session)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_session(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the module's own BEGIN comes too late; ours is in the begin event
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: sa.Connection) -> None:
    readonly = connection.get_execution_options().get("sqlite_readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
