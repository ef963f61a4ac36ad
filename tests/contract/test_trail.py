"""The trail and the readings over it: in memory where a store is asked, on SQLite and MariaDB for both."""

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.sessions import SqlSessions
from lib.adapters.sql.forms.trail import SqlTrail
from lib.domain.account import AccountSettings
from lib.domain.session import IDLE_MS, NewSession
from lib.domain.trail import Actor, Note, TrailEvent
from lib.queries.safety import SafetyReadings
from tests.fakes.people import StandingClock
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"


@pytest.fixture(params=["sqlite", *AT_TIMES])
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def readings(engine: sa.Engine) -> SafetyReadings:
    return SafetyReadings(engine, None, StandingClock(NOW))  # type: ignore[arg-type]


def person(engine: sa.Engine, name: str = "kim") -> int:
    return SqlAccounts(engine).add_user(f"{name}@example.com", "!")


def note(user_id: int, event: TrailEvent = TrailEvent.SIGNED_IN, at_ms: int = NOW, detail: str = "") -> Note:
    return Note(user_id, at_ms, event, detail, Actor.OWNER, "203.0.113.7", CHROME)


def begin(engine: sa.Engine, user_id: int, token: str, seen_ms: int = NOW, *, read_only: bool = False) -> None:
    SqlSessions(engine).open(NewSession(token * 64, user_id, read_only, "2001:db8:1:2::9", CHROME, seen_ms))


def test_a_person_reads_their_own_notes_newest_first_in_pages(engine: sa.Engine, readings: SafetyReadings) -> None:
    kim, lee, trail = person(engine), person(engine, "lee"), SqlTrail(engine)
    for number in range(5):
        trail.write(note(kim, at_ms=NOW + number, detail="demo ••••1234"))
    trail.write(note(lee))
    newest = readings.trail(kim, 2)
    assert [line.at_ms for line in newest] == [NOW + 4, NOW + 3]
    assert [line.at_ms for line in readings.trail(kim, 9, newest[-1].id)] == [NOW + 2, NOW + 1, NOW]
    assert (newest[0].device, newest[0].network, newest[0].actor) == ("Chrome · Windows", "203.0.113.7", "owner")
    assert newest[0].detail == "demo ••••1234"
    assert len(readings.trail(lee, 9)) == 1


def test_old_notes_are_dropped(engine: sa.Engine, readings: SafetyReadings) -> None:
    kim, trail = person(engine), SqlTrail(engine)
    trail.write(note(kim, at_ms=NOW - 1))
    trail.write(note(kim))
    assert (trail.drop_older(NOW), len(readings.trail(kim, 9))) == (1, 1)


def test_a_note_stands_or_falls_with_its_act(engine: sa.Engine, readings: SafetyReadings) -> None:
    kim, accounts = person(engine), SqlAccounts(engine)
    changed = note(kim, TrailEvent.SETTINGS_CHANGED)
    assert not accounts.change_settings(kim, AccountSettings(max_leverage=3), 7, changed)
    assert readings.trail(kim, 9) == []
    assert accounts.change_settings(kim, AccountSettings(max_leverage=3), 1, changed)
    assert accounts.change_settings(kim, AccountSettings(max_leverage=3), 2, changed)
    assert [line.event for line in readings.trail(kim, 9)] == ["settings_changed"]
    accounts.set_auto_trade(kim, False, NOW, note(kim, TrailEvent.AUTO_OFF))
    assert len(readings.trail(kim, 9)) == 1


def test_living_sessions_are_read_without_visitors_and_without_tokens(
    engine: sa.Engine, readings: SafetyReadings
) -> None:
    kim, lee = person(engine), person(engine, "lee")
    begin(engine, kim, "a", NOW - 1_000)
    begin(engine, kim, "b", NOW - IDLE_MS)
    begin(engine, kim, "c", NOW)
    begin(engine, kim, "d", NOW, read_only=True)
    begin(engine, lee, "e", NOW)
    found = readings.sessions(kim)
    assert [line.seen_ms for line in found] == [NOW, NOW - 1_000]
    assert (found[0].device, found[0].network) == ("Chrome · Windows", "2001:db8:1:2::/64")
    assert found[1].ends_ms == NOW - 1_000 + IDLE_MS
    assert "c" * 64 not in repr(found)


def test_one_session_is_ended_by_its_owner_alone(engine: sa.Engine, readings: SafetyReadings) -> None:
    kim, lee, sessions = person(engine), person(engine, "lee"), SqlSessions(engine)
    begin(engine, kim, "a")
    begin(engine, kim, "b")
    begin(engine, lee, "c")
    number = readings.sessions(kim)[0].session_id
    assert not sessions.close_one(lee, number, note(lee, TrailEvent.SESSION_ENDED))
    assert sessions.close_one(kim, number, note(kim, TrailEvent.SESSION_ENDED))
    assert not sessions.close_one(kim, number, note(kim, TrailEvent.SESSION_ENDED))
    assert ([line.event for line in readings.trail(kim, 9)], readings.trail(lee, 9)) == (["session_ended"], [])
    begin(engine, kim, "d")
    kept = readings.sessions(kim)[0].session_id
    sessions.close_all(kim, besides=kept, note=note(kim, TrailEvent.OTHERS_ENDED))
    assert [line.session_id for line in readings.sessions(kim)] == [kept]
    assert len(readings.sessions(lee)) == 1
    assert sessions.find("d" * 64) is not None
