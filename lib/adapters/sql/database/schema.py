"""
Which schema a database has, and the refusal to run on another than this release's.

Every process asks at its start, and migrations change what it asks about (`migrating`): what that takes to import is
not imported here. A revision's file begins with its number.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from lib import log
from lib.adapters.sql.database.engine import describe
from lib.adapters.sql.database.transactions import error_code, tls_failure
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry

MIGRATIONS = Path(__file__).resolve().parents[4] / "db" / "migrations"

VERSION_TABLE = "alembic_version"
HALF_RESTORED = "half_restored"
"""A table that is there while a restore fills the database: a server cannot do that in one transaction."""
TABLE_DENIED = 1142
"""Code of MySQL and MariaDB for a table the user has no right to."""
_log = log.get("database")

_HALF = "holds half of a backup, a restore was cut off: run `make restore` again"
_REFUSED = {
    1044: "the user may not use this database",
    1045: "the user or password is refused",
    1049: "there is no database of that name",
    1698: "the user or password is refused",
}


_AWAY = frozenset({1040, 1053, 1203, 1205, 2002, 2003, 2006, 2013})
"""Codes of a server that is away, full or going down."""
_SQLITE_AWAY = ("locked", "disk is full", "readonly", "disk I/O")


def refuse_half(connection: sa.Connection) -> None:
    """*Halt* for a database that a restore filled half."""
    if _is_half(connection):
        raise Halt(f"{describe(connection.engine)} {_HALF}")


def _is_half(connection: sa.Connection) -> bool:
    """
    Whether a restore was cut off. A user of certain tables alone, as the web's is (db/web_grants.sql), is denied every
    other one whether it is there or not: it is told by the trader, which does not start then.
    """
    try:
        return sa.inspect(connection).has_table(HALF_RESTORED)
    except exc.DBAPIError as denied:
        if error_code(denied) != TABLE_DENIED:
            raise
        return False


def check_schema(engine: sa.Engine) -> None:
    """*Halt* with one line unless the database can be reached and is at this release's schema."""
    with connected(engine) as connection:
        refuse_statement_log(connection)
        refuse_half(connection)
        found = found_revision(connection)
    if found == (wanted := revisions()[-1]):
        return
    if not found:
        raise Halt(f"{describe(engine)} holds no schema yet: run `make migrate`")
    raise Halt(f"{describe(engine)} is at schema {found}, this release needs {wanted}: run `make migrate` or deploy it")


def found_revision(connection: sa.Connection) -> str:
    """The schema revision of the database; "" = it holds none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    version = sa.column("version_num", sa.String)
    found = connection.scalars(sa.select(version).select_from(sa.table(VERSION_TABLE)).order_by(version))
    return ", ".join(found)


def revisions() -> list[str]:
    """Every revision this release knows, the oldest first."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*_*.py"))


def reach(engine: sa.Engine) -> None:
    """*Halt* with one line unless the database can be reached, at whatever schema it is."""
    with connected(engine):
        pass


@contextmanager
def connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection; *Halt* with one line when there can be none, *Retry* while the server is away."""
    try:
        connection = engine.connect()
    except exc.DBAPIError as problem:
        if _passes(problem):
            _log.warning("database.away", where=describe(engine), why=_why(problem))
            raise Retry(codes.DATABASE_AWAY(type=type(problem.orig).__name__)) from None
        raise Halt(f"{describe(engine)} cannot be used: {_why(problem)} (see DATABASE_URL)") from None
    with connection:
        yield connection


def _passes(problem: exc.DBAPIError) -> bool:
    """Whether the same connection may work later: a server that is not there yet or is full, a file that is in use."""
    if problem.connection_invalidated or error_code(problem) in _AWAY:
        return not tls_failure(problem)
    is_sqlite = isinstance(problem.orig, sqlite3.OperationalError)
    return is_sqlite and any(word in str(problem.orig) for word in _SQLITE_AWAY)


def _why(problem: exc.DBAPIError) -> str:
    code = error_code(problem)
    return (
        _REFUSED.get(code)
        or tls_failure(problem)
        or f"no connection ({type(problem.orig).__name__}{f' {code}' if code else ''})"
    )


def refuse_statement_log(connection: sa.Connection) -> None:
    """*Halt* for a server whose binary log takes no change of a READ COMMITTED transaction (MySQL 1665)."""
    if connection.dialect.name == "sqlite":
        return
    asked = sa.text("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')")
    said = {name: value.upper() for name, value in connection.execute(asked)}
    connection.rollback()
    if said.get("log_bin") in ("ON", "1") and said.get("binlog_format") == "STATEMENT":
        raise Halt(
            f"{describe(connection.engine)} logs changes with binlog_format=STATEMENT, which cannot hold ours: "
            "set binlog_format=ROW (or MIXED) on the server"
        )
