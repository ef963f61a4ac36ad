"""
Database servers as other people run them: whatever their global settings, a session of ours is ours, and what cannot
work is one line before anything is made.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import downgrade, migrate
from lib.adapters.sql.database.schema import MIGRATIONS, check_schema, revisions
from lib.clock import SteppedClock
from lib.domain.errors import Halt
from tests.adapters.test_sql_schema import differences
from tests.adapters.test_upgrades import NEWEST
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import HOLDER, planned, signed
from tests.databases import load_schema
from tests.factories import T
from tests.servers import new_database_on, private_mariadb

OURS = {"STRICT_TRANS_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_ENGINE_SUBSTITUTION"}
STANDARD = [
    *("ANSI", "TRADITIONAL", "ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", "NO_ZERO_DATE"),
    *("ONLY_FULL_GROUP_BY", "NO_AUTO_VALUE_ON_ZERO", "HIGH_NOT_PRECEDENCE", "REAL_AS_FLOAT", "NO_UNSIGNED_SUBTRACTION"),
    *("PAD_CHAR_TO_FULL_LENGTH", ""),
]
MARIADB = ["ORACLE", "MSSQL", "DB2", "EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL"]
ODD = {
    "sql_mode": "'ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES'",
    "sql_safe_updates": "1",
    "sql_auto_is_null": "1",
    "sql_select_limit": "1",
    "foreign_key_checks": "0",
    "completion_type": "CHAIN",
    "time_zone": "'+09:00'",
    "innodb_lock_wait_timeout": "50",
    "autocommit": "0",
    "character_set_server": "latin1",
    "default_storage_engine": "MyISAM",
}


@contextmanager
def server_with(url: str, **settings: str) -> Iterator[sa.Engine]:
    """A new engine on a server with these global settings, which end with the block."""
    keeper = make_engine(url)
    with keeper.connect() as connection:
        before = {name: connection.exec_driver_sql(f"SELECT @@GLOBAL.{name}").scalar_one() for name in settings}
        engine = make_engine(url)
        try:
            for name, value in settings.items():
                connection.exec_driver_sql(f"SET GLOBAL {name} = {value}")
            yield engine
        finally:
            for name, old in before.items():
                connection.exec_driver_sql(f"SET GLOBAL {name} = {old!r}")
            engine.dispose()
    keeper.dispose()


def session_mode(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(str(connection.exec_driver_sql("SELECT @@sql_mode").scalar_one()).split(","))


@pytest.mark.parametrize("mode", STANDARD)
def test_the_servers_sql_mode_is_never_ours(new_database: str, mode: str) -> None:
    with server_with(new_database, sql_mode=f"'{mode}'") as engine:
        assert session_mode(engine) == OURS
        assert not engine.dialect._server_ansiquotes  # type: ignore[attr-defined]


@pytest.mark.server
@pytest.mark.parametrize("mode", MARIADB)
def test_mariadbs_other_tongues_are_never_ours(new_mariadb: str, mode: str) -> None:
    with server_with(new_mariadb, sql_mode=f"'{mode}'") as engine:
        assert session_mode(engine) == OURS


async def trades(engine: sa.Engine) -> None:
    """Migrate, and send an order through the ledger."""
    migrate(engine)
    assert differences(engine) == []
    world = SqlWorld(engine, SteppedClock(T + 4_000))
    _, order = await planned(world)
    claim = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    world.people.add_user('it\'s \\ "me" || 한글', "!")
    found = world.people.user_id('it\'s \\ "me" || 한글')
    world.close()
    assert claim.granted
    assert found is not None


@pytest.mark.server
async def test_a_mariadb_that_speaks_oracle_is_migrated_and_traded_on(new_mariadb: str) -> None:
    with server_with(new_mariadb, sql_mode="'ORACLE,EMPTY_STRING_IS_NULL'") as engine:
        await trades(engine)


async def test_a_server_whose_every_setting_is_odd_is_migrated_and_traded_on(new_database: str) -> None:
    with server_with(new_database, **ODD) as engine:
        await trades(engine)
        with engine.connect() as connection:
            engines = sa.text("SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()")
            kept = set(connection.execute(engines).scalars())
    assert kept == {"InnoDB"}


def test_alembic_by_hand_is_met_with_the_same_session(new_database: str) -> None:
    """The newest revisions: all of them are migrated under such a mode above, by the same engine."""
    with server_with(new_database, sql_mode="'ANSI'") as engine:
        load_schema(engine)
        downgrade(engine, revisions()[-NEWEST])
        command = [sys.executable, "-m", "alembic", "-x", f"url={new_database}", "upgrade", "head"]
        done = subprocess.run(command, cwd=MIGRATIONS.parents[1], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        check_schema(engine)


@pytest.mark.server
@pytest.mark.parametrize(("kind", "works"), [("STATEMENT", False), ("MIXED", True), ("ROW", True)])
def test_a_binary_log_of_statements_is_met_before_anything_is_made(kind: str, works: bool) -> None:
    logging = ("--log-bin=log", f"--binlog-format={kind}", "--server-id=1")
    with private_mariadb(*logging) as root, new_database_on(root) as url:
        engine = make_engine(url)
        if works:
            migrate(engine)
            check_schema(engine)
        else:
            for begin in (migrate, check_schema):
                with pytest.raises(Halt, match="binlog_format=ROW") as caught:
                    begin(engine)
                assert "\n" not in str(caught.value)
            assert sa.inspect(engine).get_table_names() == []
        engine.dispose()


def test_a_user_without_the_rights_to_migrate_is_told_which(new_database: str) -> None:
    here = sa.make_url(new_database)
    admin = make_engine(new_database)
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE USER reader@localhost IDENTIFIED BY 's3cret'")
        connection.exec_driver_sql(f"GRANT SELECT, INSERT ON `{here.database}`.* TO reader@localhost")
    reader = make_engine(here.set(username="reader", password="s3cret").render_as_string(hide_password=False))
    try:
        with pytest.raises(Halt, match="lacks a right") as caught:
            migrate(reader)
        assert "s3cret" not in str(caught.value)
    finally:
        reader.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql("DROP USER reader@localhost")
        admin.dispose()
