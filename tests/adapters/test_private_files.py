"""Databases and folders of ours are their owner's alone, also those an older release left open."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.private_files import private_database, private_folder
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.tables.people import users
from lib.simulator.store import Store


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A user whose files anybody may read."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {one.name: oct(stat.S_IMODE(one.stat().st_mode)) for one in folder.iterdir()}


def test_a_database_is_private_before_anything_is_in_it(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'maemae.db'}")
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(users).values(email="kim@example.com", password_hash="!"))
        assert modes(tmp_path) == {name: "0o600" for name in ("maemae.db", "maemae.db-wal", "maemae.db-shm")}
    engine.dispose()


def test_one_that_was_left_open_is_closed_and_its_log_with_it(tmp_path: Path) -> None:
    file = tmp_path / "maemae.db"
    theirs = sqlite3.connect(file)
    theirs.execute("PRAGMA journal_mode=WAL")
    theirs.execute("CREATE TABLE t (x)")
    assert set(modes(tmp_path).values()) == {"0o666"} or set(modes(tmp_path).values()) == {"0o644"}
    engine = make_engine(f"sqlite:///{file}")
    with engine.connect():
        assert set(modes(tmp_path).values()) == {"0o600"}
    theirs.close()
    engine.dispose()


def test_making_it_private_lets_go_of_no_lock(tmp_path: Path) -> None:
    file = tmp_path / "maemae.db"
    private_database(file)
    writing, other = (sqlite3.connect(file, timeout=0, isolation_level=None) for _ in range(2))
    writing.execute("BEGIN IMMEDIATE")
    file.chmod(0o644)
    private_database(file)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    writing.close()
    other.close()


def test_a_folder_of_ours_is_private_and_the_one_it_stands_in_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "redis").mkdir(mode=0o755)
    private_folder(tmp_path / "redis")
    private_folder(tmp_path / "simulator")
    assert modes(tmp_path) == {"redis": "0o700", "simulator": "0o700"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_simulators_books_are_private(tmp_path: Path) -> None:
    store = Store(tmp_path / "simulator" / "synthetic.db", "synthetic")
    store.save({}, [], 1)
    assert modes(tmp_path) == {"simulator": "0o700"}
    assert set(modes(tmp_path / "simulator").values()) == {"0o600"}
    store.close()
