"""A session is its owner's from the moment it begins until it is ended, and never a moment longer."""

import pytest
import sqlalchemy as sa

from lib.adapters.sql.tables.people import sessions
from tests.attack.conftest import Target

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

COOKIE = "maemae"
PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
KIM = {"email": "kim@example.com", "password": PASSWORD, "accepted_risk": True, "locale": "ko"}


def come_in(target: Target, path: str = "register", **given: object) -> str:
    """Register or sign in; the token of the session."""
    answer = target.client.post(f"/api/auth/{path}", json=KIM | given)
    assert answer.status_code == 200, answer.text
    return token(target)


def token(target: Target) -> str:
    found = [cookie.value for cookie in target.client.cookies.jar if cookie.name == COOKIE]
    assert len(found) == 1
    assert found[0]
    return found[0]


def is_inside(target: Target, stolen: str, path: str = "/api/settings") -> bool:
    """Whether *stolen*, in another browser, opens anything."""
    target.client.cookies.clear()
    answer = target.client.get(path, headers={"cookie": f"{COOKIE}={stolen}"})
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_a_planted_session_is_never_the_one_that_signs_in(target: Target) -> None:
    """Fixation: whoever puts a cookie into somebody's browser before does not know the one after."""
    planted = "p" * 43
    target.client.cookies.set(COOKIE, planted)
    answer = target.client.post("/api/auth/register", json=KIM)
    assert answer.status_code == 200
    assert f"{COOKIE}=" in answer.headers["set-cookie"]
    assert planted not in answer.headers["set-cookie"]
    assert not is_inside(target, planted)


def test_a_guests_session_does_not_become_the_persons(unpaced: Target) -> None:
    """Who watched a guest's token must not watch the person the guest signs in as."""
    come_in(unpaced)
    unpaced.client.cookies.clear()
    assert unpaced.client.post("/api/auth/try", json={"accepted_risk": True}).status_code == 200
    before = token(unpaced)
    inside = come_in(unpaced, "login")
    assert inside != before
    assert unpaced.client.get("/api/auth/me").json()["user"]["email"] == "kim@example.com"
    unpaced.client.cookies.clear()
    told = unpaced.client.get("/api/auth/me", headers={"cookie": f"{COOKIE}={before}"})
    assert "kim@example.com" not in told.text


def test_a_stolen_token_is_worth_nothing_after_sign_out(target: Target) -> None:
    stolen = come_in(target)
    assert target.client.post("/api/auth/logout").status_code == 200
    assert not is_inside(target, stolen)


def test_a_new_password_ends_every_other_session(target: Target) -> None:
    stolen = come_in(target)
    target.client.cookies.clear()
    own = come_in(target, "login")
    changed = target.client.post("/api/account/password", json={"old": PASSWORD, "new": ANOTHER})
    assert changed.status_code == 200, changed.text
    kept = token(target)
    assert not is_inside(target, stolen)
    assert is_inside(target, kept) or is_inside(target, own), "its owner stays"


@pytest.mark.parametrize("path", ["end-others"])
def test_a_session_its_owner_ended_is_over(target: Target, path: str) -> None:
    stolen = come_in(target)
    target.client.cookies.clear()
    come_in(target, "login")
    assert target.client.post(f"/api/account/sessions/{path}").status_code == 200
    assert not is_inside(target, stolen)


def test_what_is_in_the_database_opens_nothing(target: Target) -> None:
    """Who reads the table has hashes: none of them, in no spelling, is a session."""
    come_in(target)
    with target.engine.connect() as connection:
        [stored] = connection.scalars(sa.select(sessions.c.token_sha256)).all()
    for guess in (stored, stored.upper(), stored[:43], f"{stored[:42]}="):
        assert not is_inside(target, guess)


def test_one_letter_of_a_token_makes_it_nobodys(target: Target) -> None:
    mine = come_in(target)
    for guess in (mine.swapcase(), mine[:-1], f"{mine}A", f" {mine}x", mine[::-1]):
        assert not is_inside(target, guess)
    assert is_inside(target, mine)
