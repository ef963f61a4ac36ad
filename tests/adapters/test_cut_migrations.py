"""
A migration killed after any of its statements goes on at the next run, and ends in the very same database.

MySQL commits each DDL statement, and takes back what was inserted since: so a run is ended by an exception right after
a statement, which leaves what a kill leaves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import downgrade, migrate
from lib.adapters.sql.database.schema import check_schema, revisions
from lib.adapters.sql.tables.people import system_flags
from lib.adapters.sql.tables.trading import trader_lease
from lib.domain.errors import Halt
from tests.adapters.test_sql_schema import differences, snapshot
from tests.databases import load_schema
from tests.effort import EFFORT

DDL = ("CREATE", "ALTER", "DROP", "RENAME")
DML = ("INSERT", "UPDATE", "DELETE")


NEWEST = 8
"""Revisions that are killed after each of their statements in every run."""


class Killed(Exception):
    """The process is gone here."""


@pytest.fixture
def server(new_database_at_times: str) -> Iterator[sa.Engine]:
    engine = make_engine(new_database_at_times)
    yield engine
    engine.dispose()


@contextmanager
def killed_after(engine: sa.Engine, kinds: tuple[str, ...], number: int = 1) -> Iterator[list[str]]:
    """Die after the *number*th statement of *kinds*; the list holds the statements that were done."""
    done: list[str] = []

    def die(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(kinds):
            done.append(statement)
            if len(done) == number:
                raise Killed(statement)

    event.listen(engine, "after_cursor_execute", die)
    try:
        yield done
    finally:
        event.remove(engine, "after_cursor_execute", die)


def dies(engine: sa.Engine, kinds: tuple[str, ...], number: int, *, back: bool = False, to: str = "head") -> list[str]:
    """Migrate until killed; the statements that were done, [] when there was nothing to be killed after."""
    with killed_after(engine, kinds, number) as done:
        try:
            downgrade(engine, "base") if back else migrate(engine, to)
        except Killed:
            return done
    return []


def is_whole(engine: sa.Engine) -> None:
    check_schema(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        for one_row in (system_flags, trader_lease):
            assert connection.scalar(sa.select(sa.func.count()).select_from(one_row)) == 1


def test_killed_on_the_way_back_and_up_again_it_goes_on_and_ends_as_schema_sql_says(server: sa.Engine) -> None:
    """
    One way there and back, because each costs MySQL seconds: after rows, and after statements. Of the older revisions,
    which nobody changes, after one statement of so many: `tests.effort`.
    """
    load_schema(server)
    written = snapshot(server)
    _goes_back(server)
    with server.begin() as connection:  # a first start finds not even that
        connection.exec_driver_sql("DROP TABLE alembic_version")
    # rows of a migration, the revision's own among them, are committed by the next DDL or never: each run begins where
    # the one before did and comes one row further
    assert all(dies(server, DML, number) for number in range(1, 4))
    _goes_up(server)
    is_whole(server)
    assert snapshot(server) == written


def _goes_back(server: sa.Engine) -> None:
    statements: list[str] = []
    while killed := dies(server, DDL, 5, back=True):
        assert not set(killed) & set(statements), "a statement that was done is done again"
        statements += killed
    assert len(statements) > 25
    assert sa.inspect(server).get_table_names() == ["alembic_version"]


def _goes_up(server: sa.Engine) -> None:
    statements: list[str] = []
    for number, to in ((EFFORT.one_in, revisions()[-NEWEST]), (1, "head")):
        while killed := dies(server, DDL, number, to=to):
            assert not set(killed) & set(statements), "a statement that was done is done again"
            statements += killed
    assert len(statements) > 50


def test_a_whole_database_is_migrated_without_a_statement(server_engine: sa.Engine) -> None:
    with killed_after(server_engine, DDL + DML) as done:
        migrate(server_engine)
    assert done == []


@pytest.mark.parametrize(
    "theirs", ["CREATE TABLE users (id BIGINT)", "CREATE TABLE symbols (symbol_no INT, symbol DATETIME)"]
)
def test_a_table_of_somebody_elses_is_not_taken_for_ours(server: sa.Engine, theirs: str) -> None:
    with server.begin() as connection:
        connection.exec_driver_sql(theirs)
    with pytest.raises(Halt, match="an empty database of its own"):
        migrate(server)
