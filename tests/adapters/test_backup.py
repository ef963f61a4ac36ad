"""A backup holds every row of one moment, comes back as it was, and is refused when it must not come back."""

import json
import shutil
import stat
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib import bootstrap, settings
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.database.schema import check_schema, revisions
from lib.adapters.sql.recovery import refilling
from lib.adapters.sql.recovery.refilling import DOORS
from lib.adapters.sql.recovery.table_rows import dumped, snapshot
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.operating import operator_acts
from lib.adapters.sql.tables.people import accounts, commands, invites, outbox, system_flags, users
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps, real_consents
from lib.adapters.sql.tables.telling import deliveries
from lib.adapters.sql.tables.trading import trader_lease
from lib.adapters.vault import generate_keys
from lib.bootstrap import RestoreWishes, recovery
from lib.clock import SystemClock
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt
from lib.settings import Settings
from services import backup as backup_command
from services import local_secrets
from services import restore as restore_command
from tests.adapters.seeding import counted, seed
from tests.databases import with_schema

PRIVATE, PUBLIC = generate_keys()
ENDED = {"sessions", "api_tokens", "reset_links", "email_links", "known_browsers", "chats", "deliveries"}
ENDED |= {"real_caps", "preflight_runs", "stretch_marks", "stretch_overrides", "demo_overrides"}
ENDED |= {"strategy_shares", "record_links"}
QUIETED = ENDED | {"system_flags", "trader_lease", "accounts", "invites", "commands", "operator_acts", "outbox"}
QUIETED |= {"real_consents", "account_leases", "backtests"}
"""Tables a restore changes on purpose."""


def settings_of(url: str, folder: Path, **more: str) -> Settings:
    env = {"DATABASE_URL": url, "INSTALLATION": "here", "DATA_DIR": str(folder), "ENCRYPTION_KEY": PRIVATE}
    return settings.load(env | more)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with a row in every table, to copy."""
    path = tmp_path_factory.mktemp("filled") / "lived.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def lived(filled: Path, tmp_path: Path) -> Settings:
    """A SQLite database with a row in every table, this test's own."""
    copied = shutil.copy(filled, tmp_path / "lived.db")
    return settings_of(f"sqlite:///{copied}", tmp_path / "data")


def fill(url: str) -> None:
    engine = make_engine(url)
    with_schema(engine)
    with engine.begin() as connection:
        seed(connection)
        connection.execute(sa.update(trader_lease).values(expires_ms=0))
    engine.dispose()


def content(url: str) -> dict[str, list[str]]:
    """Every row of every table that a restore leaves alone, as it reads."""
    engine = make_engine(url)
    with snapshot(engine) as connection:
        lines = list(dumped(connection, Counter()))
    engine.dispose()
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("{"):
            name = line.split('"')[3]
            found[name] = []
        elif name not in QUIETED:
            found[name].append(line)
    return found


def change(here: Settings, *statements: sa.Update) -> None:
    engine = make_engine(here.database_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def rows(url: str, table: sa.Table) -> list[sa.RowMapping]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(table)).mappings())
    engine.dispose()
    return found


def test_what_comes_back_is_what_was_there_whatever_came_since(lived: Settings, tmp_path: Path) -> None:
    before = content(lived.database_url)
    made = bootstrap.backup(lived, tmp_path / "a.backup")
    assert made.header.rows["orders"] == 2
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    engine = make_engine(lived.database_url)
    with engine.begin() as connection:
        connection.execute(sa.delete(sa.table("fills")))
        connection.execute(sa.update(users).values(password_hash="another"))
    engine.dispose()
    done = bootstrap.restore(lived, made.path, RestoreWishes())
    assert content(lived.database_url) == before
    assert done.before is not None
    assert done.before.header.rows["fills"] == 0


def test_a_backup_of_one_kind_of_database_comes_back_on_another(
    lived: Settings, new_database_at_times: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What began with `make run` can move to a server, and back; half a restore starts nothing and is run again."""
    there = settings_of(f"mysql://{new_database_at_times.split('://', 1)[1]}", lived.data_dir)
    change(lived, sa.update(real_consents).values(withdrawn_ms=0))
    made = bootstrap.backup(lived)
    engine = make_engine(new_database_at_times)
    with monkeypatch.context() as patch:
        patch.setattr(refilling, "keep_quiet", killed)
        with pytest.raises(Killed):
            bootstrap.restore(there, made.path, RestoreWishes())
    for start in (check_schema, migrate):
        with pytest.raises(Halt, match="half of a backup"):
            start(engine)
    assert bootstrap.restore(there, made.path, RestoreWishes()).before is None
    check_schema(engine)
    with engine.connect() as connection:
        assert 0 not in connection.scalars(sa.select(real_consents.c.withdrawn_ms)).all()
        told = {"outbox": made.header.rows["outbox"] + 1}  # one account could enter
        assert counted(connection) == made.header.rows | dict.fromkeys(ENDED, 0) | told
        assert connection.scalar(sa.select(users.c.email).where(users.c.id == 1)) == "1email"
    engine.dispose()
    moved = content(new_database_at_times)
    back = bootstrap.backup(there)
    bootstrap.restore(lived, back.path, RestoreWishes())
    assert {name: len(found) for name, found in content(lived.database_url).items()} == {
        name: len(found) for name, found in moved.items()
    }
    bootstrap.restore(there, back.path, RestoreWishes())
    assert content(new_database_at_times) == moved


def test_after_a_restore_nobody_trades_and_nobody_is_signed_in(lived: Settings) -> None:
    now = SystemClock().now_ms()
    bootstrap.restore(lived, bootstrap.backup(lived).path, RestoreWishes())
    [flags] = rows(lived.database_url, system_flags)
    assert not flags["trading_enabled"]
    assert flags["why"] == codes.RESTORED()
    assert flags["switched_ms"] >= now
    assert flags["proven_ms"] == 0
    for ended in DOORS:
        assert rows(lived.database_url, ended) == []


def test_every_stored_proof_of_who_one_is_has_its_place_in_a_restore() -> None:
    """A new table of tokens or codes is either emptied by a restore, or stays for a reason given here."""
    # a way back in that has no other; used ones, as a record; results whose links alone are ended
    stay = {"recovery_codes", "invites", "backtests"}
    hashed = {table.name for table in metadata.sorted_tables if {"token_sha256", "code_sha256"} & set(table.c.keys())}
    assert hashed - stay == {table.name for table in DOORS}


def test_every_account_waits_for_its_owner_and_keeps_the_stop_it_had(lived: Settings) -> None:
    """The owner may have stopped it since the backup."""
    change(
        lived,
        sa.update(accounts).values(active=True, trading_enabled=True, paused_by="", owner_stop="", flatten=False),
        sa.update(accounts).where(accounts.c.id == 2).values(trading_enabled=False, paused_by="owner", flatten=True),
    )
    now = SystemClock().now_ms()
    bootstrap.restore(lived, bootstrap.backup(lived).path, RestoreWishes())
    paused, closing = rows(lived.database_url, accounts)
    assert (paused["trading_enabled"], paused["paused_by"], paused["proven_ms"]) == (False, "system", 0)
    assert paused["pause_reason"] == codes.ACCOUNT_RESTORED()
    assert paused["switched_ms"] >= now
    assert (closing["trading_enabled"], closing["paused_by"], closing["flatten"]) == (False, "owner", True)
    told = [row for row in rows(lived.database_url, outbox) if row["kind"] == "paused"]
    assert [(row["account_id"], row["body"], row["sent_at"]) for row in told] == [(1, codes.ACCOUNT_RESTORED(), None)]


def test_nothing_of_the_backups_moment_is_told_asked_or_carried_out_again(lived: Settings) -> None:
    change(
        lived,
        sa.update(accounts).values(trading_enabled=False),
        sa.update(outbox).values(sent_at=None),
        sa.update(commands).values(taken_at=None, done_at=None),
        sa.update(operator_acts).values(done_ms=0),
        sa.update(invites).where(invites.c.id == 2).values(used_ms=0, used_by=None),
    )
    bootstrap.restore(lived, bootstrap.backup(lived).path, RestoreWishes())
    assert all(row["sent_at"] for row in rows(lived.database_url, outbox))
    assert rows(lived.database_url, deliveries) == []
    assert all(row["done_at"] for row in rows(lived.database_url, commands))
    assert all(row["done_ms"] for row in rows(lived.database_url, operator_acts))
    assert [row["id"] for row in rows(lived.database_url, invites)] == [1], "it may have been used since"


def test_no_consent_to_real_money_no_cap_and_no_preflight_comes_back(lived: Settings) -> None:
    """A consent may have been taken back since, a smaller cap written, a preflight failed: all are asked for anew."""
    change(
        lived,
        sa.update(real_consents).values(withdrawn_ms=0),
        sa.update(real_consents).where(real_consents.c.id == 2).values(withdrawn_ms=7),
    )
    made, now = bootstrap.backup(lived), SystemClock().now_ms()
    assert made.header.rows["real_caps"]
    assert made.header.rows["preflight_runs"]
    change(lived, sa.update(real_consents).values(withdrawn_ms=now))
    bootstrap.restore(lived, made.path, RestoreWishes())
    stood, ended = rows(lived.database_url, real_consents)
    assert stood["withdrawn_ms"] >= now
    assert ended["withdrawn_ms"] == 7, "what ended before is as it was"
    assert rows(lived.database_url, real_caps) == []
    assert rows(lived.database_url, preflight_runs) == []


def test_the_moment_of_the_backup_is_known_after_it_came_back(lived: Settings) -> None:
    made = bootstrap.backup(lived)
    bootstrap.restore(lived, made.path, RestoreWishes())
    [flags] = rows(lived.database_url, system_flags)
    assert flags["restored_ms"] == made.header.made_ms


def test_a_backup_of_an_older_schema_comes_up_to_this_one(tmp_path: Path) -> None:
    here = settings_of(f"sqlite:///{tmp_path / 'old.db'}", tmp_path)
    engine = make_engine(here.database_url)
    migrate(engine, "0005")
    with engine.begin() as connection:
        before = seed(connection)
    made = bootstrap.backup(here)
    assert made.header.revision == "0005"
    bootstrap.restore(here, made.path, RestoreWishes())
    check_schema(engine)
    with engine.connect() as connection:
        after = counted(connection)
    assert [name for name, count in before.items() if name not in QUIETED and after[name] < count] == []
    [flags] = rows(here.database_url, system_flags)
    assert not flags["trading_enabled"]
    engine.dispose()


def test_a_backup_is_of_one_moment_and_holds_up_nobody(lived: Settings) -> None:
    engine = make_engine(lived.database_url, sqlite_busy_ms=300)
    counts: Counter[str] = Counter()
    with snapshot(engine) as connection:
        lines = dumped(connection, counts)
        next(lines)
        with engine.begin() as writer:  # waits for nobody
            writer.execute(sa.delete(sa.table("fills")))
        list(lines)
    engine.dispose()
    assert counts["fills"] == 2


def test_a_backup_is_never_written_over(lived: Settings, tmp_path: Path) -> None:
    bootstrap.backup(lived, tmp_path / "a.backup")
    with pytest.raises(Halt, match="never written over"):
        bootstrap.backup(lived, tmp_path / "a.backup")
    assert [path.name for path in tmp_path.glob("a.backup*")] == ["a.backup"]


# --- what is refused, with nothing touched ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", [20, 90, 300, -1])
def test_a_file_with_one_byte_changed_is_refused(lived: Settings, place: int) -> None:
    made = bootstrap.backup(lived)
    raw = bytearray(made.path.read_bytes())
    raw[place] ^= 1
    made.path.write_bytes(raw)
    refused(lived, made.path, "damaged")


def test_a_file_that_was_cut_short_is_refused(lived: Settings) -> None:
    made = bootstrap.backup(lived)
    made.path.write_bytes(made.path.read_bytes()[:-100])
    refused(lived, made.path, "damaged")


def test_a_file_of_another_program_is_refused(lived: Settings, tmp_path: Path) -> None:
    other = tmp_path / "dump.sql"
    other.write_text("-- MySQL dump\n")
    refused(lived, other, "no backup of this program")


def test_another_installations_backup_is_refused_unless_told(lived: Settings, tmp_path: Path) -> None:
    made = bootstrap.backup(lived)
    there = settings_of(lived.database_url, tmp_path, INSTALLATION="other")
    refused(there, made.path, "installation 'here'")
    assert bootstrap.restore(there, made.path, RestoreWishes(foreign=True)).header.installation == "here"


def test_a_newer_schema_is_refused(lived: Settings) -> None:
    engine = make_engine(lived.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    made = bootstrap.backup(lived)
    with engine.begin() as connection:
        here = sa.update(sa.table("alembic_version", sa.column("version_num")))
        connection.execute(here.values(version_num=revisions()[-1]))
    engine.dispose()
    refused(lived, made.path, "newer than this release")


def test_while_a_trader_lives_nothing_is_restored(lived: Settings) -> None:
    made = bootstrap.backup(lived)
    engine = make_engine(lived.database_url)
    with engine.begin() as connection:
        alive = {"holder": "trader-1", "expires_ms": SystemClock().now_ms() + 30_000}
        connection.execute(sa.update(trader_lease).values(alive))
    engine.dispose()
    refused(lived, made.path, r"a trader \(trader-1\) works")


def refused(here: Settings, file: Path, why: str) -> None:
    before = content(here.database_url)
    with pytest.raises(Halt, match=why) as halt:
        bootstrap.restore(here, file, RestoreWishes())
    assert "\n" not in str(halt.value)
    assert content(here.database_url) == before
    assert rows(here.database_url, system_flags)[0]["trading_enabled"]


# --- cut off ----------------------------------------------------------------------------------------------------------


class Killed(Exception):
    """The process is gone here."""


def test_on_sqlite_a_restore_cut_off_leaves_the_database_as_it_was(
    lived: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, before = bootstrap.backup(lived), content(lived.database_url)
    with monkeypatch.context() as patch:
        patch.setattr(refilling, "keep_quiet", killed)
        with pytest.raises(Killed):
            bootstrap.restore(lived, made.path, RestoreWishes())
    assert content(lived.database_url) == before


def killed(connection: sa.Connection, now_ms: int, as_of_ms: int) -> None:
    raise Killed


# --- secrets and the two commands -------------------------------------------------------------------------------------


def test_secrets_are_in_the_file_only_when_asked_for_and_only_a_fresh_machine_takes_them(
    lived: Settings, tmp_path: Path
) -> None:
    lived.data_dir.mkdir(exist_ok=True)
    own = lived.data_dir / "secrets.json"
    own.write_text('{"ENCRYPTION_KEY": "the-private-key"}')
    plain = bootstrap.backup(lived)
    with pytest.raises(Halt, match="holds no secrets"):
        bootstrap.take_secrets(plain.path, tmp_path / "fresh")
    whole = bootstrap.backup(lived, with_secrets=True)
    taken = bootstrap.take_secrets(whole.path, tmp_path / "fresh")
    assert taken.read_text() == '{\n "ENCRYPTION_KEY": "the-private-key"\n}'
    assert stat.S_IMODE(taken.stat().st_mode) == 0o600
    own.write_text('{"ENCRYPTION_KEY": "another"}')
    with pytest.raises(Halt, match="move it away first"):
        bootstrap.take_secrets(whole.path, lived.data_dir)
    bootstrap.restore(lived, whole.path, RestoreWishes())


def test_a_backup_holds_secrets_by_name_and_one_that_names_more_is_refused(
    lived: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the file of secrets becomes processes' environment: not a word of it may be somebody else's."""
    lived.data_dir.mkdir(exist_ok=True)
    (lived.data_dir / "secrets.json").write_text('{"ENCRYPTION_KEY": "key", "PYTHONPATH": "/elsewhere"}')
    taken = bootstrap.take_secrets(bootstrap.backup(lived, with_secrets=True).path, tmp_path / "fresh")
    assert json.loads(taken.read_text()) == {"ENCRYPTION_KEY": "key"}
    monkeypatch.setattr(recovery, "SECRET_NAMES", ("ENCRYPTION_KEY", "PYTHONPATH"))
    strange = bootstrap.backup(lived, with_secrets=True)
    monkeypatch.undo()
    with pytest.raises(Halt, match="'PYTHONPATH' among its secrets"):
        bootstrap.take_secrets(strange.path, tmp_path / "other")


def test_all_secrets_that_make_run_makes_may_be_in_a_backup(tmp_path: Path) -> None:
    local_secrets.kept_secrets(tmp_path)
    local_secrets.renew(tmp_path)
    assert set(local_secrets.kept_secrets(tmp_path)) == set(recovery.SECRET_NAMES)


def test_the_commands_say_what_is_in_the_file_and_how_trading_goes_on(
    lived: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", lived.database_url)
    monkeypatch.setenv("INSTALLATION", "here")
    monkeypatch.setenv("DATA_DIR", str(lived.data_dir))
    file = tmp_path / "said.backup"
    backup_command.main(["--to", str(file)])
    assert "secrets are not in it" in capsys.readouterr().out
    restore_command.main(["--from", str(file)])
    said = capsys.readouterr().out
    assert "trading is OFF" in said
    assert "make control ARGS=resume" in said
