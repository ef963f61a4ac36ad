"""A database file that takes no write: every transaction says "later", nothing of it is there, and later it works."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database import schema
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.transactions import transact
from lib.domain.errors import Retry

TABLE = sa.Table("notes", sa.MetaData(), sa.Column("body", sa.LargeBinary))
Switch = Callable[[bool], None]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}", pool_size=1, max_overflow=0, sqlite_busy_ms=1)
    TABLE.create(made)
    yield made
    made.dispose()


def full(engine: sa.Engine) -> Switch:
    """SQLite's own limit of pages stands for the room on the disk."""

    def switch(on: bool) -> None:
        with closing(engine.raw_connection()) as connection:
            [pages] = connection.cursor().execute("PRAGMA page_count").fetchone()
            connection.cursor().execute(f"PRAGMA max_page_count = {pages if on else 1_000_000}")

    return switch


def read_only(engine: sa.Engine) -> Switch:
    def switch(on: bool) -> None:
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA query_only = {int(on)}")

    return switch


def locked(engine: sa.Engine) -> Switch:
    holder = sqlite3.connect(str(engine.url.database), isolation_level=None)

    def switch(on: bool) -> None:
        holder.execute("BEGIN IMMEDIATE" if on else "ROLLBACK")
        if not on:
            holder.close()

    return switch


def written(engine: sa.Engine) -> int:
    return transact(engine, lambda c: len(c.execute(sa.select(TABLE)).all()), readonly=True)


@pytest.mark.parametrize("trouble", [full, read_only, locked])
def test_it_is_later_while_it_lasts_and_works_afterwards(
    engine: sa.Engine, trouble: Callable[[sa.Engine], Switch]
) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(TABLE).values(body=b"x" * 100_000))

    switch = trouble(engine)
    switch(True)
    for _ in range(2):
        with pytest.raises(Retry):
            transact(engine, work)
    assert written(engine) == 0
    switch(False)
    transact(engine, work)
    assert written(engine) == 1


def test_a_start_on_a_locked_file_is_tried_again_and_one_on_a_wrong_file_is_not(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE a (b)")
        holder.execute("BEGIN EXCLUSIVE")
        engine = make_engine(f"sqlite:///{file}", sqlite_busy_ms=1)
        with pytest.raises(Retry):
            schema.reach(engine)
        engine.dispose()
