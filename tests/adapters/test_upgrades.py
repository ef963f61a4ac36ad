"""
A database of any earlier release, with rows in every table, comes up to this one: no row is lost, and all can be read.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.database.schema import check_schema, revisions
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import equity_points
from tests.adapters.seeding import counted, seed
from tests.effort import EFFORT, spread

ON_A_SERVER = ("0001", "0011", "0019")
"""A few: each costs a second there, and on MySQL's own make five, which has its turn at night."""
ON = [
    (server, one) for server in ("mariadb", "mysql") for one in ON_A_SERVER if server == "mariadb" or EFFORT.one_in == 1
]
NEWEST = 8
"""Revisions tried in every run; of the older ones, which nobody changes, a share (`tests.effort`)."""


@pytest.fixture(scope="module")
def at_each_revision(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], sa.Engine]:
    """A SQLite database at a revision; each climbs from a copy of the newest one below it."""
    folder, known = tmp_path_factory.mktemp("upgrades"), revisions()
    made: dict[str, Path] = {}

    def at(revision: str) -> sa.Engine:
        file = folder / f"{revision}.db"
        if below := [one for one in known[: known.index(revision)] if one in made]:
            shutil.copy(made[below[-1]], file)
        engine = make_engine(f"sqlite:///{file}")
        migrate(engine, revision)
        engine.dispose()
        made[revision] = folder / f"{revision}.empty.db"  # the tests fill theirs
        shutil.copy(file, made[revision])
        return engine

    return at


@pytest.mark.parametrize("revision", [*spread(revisions()[:-NEWEST], 0), *revisions()[-NEWEST:]])
def test_on_sqlite_every_earlier_schema_comes_up_with_its_rows(
    at_each_revision: Callable[[str], sa.Engine], revision: str
) -> None:
    engine = at_each_revision(revision)
    _comes_up(engine)
    engine.dispose()


@pytest.mark.server
@pytest.mark.parametrize(("server", "revision"), ON)
def test_on_a_server_an_earlier_schema_comes_up_with_its_rows(
    request: pytest.FixtureRequest, server: str, revision: str
) -> None:
    _comes_up_from(request.getfixturevalue(f"new_{server}"), revision)


def _comes_up_from(url: str, revision: str) -> None:
    engine = make_engine(url)
    migrate(engine, revision)
    _comes_up(engine)
    if revision == ON_A_SERVER[0]:
        _hold_nothing_in_columns_that_came(engine)
    engine.dispose()


def _hold_nothing_in_columns_that_came(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        traded = connection.execute(sa.select(accounts)).mappings().all()
        points = connection.execute(sa.select(equity_points)).mappings().all()
    assert [(row["transfers"], row["switched_ms"], row["tokens_spent"]) for row in traded] == [(0, 0, 0)] * 2
    assert [(row["equity"] > 0, row["transfers"]) for row in points] == [(True, 0)] * 2


def _comes_up(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        before = seed(connection)
        names = _texts_of_people(connection)
    assert all(before.values()), [name for name, count in before.items() if not count]
    migrate(engine)
    check_schema(engine)
    with engine.connect() as connection:
        after = counted(connection)
        # more may come (a lock of everybody became one of each pool), and a table may go
        assert [name for name, count in before.items() if after.get(name, count) < count] == []
        assert _texts_of_people(connection) == names
        for table in metadata.sorted_tables:
            # by this release's types: a value that the tables of today cannot read back raises
            connection.execute(sa.select(table)).all()
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def _texts_of_people(connection: sa.Connection) -> list[tuple[int, str]]:
    found = connection.execute(sa.text("SELECT id, email FROM users ORDER BY id"))
    return [(row.id, row.email) for row in found]
