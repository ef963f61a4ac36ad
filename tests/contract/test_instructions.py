"""What a person writes for the analyst: every version is kept, in the transaction of the change, on every database."""

from decimal import Decimal
from hashlib import sha256

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.domain.account import MAX_CUSTOM_PROMPT, AccountSettings
from lib.domain.account_records import NewAccount
from lib.domain.trail import Note, TrailEvent
from lib.queries import Readings
from tests.fakes.people import StandingClock
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
LONGEST = "🙂" * MAX_CUSTOM_PROMPT
"""As many bytes as any text that is allowed."""


@pytest.fixture(params=["sqlite", *AT_TIMES])
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def people(engine: sa.Engine) -> SqlAccounts:
    return SqlAccounts(engine, StandingClock(NOW))


@pytest.fixture
def readings(engine: sa.Engine) -> Readings:
    return Readings(engine, None, StandingClock(NOW))


def write(people: SqlAccounts, user_id: int, text: str, version: int | None = None) -> bool:
    return people.change_settings(user_id, AccountSettings(custom_prompt=text), version)


def test_every_version_is_kept_with_its_number_time_and_fingerprint(people: SqlAccounts, readings: Readings) -> None:
    kim, lee = people.add_user("kim@example.com", "!"), people.add_user("lee@example.com", "!")
    for text in ("추세만", "추세만 🙂\n두 줄", "", "추세만"):
        assert write(people, kim, text)
    write(people, lee, "mine")
    kept = readings.instructions(kim)
    assert [(row.number, row.text) for row in kept] == [(3, ""), (2, "추세만 🙂\n두 줄"), (1, "추세만")]
    assert {row.made_ms for row in kept} == {NOW}
    assert [row.sha256 for row in kept] == [sha256(row.text.encode()).hexdigest() for row in kept]
    assert [row.number for row in readings.instructions(kim, 2)] == [3, 2]
    assert [row.text for row in readings.instructions(lee)] == ["mine"]


def test_what_stood_before_versions_were_kept_becomes_the_first(
    engine: sa.Engine, people: SqlAccounts, readings: Readings
) -> None:
    kim = people.add_user("kim@example.com", "!")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE users SET custom_prompt = 'old'"))
    assert readings.instructions(kim) == []
    write(people, kim, "new")
    assert [(row.number, row.text, row.made_ms) for row in readings.instructions(kim)] == [
        (2, "new", NOW),
        (1, "old", 0),
    ]


def test_a_stale_or_failed_change_keeps_no_version(people: SqlAccounts, readings: Readings) -> None:
    kim = people.add_user("kim@example.com", "!")
    assert write(people, kim, "one", 1)
    assert not write(people, kim, "two", 1)
    assert people.change_settings(kim, AccountSettings(max_leverage=3, custom_prompt="one"), 2)
    elsewhere = Note(-1, NOW, TrailEvent.SETTINGS_CHANGED)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        people.change_settings(kim, AccountSettings(custom_prompt="three"), 3, elsewhere)
    assert [row.text for row in readings.instructions(kim)] == ["one"]


def test_the_longest_instructions_are_read_back_letter_by_letter(
    engine: sa.Engine, people: SqlAccounts, readings: Readings
) -> None:
    kim = people.add_user("kim@example.com", "!")
    people.add_account(NewAccount(kim, "paper", "synthetic", "1", "BTCUSDT", "sealed", "1234", 1, Decimal(1), NOW))
    write(people, kim, LONGEST)
    chosen = readings.settings(kim)
    assert chosen is not None
    assert chosen.settings.custom_prompt == LONGEST
    assert [row.text for row in readings.instructions(kim)] == [LONGEST]
