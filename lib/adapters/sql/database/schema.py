"""
Bringing the database to this release's schema, and refusing to run on another.

Migrations are the truth for a deployed database. MySQL cannot roll DDL back, so migrating holds a named lock there, and
goes on where an earlier run was cut off (`resuming`); SQLite runs the whole upgrade in one BEGIN IMMEDIATE. Both make
simultaneous starts safe.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, exc

from lib import log
from lib.adapters.sql.database.engine import describe
from lib.adapters.sql.database.transactions import error_code, tls_failure
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry

MIGRATIONS = Path(__file__).resolve().parents[4] / "db" / "migrations"
LOCK_S = 60
"""How long one migration waits for another: MySQL takes seconds for each table, and more on a small machine."""
STATEMENT_S = 3_600
"""How long one statement of a migration may take: a column added to a big table copies it."""

HALF_RESTORED = "half_restored"
"""A table that is there while a restore fills the database: a server cannot do that in one transaction."""
TABLE_DENIED = 1142
"""Code of MySQL and MariaDB for a table the user has no right to."""
Work = Callable[[sa.Connection], None]
_log = log.get("database")

_PASSING = frozenset({1205, 1213, 2006, 2013})
"""Lock waits, deadlocks, lost connections."""
_HALF = "holds half of a backup, a restore was cut off: run `make restore` again"
_NO_RIGHT = "its user lacks a right: migrating takes ALTER, CREATE, DROP, INDEX, REFERENCES and the everyday four"
_NOT_ALLOWED = {
    1044: _NO_RIGHT,
    1142: _NO_RIGHT,
    1143: _NO_RIGHT,
    1227: _NO_RIGHT,
    1021: "its disk is full",
    1114: "its disk is full",
    1290: "the server is read-only (a replica?)",
    1836: "the server is read-only (a replica?)",
}
_REFUSED = {
    1044: "the user may not use this database",
    1045: "the user or password is refused",
    1049: "there is no database of that name",
    1698: "the user or password is refused",
}


_AWAY = frozenset({1040, 1053, 1203, 1205, 2002, 2003, 2006, 2013})
"""Codes of a server that is away, full or going down."""
_SQLITE_AWAY = ("locked", "disk is full", "readonly", "disk I/O")


def alembic_config() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Upgrade to *revision*. *Halt* when the database cannot be reached, *Retry* while another migration runs."""
    with _patient(engine), _connected(engine) as connection, _alone(connection):
        _refuse_half(connection)
        _change(connection, lambda config: command.upgrade(config, revision))


def _refuse_half(connection: sa.Connection) -> None:
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


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Go back to *revision* ("base" = nothing); for tests and the rare rollback by hand."""
    with _patient(engine), _connected(engine) as connection, _alone(connection):
        _change(connection, lambda config: command.downgrade(config, revision))


def rebuild(engine: sa.Engine, revision: str, first: Work, fill: Work, last: Work) -> None:
    """
    Look at what stands with *first*, which may refuse; empty the database, make the tables of *revision*, *fill* them,
    upgrade to head, and do *last* what head's tables need. From *first* on nothing starts: `check_schema` refuses what
    is there until all of it is done; on SQLite nobody sees any of it before.
    """
    with _patient(engine), _connected(engine) as connection, _alone(connection):
        connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {HALF_RESTORED} (id INT)")
        _ask_first(connection, first)
        _drop_everything(connection)
        _change(connection, lambda config: command.upgrade(config, revision))
        fill(connection)
        _change(connection, lambda config: command.upgrade(config, "head"))
        last(connection)
        connection.exec_driver_sql(f"DROP TABLE {HALF_RESTORED}")


def _ask_first(connection: sa.Connection, first: Work) -> None:
    try:
        first(connection)
    except Halt:
        connection.exec_driver_sql(f"DROP TABLE {HALF_RESTORED}")
        raise


def revisions() -> list[str]:
    """Every revision this release knows, the oldest first."""
    return [one.revision for one in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))]


def _drop_everything(connection: sa.Connection) -> None:
    order = sa.inspect(connection).get_sorted_table_and_fkc_names()
    names = [name for name, _ in reversed(order) if name not in (None, HALF_RESTORED)]
    is_sqlite = connection.dialect.name == "sqlite"
    # MySQL: checks off in this session alone; SQLite: checked at the commit, when no table is left to point anywhere
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON" if is_sqlite else "SET SESSION foreign_key_checks=0")
    quote = connection.dialect.identifier_preparer.quote
    for name in filter(None, names):
        connection.exec_driver_sql(f"DROP TABLE {quote(name)}")
    if not is_sqlite:
        connection.exec_driver_sql("SET SESSION foreign_key_checks=1")


def _change(connection: sa.Connection, work: Callable[[Config], None]) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        work(config)
    except exc.DBAPIError as problem:
        raise _stopped(connection, problem) from None


def _stopped(connection: sa.Connection, problem: exc.DBAPIError) -> Exception:
    """A migration that could not go on, in one line; the next run takes it up where it stopped."""
    code = error_code(problem)
    if code in _PASSING:
        return Retry(codes.MIGRATION_CUT(code=str(code)))
    if code in _NOT_ALLOWED:
        return Halt(f"{describe(connection.engine)} cannot be migrated: {_NOT_ALLOWED[code]}")
    return problem


def check_schema(engine: sa.Engine) -> None:
    """*Halt* with one line unless the database can be reached and is at this release's schema."""
    with _connected(engine) as connection:
        _refuse_statement_log(connection)
        _refuse_half(connection)
        found = set(MigrationContext.configure(connection).get_current_heads())
    wanted = set(ScriptDirectory.from_config(alembic_config()).get_heads())
    if found == wanted:
        return
    if not found:
        raise Halt(f"{describe(engine)} holds no schema yet: run `make migrate`")
    have, need = ", ".join(sorted(found)), ", ".join(sorted(wanted))
    raise Halt(f"{describe(engine)} is at schema {have}, this release needs {need}: run `make migrate` or deploy it")


def reach(engine: sa.Engine) -> None:
    """*Halt* with one line unless the database can be reached, at whatever schema it is."""
    with _connected(engine):
        pass


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except exc.DBAPIError as problem:
        if _passes(problem):
            _log.warning("database.away", where=describe(engine), why=_why(problem))
            raise Retry(codes.DATABASE_AWAY(type=type(problem.orig).__name__)) from None
        raise Halt(f"{describe(engine)} cannot be used: {_why(problem)} (see DATABASE_URL)") from None
    with connection:
        yield connection


@contextmanager
def _patient(engine: sa.Engine) -> Iterator[None]:
    """Connections made in here wait longer than the everyday ones, and none of them is left behind."""
    if engine.dialect.name == "sqlite":
        yield
        return

    def wait_longer(dialect: object, record: object, args: object, settings: dict[str, Any]) -> None:
        settings |= {"read_timeout": STATEMENT_S, "write_timeout": STATEMENT_S}

    event.listen(engine, "do_connect", wait_longer)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "do_connect", wait_longer)
        engine.dispose()


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


def _refuse_statement_log(connection: sa.Connection) -> None:
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


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        with connection.begin():
            yield
        return
    _refuse_statement_log(connection)
    name = f"maemae:{connection.engine.url.database}"[:64]
    # the lock belongs to a connection: one that leaves the pool, so that closing it frees the lock whatever happens
    with connection.engine.connect() as holder:
        holder.detach()
        if holder.scalar(sa.text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": LOCK_S}) != 1:
            raise Retry(codes.MIGRATION_RUNNING())
        with connection.begin():
            yield
