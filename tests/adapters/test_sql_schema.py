"""One schema, told three times: the migrations, the models and schema.sql make the same database on a real server."""

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import STATEMENT_S, alembic_config, downgrade, migrate
from lib.adapters.sql.database.schema import check_schema, revisions
from lib.adapters.sql.database.url import TIMEOUT_S
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.people import accounts, system_flags
from lib.adapters.sql.tables.trading import equity_points
from lib.domain.books import RunningBooks, book_fill
from lib.domain.errors import Halt, Retry
from lib.domain.position import Side
from tests import factories as make
from tests.adapters.test_upgrades import NEWEST
from tests.databases import load_schema

SNAPSHOT = {
    "tables": "SELECT table_name, engine, table_collation FROM information_schema.tables WHERE table_schema = {db}",
    "columns": "SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default, "
    # MySQL alone tells (10) from 10, which are one default
    "TRIM(REPLACE(extra, 'DEFAULT_GENERATED', '')), "
    "character_set_name, collation_name FROM information_schema.columns WHERE table_schema = {db}",
    "indexes": "SELECT table_name, index_name, non_unique, seq_in_index, column_name "
    "FROM information_schema.statistics WHERE table_schema = {db}",
    "keys": "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name "
    "FROM information_schema.key_column_usage WHERE table_schema = {db}",
    "rules": "SELECT table_name, constraint_name, update_rule, delete_rule "
    "FROM information_schema.referential_constraints WHERE constraint_schema = {db}",
    "checks": "SELECT constraint_name, check_clause FROM information_schema.check_constraints "
    "WHERE constraint_schema = {db}",
}


@pytest.fixture
def server(new_database: str) -> Iterator[sa.Engine]:
    engine = make_engine(new_database)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'app.db'}", pool_size=5)
    yield engine
    engine.dispose()


def differences(engine: sa.Engine) -> list[Any]:
    """What Alembic would change to make the database equal the models."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def snapshot(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything information_schema says: Alembic is blind to ENUM order, UNSIGNED, charset and widths."""
    with engine.connect() as connection:
        return {
            name: sorted(
                tuple(row)
                for row in connection.exec_driver_sql(query.format(db="DATABASE()"))
                if "alembic_version" not in map(str, row)
            )
            for name, query in SNAPSHOT.items()
        }


def by_migrations(engine: sa.Engine) -> None:
    migrate(engine)
    _forget_revision(engine)


def by_models(engine: sa.Engine) -> None:
    metadata.create_all(engine)


def by_schema_sql(engine: sa.Engine) -> None:
    load_schema(engine)
    check_schema(engine)
    _forget_revision(engine)


def _forget_revision(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")


QUANTITIES = st.integers(0, 40).map(lambda n: Decimal(n) / 1_000)
TRADES = st.lists(st.tuples(st.sampled_from(["buy", "sell"]), QUANTITIES, st.integers(100, 200)), max_size=25)


def test_the_names_of_the_files_say_what_alembic_reads_in_them() -> None:
    told = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    assert revisions() == [script.revision for script in told][::-1]


@given(TRADES)
def test_rounds_of_before_are_counted_as_the_books_count_them(trades: list[tuple[Side, Decimal, int]]) -> None:
    books, rows = RunningBooks(Decimal(10_000)), []
    for number, (side, qty, price) in enumerate(trades):
        fee = Decimal(number + 1) / 100
        books, realised = book_fill(books, make.fill(str(number), side, qty, price, fee=fee, at_ms=number + 1))
        rows.append((side, qty, realised, fee))
    assert revision("0010_readings")._won_and_lost(rows) == (books.rounds_won, books.rounds_lost)


def revision(name: str) -> Any:
    """The module of a migration: its name is no name of Python's."""
    return importlib.import_module(f"db.migrations.versions.{name}")


def test_migrations_models_and_schema_sql_make_the_same_database(server: sa.Engine) -> None:
    snapshots = []
    for build in (by_migrations, by_models, by_schema_sql):
        build(server)
        assert differences(server) == [], build.__name__
        snapshots.append(snapshot(server))
        metadata.drop_all(server)
    migrated, modelled, written = snapshots
    for part in SNAPSHOT:
        assert migrated[part] == modelled[part] == written[part], part
    assert len(migrated["tables"]) == len(metadata.tables)


def test_the_snapshot_sees_what_alembic_does_not(server: sa.Engine) -> None:
    by_models(server)
    before = snapshot(server)
    with server.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE orders MODIFY side ENUM('sell','buy') NOT NULL")
    assert differences(server) == []
    assert snapshot(server)["columns"] != before["columns"]


def test_every_text_that_is_a_key_compares_byte_by_byte(server_engine: sa.Engine) -> None:
    """A loose collation would find one person, symbol or order under another's name."""
    keys = sa.text(
        "SELECT DISTINCT s.table_name, s.column_name, c.collation_name FROM information_schema.statistics s "
        "JOIN information_schema.columns c USING (table_schema, table_name, column_name) "
        "WHERE s.table_schema = DATABASE() AND s.table_name != 'alembic_version' "
        "AND c.collation_name IS NOT NULL AND c.data_type != 'enum'"
    )
    with server_engine.connect() as connection:
        found = {(table, name): collation for table, name, collation in connection.execute(keys)}
    assert {("users", "email"), ("accounts", "feed"), ("orders", "order_link_id"), ("throttles", "tally_key")} <= set(
        found
    )
    assert [key for key, collation in found.items() if not collation.endswith("_bin")] == []


PEOPLE_OF_BEFORE = {
    1: "kim@example.com",
    2: "\ufb01rst@example.com",
    3: "\uff4bim@example.com",
    4: "\u212aay@example.com",
}


def test_on_sqlite_people_of_before_are_respelt_where_nobody_else_is_known_so(
    sqlite: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """3 is spelt as 1 is known already (a loose collation never let both in): both stay, and the log says whose."""
    assert _respelt(sqlite, PEOPLE_OF_BEFORE) == {**PEOPLE_OF_BEFORE, 2: "first@example.com", 4: "kay@example.com"}
    assert "email_kept" in caplog.text


def test_on_a_server_people_of_before_are_respelt(server: sa.Engine) -> None:
    before = {number: email for number, email in PEOPLE_OF_BEFORE.items() if number != 3}
    assert _respelt(server, before) == {1: "kim@example.com", 2: "first@example.com", 4: "kay@example.com"}


def _respelt(engine: sa.Engine, people: dict[int, str]) -> dict[int, str]:
    migrate(engine, "0003")
    with engine.begin() as connection:
        for number, email in people.items():
            row = {"number": number, "email": email}
            connection.execute(
                sa.text("INSERT INTO users (id, email, password_hash) VALUES (:number, :email, '!')"), row
            )
    migrate(engine, "0004")
    with engine.connect() as connection:
        return {row.id: row.email for row in connection.execute(sa.text("SELECT id, email FROM users"))}


def test_on_sqlite_the_migrations_make_what_the_models_say(sqlite: sa.Engine) -> None:
    migrate(sqlite)
    assert differences(sqlite) == []


def test_on_sqlite_a_migration_goes_up_down_and_up_again(sqlite: sa.Engine) -> None:
    """On a server it does so while it is killed (`tests/adapters/test_cut_migrations.py`)."""
    migrate(sqlite)
    downgrade(sqlite, "base")
    assert sa.inspect(sqlite).get_table_names() == ["alembic_version"]
    migrate(sqlite)
    check_schema(sqlite)
    with sqlite.connect() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM system_flags").scalar() == 1
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM trader_lease").scalar() == 1


@pytest.mark.server
def test_on_mariadb_processes_that_start_together_migrate_once(new_mariadb: str) -> None:
    _migrate_together(new_mariadb)


@pytest.mark.server
def test_on_mysql_processes_that_start_together_migrate_once(new_mysql: str) -> None:
    """The newest revisions, because all of them are seconds there; what both wait for is the same."""
    engine = make_engine(new_mysql)
    load_schema(engine)
    downgrade(engine, revisions()[-NEWEST])
    engine.dispose()
    _migrate_together(new_mysql)


def test_on_sqlite_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    _migrate_together(f"sqlite:///{tmp_path / 'app.db'}")


def _migrate_together(url: str) -> None:
    # Alembic keeps its context in module globals, so one process may migrate in one thread only: these are processes
    there = "from lib.adapters.sql.database import engine, migrating"
    script = f"import sys; {there}; migrating.migrate(engine.make_engine(sys.argv[1]))"
    started = [subprocess.Popen([sys.executable, "-c", script, url], stderr=subprocess.PIPE) for _ in range(2)]
    outcomes = [(process.communicate()[1].decode(), process.returncode) for process in started]
    assert [code for _, code in outcomes] == [0, 0], outcomes
    engine = make_engine(url)
    check_schema(engine)
    engine.dispose()


def test_on_sqlite_rows_of_before_hold_nothing_in_columns_that_came(sqlite: sa.Engine) -> None:
    _rows_of_before(sqlite)


@pytest.mark.server
def test_on_mariadb_rows_of_before_hold_nothing_in_columns_that_came(new_mariadb: str) -> None:
    """On MySQL rows of the first schema do (`tests/adapters/test_upgrades.py`)."""
    engine = make_engine(new_mariadb)
    _rows_of_before(engine)
    engine.dispose()


def _rows_of_before(engine: sa.Engine) -> None:
    migrate(engine, "0002")
    money = ("start_balance", "realised", "fees", "funding", "position_qty", "avg_entry_price", "round_result")
    names, zeros = ", ".join((*money, "peak_equity")), ", '0'" * (len(money) + 1)
    with engine.begin() as connection:
        for row in (
            "users (id, email, password_hash) VALUES (1, 'a', 'b')",
            "symbols (symbol_no, symbol) VALUES (1, 'BTCUSDT')",
            f"accounts (id, user_id, venue, feed, uid, symbol_no, {names}) VALUES (1, 1, 'paper', 'x', 'y', 1{zeros})",
            "equity_points (account_id, t_ms, balance, equity, difference) VALUES (1, 5, '7', '7', '0')",
        ):
            connection.exec_driver_sql(f"INSERT INTO {row}")
    migrate(engine)
    with engine.connect() as connection:
        account = connection.execute(sa.select(accounts)).mappings().one()
        point = connection.execute(sa.select(equity_points)).mappings().one()
    assert (account["transfers"], account["switched_ms"], account["tokens_spent"]) == (0, 0, 0)
    assert (point["equity"], point["transfers"]) == (7, 0)


def test_a_migration_may_take_longer_than_an_everyday_statement(
    server: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def look(config: object, revision: str) -> None:
        with server.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            seen.append(raw._read_timeout)

    monkeypatch.setattr("alembic.command.upgrade", look)
    migrate(server)
    look(None, "")
    assert seen == [STATEMENT_S, TIMEOUT_S]


def test_a_database_without_a_schema_is_refused(sqlite: sa.Engine) -> None:
    with pytest.raises(Halt, match="make migrate"):
        check_schema(sqlite)


def test_a_database_of_another_release_is_refused(sqlite: sa.Engine) -> None:
    migrate(sqlite)
    with sqlite.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Halt, match="9999"):
        check_schema(sqlite)


@pytest.mark.enable_socket
def test_an_unreachable_database_is_one_line_without_the_password(new_database: str) -> None:
    here = sa.make_url(new_database)
    stranger, nowhere = here.set(username="stranger", password="s3cret"), here.set(database="maemae_none")
    for url, kind, why in (
        ("mysql://me:s3cret@127.0.0.1:1/app", Retry, "database_away"),  # it may come yet
        (stranger.render_as_string(hide_password=False), Halt, "refused"),
        (nowhere.render_as_string(hide_password=False), Halt, "no database of that name"),
    ):
        engine = make_engine(url)
        with pytest.raises(kind, match=why) as caught:
            check_schema(engine)
        assert "s3cret" not in str(caught.value)
        assert "\n" not in str(caught.value)
        engine.dispose()


def test_the_old_key_columns_can_never_hold_a_key(any_engine: sa.Engine) -> None:
    row = "INSERT INTO users (email, password_hash, bybit_api_key) VALUES ('a', 'b', 'in clear')"
    with pytest.raises(sa.exc.DBAPIError, match="keys_are_sealed_elsewhere"), any_engine.begin() as connection:
        connection.exec_driver_sql(row)


def test_threads_never_share_a_sqlite_transaction(sqlite: sa.Engine) -> None:
    migrate(sqlite)
    seen: list[int] = []

    def count_up() -> None:
        for _ in range(20):
            with sqlite.begin() as connection:
                before = connection.execute(sa.select(system_flags.c.version)).scalar_one()
                connection.execute(sa.update(system_flags).values(version=before + 1))
        seen.append(1)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM system_flags").scalar_one() == 1 + 4 * 20
    assert len(seen) == 4
