"""
Bringing the database to this release's schema.

Migrations are the truth for a deployed database. MySQL cannot roll DDL back, so migrating holds a named lock there, and
goes on where an earlier run was cut off (`resuming`); SQLite runs the whole upgrade in one BEGIN IMMEDIATE. Both make
simultaneous starts safe.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event, exc

from lib.adapters.sql.database.engine import describe
from lib.adapters.sql.database.schema import (
    HALF_RESTORED,
    MIGRATIONS,
    connected,
    refuse_half,
    refuse_statement_log,
)
from lib.adapters.sql.database.transactions import error_code
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry

LOCK_S = 60
"""How long one migration waits for another: MySQL takes seconds for each table, and more on a small machine."""
STATEMENT_S = 3_600
"""How long one statement of a migration may take: a column added to a big table copies it."""
Work = Callable[[sa.Connection], None]

_PASSING = frozenset({1205, 1213, 2006, 2013})
"""Lock waits, deadlocks, lost connections."""
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


def alembic_config() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Upgrade to *revision*. *Halt* when the database cannot be reached, *Retry* while another migration runs."""
    with _patient(engine), connected(engine) as connection, _alone(connection):
        refuse_half(connection)
        _change(connection, lambda config: command.upgrade(config, revision))


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Go back to *revision* ("base" = nothing); for tests and the rare rollback by hand."""
    with _patient(engine), connected(engine) as connection, _alone(connection):
        _change(connection, lambda config: command.downgrade(config, revision))


def rebuild(engine: sa.Engine, revision: str, first: Work, fill: Work, last: Work) -> None:
    """
    Look at what stands with *first*, which may refuse; empty the database, make the tables of *revision*, *fill* them,
    upgrade to head, and do *last* what head's tables need. From *first* on nothing starts: `check_schema` refuses what
    is there until all of it is done; on SQLite nobody sees any of it before.
    """
    with _patient(engine), connected(engine) as connection, _alone(connection):
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


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        with connection.begin():
            yield
        return
    refuse_statement_log(connection)
    name = f"maemae:{connection.engine.url.database}"[:64]
    # the lock belongs to a connection: one that leaves the pool, so that closing it frees the lock whatever happens
    with connection.engine.connect() as holder:
        holder.detach()
        if holder.scalar(sa.text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": LOCK_S}) != 1:
            raise Retry(codes.MIGRATION_RUNNING())
        with connection.begin():
            yield
