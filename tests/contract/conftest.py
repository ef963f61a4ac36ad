"""Fixtures of the ledger's contract: one `world` per implementation."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.engine import make_engine
from lib.adapters.sql.schema import migrate
from lib.clock import SteppedClock
from tests.contract.ledger_worlds import MemoryWorld, SqlWorld, World, wipe
from tests.factories import T

SQLITE_BUSY_MS = 300
"""Short, so that a test of a busy database is not a slow test."""


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite database of this test's own."""
    path = shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{path}", sqlite_busy_ms=SQLITE_BUSY_MS, pool_size=5)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_url: str) -> Iterator[sa.Engine]:
    """A migrated MariaDB, shared by tests that each begin with it empty."""
    engine = make_engine(mariadb_url, pool_size=8)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def mariadb_engine(migrated_mariadb: sa.Engine) -> sa.Engine:
    """A migrated, empty MariaDB."""
    wipe(migrated_mariadb)
    return migrated_mariadb


@pytest.fixture(params=["memory", "sqlite", pytest.param("mariadb", marks=pytest.mark.server)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A ledger at T + 4 s, empty."""
    clock = SteppedClock(T + 4_000)
    if request.param == "memory":
        yield MemoryWorld(clock)
        return
    made = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), clock)
    yield made
    made.close()
