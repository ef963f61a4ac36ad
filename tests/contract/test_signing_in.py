"""
One contract for the stores of sign-in (`Logins`, `Sessions`, `Browsers`, `Throttles`): in memory, SQLite, MariaDB.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions, change_password
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.domain.pace import Pace
from lib.domain.session import ABSOLUTE_MS, IDLE_MS, NewSession, SessionRow
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import Browsers, Logins, Sessions, Throttles
from tests.databases import with_schema
from tests.fakes.people import MemoryBrowsers, MemoryLogins, MemorySessions, MemoryThrottles
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
PACE = Pace(free=3, first_ms=1_000, longest_ms=60_000, halving_ms=600_000)
A, B = "a" * 64, "b" * 64


@dataclass(frozen=True, slots=True)
class Stores:
    logins: Logins
    sessions: Sessions
    browsers: Browsers
    throttles: Throttles


@pytest.fixture(params=["memory", "sqlite", *AT_TIMES])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        logins = MemoryLogins()
        return Stores(logins, MemorySessions(logins), MemoryBrowsers(), MemoryThrottles())
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return Stores(SqlLogins(engine), SqlSessions(engine), SqlBrowsers(engine), SqlThrottles(engine))


def person(stores: Stores, email: str = "kim@example.com") -> int:
    return stores.logins.add(email, "$hash", locale="ko", risk_accepted_ms=NOW)


def begin(stores: Stores, user_id: int, token: str = A, *, read_only: bool = False) -> None:
    stores.sessions.open(NewSession(token, user_id, read_only, "203.0.113.7", "브라우저", NOW))


def test_an_address_belongs_to_one_person_however_it_is_written(stores: Stores) -> None:
    user_id = person(stores)
    with pytest.raises(ValueError, match="taken"):
        person(stores, " KIM@example.com ")
    found = stores.logins.find("Kim@Example.com ")
    assert found is not None
    assert (found.user_id, found.password_hash, found.is_demo) == (user_id, "$hash", False)
    assert stores.logins.find("lee@example.com") is None


@pytest.mark.parametrize(
    "other", ["k\u00edm@example.com", "kim@ex\u00e4mple.com", "k\u0131m@example.com", "\u0431@example.com"]
)
def test_an_address_that_only_looks_alike_is_another_persons(stores: Stores, other: str) -> None:
    kim = person(stores)
    assert stores.logins.find(other) is None
    assert person(stores, other) != kim
    found = stores.logins.find("kim@example.com")
    assert found is not None
    assert found.user_id == kim


def test_a_changed_hash_is_the_one_found(stores: Stores) -> None:
    user_id, other = person(stores), person(stores, "lee@example.com")
    assert stores.logins.change_hash(user_id, "$new", verified="$hash")
    found, untouched = stores.logins.find("kim@example.com"), stores.logins.find("lee@example.com")
    assert found is not None
    assert untouched is not None
    assert (found.password_hash, untouched.password_hash, untouched.user_id) == ("$new", "$hash", other)


OWN = Note(0, NOW, TrailEvent.PASSWORD_CHANGED)


@pytest.mark.parametrize("verified", ["$HASH", "$older", ""])
def test_what_was_verified_against_another_hash_changes_nothing_and_opens_nothing(
    stores: Stores, verified: str
) -> None:
    user_id = person(stores)
    mine, new = replace(OWN, user_id=user_id), NewSession(A, user_id, False, "203.0.113.7", "x", NOW)
    begin(stores, user_id, B)
    assert not stores.logins.change_hash(user_id, "$new", verified=verified)
    assert not stores.logins.change_password(user_id, "$new", mine, verified=verified)
    assert not stores.logins.change_email(user_id, "kim@elsewhere.example", mine, verified=verified)
    assert not stores.sessions.open(new, verified=verified)
    found = stores.logins.find("kim@example.com")
    assert found is not None
    assert found.password_hash == "$hash"
    assert stores.sessions.find(A) is None
    assert stores.sessions.find(B) is not None
    assert stores.sessions.open(new, verified="$hash")
    assert stores.logins.change_password(user_id, "$new", mine, verified="$hash")
    assert stores.sessions.find(A) is None


def test_nothing_opens_for_a_person_who_was_deleted_meanwhile(stores: Stores) -> None:
    user_id = person(stores)
    stores.logins.delete(user_id, NOW)
    new = NewSession(A, user_id, False, "203.0.113.7", "x", NOW)
    assert not stores.sessions.open(new, verified="$hash")
    assert not stores.logins.change_hash(user_id, "$new", verified="$hash")


@pytest.fixture(params=["sqlite", *AT_TIMES])
def database(request: pytest.FixtureRequest) -> sa.Engine:
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return engine


@pytest.mark.parametrize("act", ["open", "change_hash", "change_password"])
def test_whoever_comes_while_the_password_is_being_changed_waits_and_is_refused(database: sa.Engine, act: str) -> None:
    logins, sessions = SqlLogins(database), SqlSessions(database)
    user_id = logins.add("kim@example.com", "$hash", locale="ko", risk_accepted_ms=NOW)
    mine, new = replace(OWN, user_id=user_id), NewSession(A, user_id, False, "203.0.113.7", "x", NOW)
    acts: dict[str, Callable[[], bool]] = {
        "open": lambda: sessions.open(new, verified="$hash"),
        "change_hash": lambda: logins.change_hash(user_id, "$rehashed", verified="$hash"),
        "change_password": lambda: logins.change_password(user_id, "$thief", mine, verified="$hash"),
    }
    done: list[bool] = []
    asked = threading.Event()
    late = threading.Thread(target=lambda: done.append(acts[act]()))
    with database.connect() as changing, changing.begin():
        change_password(changing, "$new", mine)
        sa.event.listen(database, "before_cursor_execute", lambda *_: asked.set())
        late.start()
        # on SQLite the thread waits before its first statement, for the writer's turn
        asked.wait(0.2 if database.dialect.name == "sqlite" else 10)
    late.join()
    assert done == [False]
    assert sessions.find(A) is None
    found = logins.by_id(user_id)
    assert found is not None
    assert found.password_hash == "$new"


def guest(stores: Stores, name: str = "g1") -> int:
    return stores.logins.add(f"{name}@maemae.local", "!", locale="ko", risk_accepted_ms=NOW, is_guest=True)


def test_a_guest_without_a_living_session_ends_and_nobody_else(stores: Stores) -> None:
    person(stores)
    here, gone, idle = guest(stores), guest(stores, "g2"), guest(stores, "g3")
    later = NOW + IDLE_MS
    begin(stores, here, A)
    begin(stores, idle, B)
    stores.sessions.touch(A, later - 1)
    assert stores.logins.living_guests() == 3
    assert stores.logins.end_guests(later) == (gone, idle)
    assert stores.logins.end_guests(later) == ()
    assert stores.logins.living_guests() == 1
    found = stores.sessions.find(A)
    assert found is not None
    assert found.is_guest
    assert stores.sessions.find(B) is None
    assert stores.logins.find("kim@example.com") is not None


def test_a_guest_made_just_now_waits_for_their_first_session(stores: Stores) -> None:
    made = guest(stores)
    assert stores.logins.end_guests(NOW + 59_000) == ()
    assert stores.logins.end_guests(NOW + 60_000) == (made,)


def test_however_busy_a_guests_session_is_it_ends_with_its_absolute_time(stores: Stores) -> None:
    made = guest(stores)
    begin(stores, made, A)
    stores.sessions.touch(A, NOW + ABSOLUTE_MS - 1)
    assert stores.logins.end_guests(NOW + ABSOLUTE_MS) == (made,)


def test_a_guest_who_stays_is_a_person_with_the_same_number(stores: Stores) -> None:
    made, other = guest(stores), person(stores)
    with pytest.raises(ValueError, match="taken"):
        stores.logins.keep_guest(made, "kim@example.com", "$hash")
    assert stores.logins.keep_guest(made, "lee@example.com", "$lee")
    assert not stores.logins.keep_guest(made, "again@example.com", "$lee")
    assert not stores.logins.keep_guest(other, "again@example.com", "$lee")
    found = stores.logins.find("lee@example.com")
    assert found is not None
    assert (found.user_id, found.password_hash) == (made, "$lee")
    assert stores.logins.end_guests(NOW + ABSOLUTE_MS) == ()


def test_a_guest_who_ended_cannot_stay(stores: Stores) -> None:
    made = guest(stores)
    assert stores.logins.end_guests(NOW + IDLE_MS) == (made,)
    assert not stores.logins.keep_guest(made, "lee@example.com", "$lee")


def test_a_browser_is_known_as_one_persons_until_it_is_forgotten(stores: Stores) -> None:
    kim, lee = person(stores), person(stores, "lee@example.com")
    stores.browsers.remember(A, kim, NOW)
    stores.browsers.remember(B, lee, NOW)
    stores.browsers.remember(A, kim, NOW + 10)
    stores.browsers.remember(A, lee, NOW + 10)
    assert (stores.browsers.owner(A), stores.browsers.owner(B), stores.browsers.owner("c" * 64)) == (kim, lee, None)
    assert stores.browsers.drop_unseen(NOW + 10) == 1
    assert (stores.browsers.owner(A), stores.browsers.owner(B)) == (kim, None)
    stores.browsers.forget_all(kim)
    assert stores.browsers.owner(A) is None


def test_the_newest_twenty_browsers_of_a_person_are_kept(stores: Stores) -> None:
    kim = person(stores)
    tokens = [f"{n:064x}" for n in range(25)]
    for n, token in enumerate(tokens):
        stores.browsers.remember(token, kim, NOW + n)
    assert [stores.browsers.owner(token) for token in tokens] == [None] * 5 + [kim] * 20


def test_a_deleted_person_is_not_found_and_has_no_session(stores: Stores) -> None:
    user_id = person(stores)
    begin(stores, user_id)
    stores.logins.delete(user_id, NOW)
    assert stores.logins.find("kim@example.com") is None
    assert stores.sessions.find(A) is None


def test_a_session_is_found_with_its_person_until_it_is_closed(stores: Stores) -> None:
    user_id = person(stores)
    begin(stores, user_id, A)
    begin(stores, user_id, B, read_only=True)
    found = stores.sessions.find(A)
    assert found is not None
    assert replace(found, session_id=0) == SessionRow(
        user_id, "kim@example.com", "ko", False, False, NOW, NOW, "203.0.113.7", user_agent="브라우저"
    )
    assert found.session_id > 0
    stores.sessions.close(A)
    stores.sessions.close(A)
    assert stores.sessions.find(A) is None
    kept = stores.sessions.find(B)
    assert kept is not None
    assert kept.read_only


def test_tokens_compare_byte_by_byte(stores: Stores) -> None:
    begin(stores, person(stores), A)
    assert stores.sessions.find(A.upper()) is None


def test_a_use_moves_forward_only(stores: Stores) -> None:
    begin(stores, person(stores))
    stores.sessions.touch(A, NOW + 5_000)
    stores.sessions.touch(A, NOW + 1_000)
    row = stores.sessions.find(A)
    assert row is not None
    assert (row.created_ms, row.seen_ms) == (NOW, NOW + 5_000)


def test_everywhere_means_every_session_of_that_person_alone(stores: Stores) -> None:
    kim, lee = person(stores), person(stores, "lee@example.com")
    begin(stores, kim, A)
    begin(stores, lee, B)
    stores.sessions.close_all(kim)
    assert stores.sessions.find(A) is None
    assert stores.sessions.find(B) is not None


def test_unseen_sessions_are_dropped_and_counted(stores: Stores) -> None:
    user_id = person(stores)
    begin(stores, user_id, A)
    begin(stores, user_id, B)
    stores.sessions.touch(B, NOW + 10)
    assert stores.sessions.drop_unseen(NOW + 10) == 1
    assert stores.sessions.find(A) is None
    assert stores.sessions.find(B) is not None


def test_free_tries_cost_nothing_then_delays_double_and_refused_tries_do_not_count(stores: Stores) -> None:
    waits = [stores.throttles.attempt("k", PACE, NOW) for _ in range(6)]
    assert waits == [0, 0, 0, 1_000, 1_000, 1_000]
    assert stores.throttles.attempt("k", PACE, NOW + 1_000) == 0
    assert 1_900 <= stores.throttles.attempt("k", PACE, NOW + 1_000) <= 2_000
    assert stores.throttles.attempt("other", PACE, NOW) == 0


def test_a_forgiven_try_is_off_the_tally(stores: Stores) -> None:
    for _ in range(20):
        assert stores.throttles.attempt("k", PACE, NOW) == 0
        stores.throttles.forgive("k", PACE, NOW)
    stores.throttles.forgive("nobody", PACE, NOW)


def test_old_tallies_are_dropped_and_counted(stores: Stores) -> None:
    stores.throttles.attempt("old", PACE, NOW)
    stores.throttles.attempt("new", PACE, NOW + 10)
    assert stores.throttles.drop_older(NOW + 10) == 1


@pytest.fixture(params=["sqlite", *AT_TIMES])
def shared(request: pytest.FixtureRequest) -> SqlThrottles:
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return SqlThrottles(engine)


def test_parallel_tries_are_counted_one_after_another(shared: SqlThrottles) -> None:
    shared.attempt("k", PACE, NOW)
    waits: list[int] = []
    together = threading.Barrier(4)

    def guess() -> None:
        together.wait(10)
        waits.append(shared.attempt("k", PACE, NOW))

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0, 0, 1_000, 1_000]


def test_language_and_colours_are_the_persons_in_every_browser(stores: Stores) -> None:
    user_id, other = person(stores), person(stores, "lee@example.com")
    begin(stores, user_id, A)
    begin(stores, user_id, B)
    begin(stores, other, "c" * 64)
    stores.logins.change_looks(user_id, "en", "red_up")
    stores.logins.change_zone(user_id, "America/New_York")
    stores.logins.change_theme(user_id, "dark")
    stores.logins.change_numbers(user_id, "comma")
    rows = [stores.sessions.find(token) for token in (A, B, "c" * 64)]
    assert [row and (row.locale, row.colours) for row in rows] == [("en", "red_up")] * 2 + [("ko", "language")]
    assert [row and row.theme for row in rows] == ["dark"] * 2 + ["system"]
    assert [row and row.numbers for row in rows] == ["comma"] * 2 + ["point"]
    assert [row and row.time_zone for row in rows] == ["America/New_York"] * 2 + [""]


def test_a_flood_of_refused_tries_holds_no_lock(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'locked.db'}")
    with_schema(engine)
    throttles, pace = SqlThrottles(engine), Pace(free=1, first_ms=10_000, longest_ms=60_000, halving_ms=60_000)
    assert throttles.attempt("k", pace, NOW) == 0
    with engine.connect() as other, other.begin():
        other.exec_driver_sql("UPDATE throttles SET at_ms = at_ms")  # somebody writes an order
        assert [throttles.attempt("k", pace, NOW) for _ in range(50)] == [10_000] * 50
    engine.dispose()
