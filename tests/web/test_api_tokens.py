"""Personal tokens: made by a session that proved itself, good for their scope alone, and gone when taken back."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.api.openapi import PATH
from app.i18n import catalogue
from lib.accounts.entrance import sha256
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.api_tokens import SqlApiTokens
from lib.adapters.sql.tables.people import audit_events
from lib.domain.api_token import DAY_MS, MOST_TOKENS, NewApiToken
from lib.domain.trail import Note, TrailEvent
from tests.databases import with_schema
from tests.web.conftest import GOOD, Web

WISH = {"name": "my script", "scope": "read", "days": 30}


def made(kim: TestClient, **wish: object) -> str:
    answer = kim.post("/api/account/tokens", json={**WISH, **wish})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def program(web: Web, token: str) -> TestClient:
    return web.client(authorization=f"Bearer {token}")


def test_a_token_reads_in_its_persons_name(web: Web) -> None:
    kim = web.owner()
    token = made(kim)
    assert token.startswith("mm_")
    found = program(web, token).get("/api/settings").json()
    assert found == kim.get("/api/settings").json()
    assert program(web, token).get("/api/auth/me").json()["user"]["email"] == "kim@example.com"


def test_every_endpoint_answers_a_token_as_its_description_says(web: Web) -> None:
    kim = web.owner()
    by_scope = {scope: program(web, made(kim, scope=scope)) for scope in ("read", "control")}
    paths = web.client().get(PATH).json()["paths"]
    for path, methods in paths.items():
        for method, one in methods.items():
            if not path.startswith("/api/"):
                continue
            wanted = next((scheme["token"][0] for scheme in one["security"] if "token" in scheme), None)
            public = not one["security"] and method == "get"
            web.clock.forward(seconds=1)  # two more acts: the pace is not what is asked about here
            for scope, client in by_scope.items():
                answer = client.request(method, re.sub(r"\{\w+\}", "1", path), json={} if method != "get" else None)
                may = public or wanted == "read" or wanted == scope
                key = answer.json().get("error") if answer.status_code >= 400 and may is False else ""
                assert (key == "refuse.token.scope") is not may, (scope, method, path, answer.text[:200])
    assert {act[0] for act in web.trading.acts} <= {"auto", "ask", "pause", "flatten", "close", "resume"}


def test_reading_acts_nowhere_and_controlling_pauses(web: Web) -> None:
    kim = web.owner()
    assert program(web, made(kim)).post("/api/pause", json={}).status_code == 403
    assert web.trading.acts == []
    assert program(web, made(kim, scope="control")).post("/api/pause", json={}).status_code == 200
    assert [act[0] for act in web.trading.acts] == ["pause"]


@pytest.mark.parametrize("scope", ["read", "control"])
def test_a_program_is_refused_in_the_language_of_its_account(web: Web, scope: str) -> None:
    lee = web.client()
    wish = {"email": "lee@example.com", "password": GOOD, "accepted_risk": True, "locale": "en"}
    assert lee.post("/api/auth/register", json=wish).status_code == 200
    refused = program(web, made(lee, scope=scope)).get("/api/logs/999").json()
    assert refused["message"] == catalogue("en")["refuse.not_found"]


@pytest.mark.parametrize("shown", ["mm_invented", "", "mm_" + "x" * 500, "ünï"])
def test_what_is_no_token_is_a_stranger(web: Web, shown: str) -> None:
    client = web.client()
    headers = {b"authorization": f"Bearer {shown}".encode()}
    assert client.get("/api/settings", headers=headers).status_code == 401


def test_who_shows_a_token_is_not_known_by_the_cookie_beside_it(web: Web) -> None:
    kim = web.owner()
    assert kim.get("/api/settings", headers={"authorization": "Bearer mm_invented"}).status_code == 401


def test_a_session_is_no_bearer_and_a_token_no_cookie(web: Web) -> None:
    kim = web.owner()
    token = made(kim)
    session = kim.cookies["maemae"]
    assert program(web, session).get("/api/settings").status_code == 401
    client = web.client()
    client.cookies.set("maemae", token)
    assert client.get("/api/settings").status_code == 401


def test_a_token_ends_by_itself_and_at_once_when_taken_back(web: Web) -> None:
    kim = web.owner()
    short, long = made(kim, days=7), made(kim, days=30)
    web.clock.forward(minutes=8 * 24 * 60)
    assert [program(web, one).get("/api/settings").status_code for one in (short, long)] == [401, 200]
    kim = web.client()
    assert kim.post("/api/auth/login", json={"email": "kim@example.com", "password": GOOD}).is_success
    assert kim.post("/api/account/tokens/end", json={"token_id": 2}).status_code == 200
    assert program(web, long).get("/api/settings").status_code == 401
    assert kim.post("/api/account/tokens/end", json={"token_id": 2}).json()["error"] == "refuse.token.gone"


def test_making_one_wants_a_proof_a_person_and_a_form(web: Web) -> None:
    kim, visitor = web.owner(), web.visitor()
    for wrong in ({"name": " "}, {"days": 8}, {"scope": "keys"}, {"name": "x" * 61}):
        assert kim.post("/api/account/tokens", json={**WISH, **wrong}).status_code == 422
    assert visitor.post("/api/account/tokens", json=WISH).json()["error"] == "refuse.read_only"
    guest = web.client()
    assert guest.post("/api/auth/try", json={"accepted_risk": True}).is_success
    assert guest.post("/api/account/tokens", json=WISH).json()["error"] == "refuse.guest"
    web.clock.forward(minutes=6)
    assert kim.post("/api/account/tokens", json=WISH).json()["error"] == "refuse.step_up"


def test_nobody_has_more_than_ten(web: Web) -> None:
    kim = web.owner()
    for _ in range(MOST_TOKENS):
        made(kim)
    assert kim.post("/api/account/tokens", json=WISH).json()["error"] == "refuse.token.most"


# --- the store --------------------------------------------------------------------------------------------------------


def test_the_store_keeps_the_hash_counts_the_living_and_notes_what_was_done(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'maemae.db'}")
    with_schema(engine)
    user_id = SqlAccounts(engine).add_user("kim@example.com", "!")
    store = SqlApiTokens(engine)
    new = NewApiToken(sha256("mm_a"), user_id, "a", "read", 1_000, 1_000 + DAY_MS)
    note = Note(user_id, 1_000, TrailEvent.TOKEN_MADE, "a")
    assert store.add(new, note, 1)
    assert not store.add(replace(new, token_sha256=sha256("mm_b")), note, 1)
    store.touch(sha256("mm_a"), 5_000)
    store.touch(sha256("mm_a"), 4_000)
    held = store.find(sha256("mm_a"))
    assert held is not None
    assert (held.user_id, held.email, held.token.used_ms) == (user_id, "kim@example.com", 5_000)
    later = replace(new, token_sha256=sha256("mm_c"), created_ms=1_000 + DAY_MS, expires_ms=1_000 + 2 * DAY_MS)
    assert store.add(later, note, 1), "one that is over makes room"
    held = store.find(sha256("mm_c"))
    assert held is not None
    gone = Note(user_id, 2_000, TrailEvent.TOKEN_REVOKED)
    assert not store.revoke(user_id + 1, held.token.id, gone)
    assert store.revoke(user_id, held.token.id, gone)
    assert store.find(sha256("mm_c")) is None
    with engine.connect() as connection:
        told = connection.scalars(sa.select(audit_events.c.event).order_by(audit_events.c.id)).all()
    assert told == ["token_made", "token_made", "token_revoked"]
