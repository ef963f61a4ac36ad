"""
Empty databases of this release's schema, of every kind a deployment may have, for tests that begin with nothing in
them.

On a server the schema is loaded from db/schema.sql, which is an eighth of the work of all migrations for MySQL. That
it is what they make is proved by `tests/adapters/test_sql_schema.py`; tests of migrations begin with a new database.

Every run loads this module, and most runs of a mutant ask for no database: what is ours is imported where it is asked
for, which was half of such a run.
"""

import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.servers import SERVERS

MIGRATIONS = Path(__file__).resolve().parents[1] / "db" / "migrations"
SCHEMA_SQL = MIGRATIONS.parent / "schema.sql"
READY = "TEST_MIGRATED_SQLITE"
"""Names a file that is migrated already: mutants, each a session of its own, would spend most of their time on that."""


@pytest.fixture(scope="session", autouse=True)
def revisions_read_once() -> Iterator[None]:
    """Alembic runs the file of every revision again whenever it is asked for anything: here once a session."""
    read = ScriptDirectory.from_config
    known = cache(lambda: read(_ours()))

    def read_once(config: Config) -> ScriptDirectory:
        return known() if config.get_main_option("script_location") == str(MIGRATIONS) else read(config)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", read_once)
        yield


def _ours() -> Config:
    from lib.adapters.sql.database.migrating import alembic_config

    return alembic_config()


def _engine(url: str, pool_size: int) -> sa.Engine:
    from lib.adapters.sql.database.engine import make_engine

    return make_engine(url, pool_size=pool_size)


@cache
def _template() -> Path:
    """A SQLite file that was migrated once in this process, or before it."""
    if ready := os.environ.get(READY):
        return Path(ready)
    from lib.adapters.sql.database.migrating import migrate

    folder = tempfile.mkdtemp(prefix="maemae-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = _engine(f"sqlite:///{folder}/template.db", pool_size=1)
    migrate(engine)
    engine.dispose()
    return Path(folder) / "template.db"


def with_schema(engine: sa.Engine) -> sa.Engine:
    """*engine*, whose empty database has this release's schema now: what migrating it would make, without doing so."""
    if engine.dialect.name != "sqlite":
        load_schema(engine)
        return engine
    with closing(sqlite3.connect(_template())) as made, closing(engine.raw_connection()) as empty:
        target = empty.driver_connection
        assert isinstance(target, sqlite3.Connection)
        made.backup(target)
    return engine


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    return Path(shutil.copy(_template(), tmp_path_factory.mktemp("ledger") / "template.db"))


@pytest.fixture
def sqlite_engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite database of this test's own."""
    path = shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = _engine(f"sqlite:///{path}", pool_size=5)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_url: str) -> Iterator[sa.Engine]:
    """A migrated MariaDB, shared by tests that each begin with it empty."""
    yield from _migrated(mariadb_url)


@pytest.fixture(scope="session")
def migrated_mysql(mysql_url: str) -> Iterator[sa.Engine]:
    """As `migrated_mariadb`, of MySQL's own make."""
    yield from _migrated(mysql_url)


def _migrated(url: str) -> Iterator[sa.Engine]:
    engine = _engine(url, pool_size=8)
    load_schema(engine)
    yield engine
    engine.dispose()


def load_schema(engine: sa.Engine) -> None:
    """This release's schema into an empty database on a server, as that file says it is done by hand."""
    with engine.begin() as connection:
        for statement in SCHEMA_SQL.read_text().split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
        MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(_ours()), "head")


@pytest.fixture
def mariadb_engine(migrated_mariadb: sa.Engine) -> sa.Engine:
    """A migrated, empty MariaDB."""
    return _emptied(migrated_mariadb)


@pytest.fixture
def mysql_engine(migrated_mysql: sa.Engine) -> sa.Engine:
    """A migrated, empty MySQL."""
    return _emptied(migrated_mysql)


def _emptied(engine: sa.Engine) -> sa.Engine:
    from tests.contract.ledger_worlds import wipe

    wipe(engine)
    return engine


@pytest.fixture(params=SERVERS)
def server_engine(request: pytest.FixtureRequest) -> sa.Engine:
    """A migrated, empty database on each server people have."""
    return _engine_of(request)


@pytest.fixture(params=["sqlite", *SERVERS])
def any_engine(request: pytest.FixtureRequest) -> sa.Engine:
    """A migrated, empty database of every kind."""
    return _engine_of(request)


def _engine_of(request: pytest.FixtureRequest) -> sa.Engine:
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return engine
