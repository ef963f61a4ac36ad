"""One contract for links to a new e-mail (`EmailLinks`): in memory, SQLite, MariaDB."""

from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.email_links import SqlEmailLinks
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.reset_links import SqlResetLinks
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.domain.session import EmailMoved, NewSession
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import Logins, Sessions
from lib.ports.safety import EmailLinks, Leaving, ResetLinks
from tests.fakes.people import MemoryEmailLinks, MemoryLeaving, MemoryLogins, MemoryResetLinks, MemorySessions
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
END = NOW + 1_000
K, N = "k" * 64, "n" * 64
ASKED = Note(0, NOW, TrailEvent.EMAIL_ASKED)
USED = Note(0, NOW, TrailEvent.EMAIL_CONFIRMED)
NEW = "kim@elsewhere.example"


@dataclass(frozen=True, slots=True)
class Stores:
    logins: Logins
    sessions: Sessions
    links: EmailLinks
    resets: ResetLinks
    leaving: Leaving


@pytest.fixture(params=["memory", "sqlite", *AT_TIMES])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        logins = MemoryLogins()
        sessions = MemorySessions(logins)
        return Stores(logins, sessions, MemoryEmailLinks(logins), MemoryResetLinks(logins), MemoryLeaving(logins))
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return Stores(
        SqlLogins(engine), SqlSessions(engine), SqlEmailLinks(engine), SqlResetLinks(engine), SqlLeaving(engine)
    )


def person(stores: Stores, email: str = "kim@example.com", locale: str = "en") -> int:
    return stores.logins.add(email, "$hash", locale=locale, risk_accepted_ms=NOW)


def asked(stores: Stores, user_id: int, token: str = K, email: str = NEW) -> None:
    assert stores.links.add(token, email, END, replace(ASKED, user_id=user_id), verified="$hash")


def test_a_link_moves_its_person_once_in_its_time(stores: Stores) -> None:
    kim, lee = person(stores), person(stores, "lee@example.com")
    asked(stores, kim)
    asked(stores, lee, N, "lee@elsewhere.example")
    assert (stores.links.email(K, NOW), stores.links.email(K, END), stores.links.email("x" * 64, NOW)) == (
        NEW,
        None,
        None,
    )
    assert stores.logins.find(NEW) is None
    assert stores.links.use("x" * 64, USED) is None
    assert stores.links.use(K, replace(USED, at_ms=END)) is None
    assert stores.links.use(K, USED) == EmailMoved(kim, "kim@example.com", "en")
    assert (stores.links.use(K, USED), stores.links.email(K, NOW)) == (None, None)
    found = stores.logins.find(NEW)
    assert found is not None
    assert (found.user_id, found.password_hash, stores.logins.find("kim@example.com")) == (kim, "$hash", None)
    assert stores.links.email(N, NOW) == "lee@elsewhere.example"


@pytest.mark.parametrize("way", ["link", "at once"])
def test_a_change_ends_every_session_of_the_person_but_the_one_it_is_made_in(stores: Stores, way: str) -> None:
    kim, lee = person(stores), person(stores, "lee@example.com")
    for number, user_id in enumerate((kim, kim, lee)):
        assert stores.sessions.open(NewSession(str(number) * 64, user_id, False, "203.0.113.7", "x", NOW))
    here = stores.sessions.find("1" * 64)
    assert here is not None
    if way == "link":
        asked(stores, kim)
        assert stores.links.use(K, USED, here.session_id) is not None
    else:
        mine = replace(USED, user_id=kim)
        assert stores.logins.change_email(kim, NEW, mine, besides=here.session_id, verified="$hash")
    left = [stores.sessions.find(str(number) * 64) for number in range(3)]
    assert [row is not None for row in left] == [False, True, True]
    assert left[1] is not None
    assert left[1].email == NEW


def test_what_was_verified_against_another_hash_makes_no_link(stores: Stores) -> None:
    kim = replace(ASKED, user_id=person(stores))
    assert not stores.links.add(K, NEW, END, kim, verified="$older")
    assert stores.links.email(K, NOW) is None


def test_an_address_taken_meanwhile_is_had_by_nobody_else_and_the_link_is_used_up(stores: Stores) -> None:
    kim = person(stores)
    asked(stores, kim)
    lee = person(stores, NEW)
    assert stores.links.email(K, NOW) == NEW
    assert stores.links.use(K, USED) is None
    assert stores.links.email(K, NOW) is None
    old, new = stores.logins.find("kim@example.com"), stores.logins.find(NEW)
    assert old is not None
    assert new is not None
    assert (old.user_id, new.user_id) == (kim, lee)


@pytest.mark.parametrize("end", ["another", "password", "e-mail", "reset", "leaving"])
def test_a_link_ends_with_whatever_changes_whose_it_is(stores: Stores, end: str) -> None:
    kim, lee = person(stores), person(stores, "lee@example.com")
    mine = Note(kim, NOW, TrailEvent.PASSWORD_CHANGED)
    asked(stores, kim)
    asked(stores, lee, "l" * 64, "lee@elsewhere.example")
    if end == "another":
        asked(stores, kim, N, "kim@third.example")
        assert stores.links.email(N, NOW) == "kim@third.example"
    elif end == "password":
        assert stores.logins.change_password(kim, "$new", mine, verified="$hash")
    elif end == "e-mail":
        assert stores.logins.change_email(kim, "kim@third.example", mine, verified="$hash")
    elif end == "reset":
        stores.resets.add(N, kim, END, mine)
        assert stores.links.email(K, NOW) == NEW
        assert stores.resets.use(N, "$new", replace(mine, user_id=0)) == kim
    else:
        stores.leaving.leave(kim, NOW)
    assert stores.links.email(K, NOW) is None
    assert stores.links.use(K, USED) is None
    assert stores.links.email("l" * 64, NOW) == "lee@elsewhere.example"
