"""Old texts leave their rows for files, what expired goes: nothing lost, nothing doubled, wherever it is cut off."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.archive import expired, texts
from lib.adapters.sql.archive.texts import CURSOR, CallTexts
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.recovery.backup_file import opened_backup
from lib.adapters.sql.tables.people import outbox, system_settings
from lib.adapters.sql.tables.safety import api_tokens
from lib.adapters.sql.tables.trading import cycles
from lib.bootstrap import archiving
from lib.bootstrap.archiving import Archivist
from lib.domain.errors import Halt
from lib.domain.platform_settings import KEEP_TEXTS_DAYS
from services import archive as archive_command
from tests.adapters.seeding import counted, seed

DAY_MS = 86_400_000
NOW = 400 * DAY_MS
MANY = 25
"""Calls, one a day, from a hundred days ago on."""
MONEY = (
    "orders",
    "order_events",
    "fills",
    "transfers",
    "equity_points",
    "trade_logs",
    "risk_locks",
    "accounts",
    "users",
)


class Killed(Exception):
    """The process is gone here."""


@pytest.fixture(params=["sqlite", "mariadb"])
def empty(request: pytest.FixtureRequest) -> sa.Engine:
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def engine(empty: sa.Engine) -> sa.Engine:
    """A database with old analyst calls."""
    with empty.begin() as connection:
        _call(connection)
    return empty


@pytest.fixture
def full(empty: sa.Engine) -> sa.Engine:
    """The same with rows in every table, but what is deleted with a call."""
    with empty.begin() as connection:
        seed(connection)
        connection.execute(sa.update(cycles).values(t_ms=NOW))
        _call(connection)
        for name in ("trade_logs", "model_calls", "scores", "shadow_calls"):
            connection.execute(sa.delete(sa.table(name)))
        connection.execute(sa.delete(cycles).where(cycles.c.t_ms == NOW))
    return empty


def _call(connection: sa.Connection) -> None:
    connection.execute(sa.insert(cycles), [call(number) for number in range(MANY)])


def call(number: int) -> dict[str, object]:
    candles = json.dumps([{"open_time": n, "close": "1"} for n in range(3)])
    of = {"feed": "synthetic", "symbol": "BTCUSDT", "interval_s": 300, "prompt_group": f"group {number}"}
    said = {"prompt": f"질문 {number}", "candles": candles, "raw_answer": f'{{"answer": {number}}}'}
    rest = {"state": "decided", "decision": {}, "model": "rules", "prompt_tokens": 1, "completion_tokens": 1}
    return of | said | rest | {"latency_ms": 1, "t_ms": NOW - (100 - number) * DAY_MS}


def archive(engine: sa.Engine, folder: Path, installation: str = "here") -> Archivist:
    return Archivist(engine, folder, installation, rest=lambda _: None)


def rows(engine: sa.Engine) -> dict[int, tuple[str, str, str, bool]]:
    columns = (cycles.c.id, cycles.c.prompt, cycles.c.candles, cycles.c.raw_answer, cycles.c.archived)
    with engine.connect() as connection:
        return {row.id: tuple(row[1:]) for row in connection.execute(sa.select(*columns))}


def filed(folder: Path) -> Counter[int]:
    """How often each call is in a file."""
    found: Counter[int] = Counter()
    for path in folder.glob("*.archive"):
        with opened_backup(path, magic="maemae-archive") as (_, lines):
            found.update(texts.from_line(line).id for line in lines)
    return found


def keep(engine: sa.Engine, days: int) -> None:
    with engine.begin() as connection:
        row = {"setting_key": KEEP_TEXTS_DAYS, "setting_value": str(days)}
        if not insert_once(connection, system_settings, row):
            here = system_settings.c.setting_key == KEEP_TEXTS_DAYS
            connection.execute(sa.update(system_settings).where(here).values(setting_value=str(days)))


def test_texts_older_than_the_setting_leave_their_rows_and_come_back_letter_by_letter(
    engine: sa.Engine, tmp_path: Path
) -> None:
    before, shelf = rows(engine), archive(engine, tmp_path)
    done = shelf.run(NOW)
    assert (done.archived, done.files, done.is_whole) == (10, 1, True), "ninety days, if nobody said another number"
    after = rows(engine)
    gone = sorted(before)[:10]
    assert all(after[number] == ("", '[{"open_time":2,"close":"1"}]', "", True) for number in gone)
    assert all(after[number] == before[number] for number in sorted(before)[10:])
    keep(engine, 80)
    assert shelf.run(NOW).archived == 10
    assert shelf.run(NOW).archived == 0
    assert shelf.shelf().calls == 20
    assert shelf.bring_back(0, NOW - 95 * DAY_MS) == 5
    assert shelf.send_away(0, NOW) == 5
    assert shelf.bring_back(0, NOW) == 20
    assert rows(engine) == before


def test_zero_days_and_a_row_that_cannot_be_read_keep_everything(engine: sa.Engine, tmp_path: Path) -> None:
    before = rows(engine)
    keep(engine, 0)
    assert archive(engine, tmp_path).run(NOW).archived == 0
    assert rows(engine) == before


def test_where_files_are_forgotten_texts_stay(engine: sa.Engine, tmp_path: Path) -> None:
    before = rows(engine)
    done = Archivist(engine, tmp_path, "here", keeps=False, rest=lambda _: None).run(NOW)
    assert (done.archived, rows(engine)) == (0, before)


# --- cut off ----------------------------------------------------------------------------------------------------------


def after_calls(number: int, work: Callable[..., object]) -> Callable[..., object]:
    """*work*, killed before its call *number*, or after that call if *number* is negative."""
    left = [abs(number)]

    def cut(*args: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == 0 and number > 0:
            raise Killed
        result = work(*args, **named)
        if left[0] == 0:
            raise Killed
        return result

    return cut


@pytest.mark.parametrize("number", [1, -1, 2, -2, -3])
@pytest.mark.parametrize("place", ["take_out", "move_cursor", "write_backup"])
def test_a_pass_cut_off_anywhere_loses_nothing_and_doubles_nothing(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, number: int
) -> None:
    keep(engine, 80)
    before, shelf = rows(engine), archive(engine, tmp_path)
    monkeypatch.setattr(archiving, "A_FILE", 8)
    monkeypatch.setattr(archiving, "A_STEP", 3)
    module = archiving if place == "write_backup" else texts
    with monkeypatch.context() as patch:
        patch.setattr(module, place, after_calls(number, getattr(module, place)))
        with pytest.raises(Killed):
            shelf.run(NOW)
    here, in_files = rows(engine), filed(tmp_path)
    assert all(here[one][:3] == before[one][:3] or in_files[one] for one in before), "a text is in its row or in a file"
    shelf.run(NOW)
    assert filed(tmp_path) == Counter(sorted(before)[:20]), "each is in one file, once"
    assert [one for one, row in rows(engine).items() if row[3]] == sorted(before)[:20]
    shelf.bring_back(0, NOW)
    assert rows(engine) == before


def test_a_file_of_another_history_is_left_alone(engine: sa.Engine, tmp_path: Path) -> None:
    """A restored database has given the same ids to other calls since."""
    shelf = archive(engine, tmp_path)
    shelf.run(NOW)
    shelf.bring_back(0, NOW)
    with engine.begin() as connection:
        connection.execute(sa.delete(system_settings).where(system_settings.c.setting_key == CURSOR))
        connection.execute(sa.update(cycles).values(raw_answer="another"))
    other = rows(engine)
    assert shelf.run(NOW).archived == 10
    assert filed(tmp_path) == Counter(dict.fromkeys(sorted(other)[:10], 2)), "its own file beside the other's"


def test_a_damaged_file_and_another_installations_are_refused(engine: sa.Engine, tmp_path: Path) -> None:
    archive(engine, tmp_path).run(NOW)
    with pytest.raises(Halt, match="of installation 'here'"):
        archive(engine, tmp_path, "there").bring_back(0, NOW)
    [path] = tmp_path.glob("*.archive")
    with pytest.raises(Halt, match="no backup of this program"), opened_backup(path):
        pass
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Halt, match="damaged"):
        archive(engine, tmp_path).bring_back(0, NOW)


# --- what expired -----------------------------------------------------------------------------------------------------


def test_what_ended_long_ago_goes_and_money_never_does(full: sa.Engine, tmp_path: Path) -> None:
    with full.begin() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.id == 2).values(sent_at=None))
        alive = sa.update(api_tokens).where(api_tokens.c.id == 2).values(expires_ms=NOW * 1_000)
        connection.execute(alive)
        before = counted(connection)
    in_2030 = 1_893_456_000_000
    done = archive(full, tmp_path).run(in_2030)
    with full.connect() as connection:
        after = counted(connection)
    ended = {"reset_links": 2, "email_links": 2, "api_tokens": 1, "outbox": 1, "commands": 2}
    assert {name: count for name, count in done.deleted.items() if count} == ended
    lost = {name: count - after[name] for name, count in before.items() if after[name] < count}
    assert lost == ended | {"deliveries": 1}
    assert not set(expired.ENDED) & set(MONEY)


def test_a_text_reads_back_as_it_was_written() -> None:
    one = CallTexts(1, 2, "group", 'a\n"질문"\u2028', "[]", "{}")
    assert texts.from_line(one.line) == one
    assert "\n" not in one.line
    assert texts.newest_alone("not a list") == "[]"


def test_the_command_says_what_it_did_and_where_it_lies(
    sqlite_engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = call(0) | {"t_ms": 1_700_000_000_000}
    with sqlite_engine.begin() as connection:
        connection.execute(sa.insert(cycles).values(old))
    told = {"DATABASE_URL": str(sqlite_engine.url), "INSTALLATION": "here", "DATA_DIR": str(tmp_path / "data")}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    archive_command.main(["--minutes", "1"])
    archive_command.main(["status"])
    archive_command.main(["back", "--from", "2023-11-14", "--until", "2023-11-14"])
    archive_command.main(["away", "--from", "2023-11-15"])
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "archived the texts of 1 calls in 1 files; deleted nothing",
        f"{tmp_path / 'data' / 'archive'}: 1 files with the texts of 1 calls, of 2023-11-14 to 2023-11-14",
        "brought back the texts of 1 calls",
        "took the texts of 0 calls out again",
    ]
    assert next(iter(rows(sqlite_engine).values()))[0] == old["prompt"]
