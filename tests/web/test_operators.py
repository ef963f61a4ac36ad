"""
The operators' routes and page: for an operator they are there, and for everybody else nothing is, by any method: the
owner of an account, another person, a stranger, a visitor of the demo, a guest, and somebody whose role was taken.
"""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from app.addresses import ROOM
from app.api.operators import ROUTES
from tests.web.conftest import Web

READS = ["status", "people", "accounts/1", "review", "settings", "logs?name=trader", "acts", "audit"]
ACTS: list[tuple[str, dict[str, Any]]] = [
    ("stop", {"account": 0}),
    ("flatten", {"account": 0}),
    ("resume", {"account": 1}),
    ("unlock", {"account": 1, "kind": "drawdown", "why": "checked"}),
    ("settle", {"link": "mmt-1-1-1-e0", "state": "ABSENT", "why": "seen"}),
    ("invites", {"count": 2, "days": 3}),
    ("settings/door", {"setting": "registration", "word": "closed", "why": "full"}),
    ("settings/door", {"setting": "arena", "word": "closed", "why": "mended"}),
    ("settings/banner", {"ko": "점검", "en": "Maintenance"}),
    ("settings/rates", {"value": "1390,2026-03-01=1402.5", "why": "the week's mean"}),
    ("settings/limit", {"name": "entries_per_day", "value": "10", "why": "quiet", "loosen": False}),
    ("settings/model", {"name": "fast", "input_usd": "1", "output_usd": "2", "day_usd": "5", "why": "cheaper"}),
]


def user_id(client: TestClient) -> int:
    return int(client.get("/api/auth/me").json()["user"]["user_id"])


def operator(web: Web) -> TestClient:
    client = web.owner("operator@example.com")
    web.operators.roster.ids.add(user_id(client))
    web.operators.board.locks.add((1, "drawdown"))
    return client


def guest(web: Web) -> TestClient:
    client = web.client()
    assert client.post("/api/auth/try", json={"accepted_risk": True}).status_code == 200
    web.operators.roster.ids.add(user_id(client))
    return client


def visitor(web: Web) -> TestClient:
    client = web.visitor()
    web.operators.roster.ids.add(user_id(client))
    return client


def revoked(web: Web) -> TestClient:
    client = operator(web)
    assert client.get("/api/operator/status").status_code == 200
    web.operators.roster.ids.clear()
    return client


OTHERS: dict[str, Callable[[Web], TestClient]] = {
    "an owner": lambda web: web.owner(),
    "a stranger": lambda web: web.client(),
    "a visitor of the demo": visitor,
    "a guest": guest,
    "whose role was taken": revoked,
}


def test_the_lists_here_are_all_there_is() -> None:
    known = {path.partition("?")[0] for path in READS} | {path for path, _ in ACTS}
    paths = {route.path.removeprefix("/api/operator/").replace("{account_id}", "1") for route in ROUTES}
    assert paths == known
    assert all(isinstance(route, Route) and {"GET", "POST", "DELETE"} <= (route.methods or set()) for route in ROUTES)


@pytest.mark.parametrize("who", OTHERS)
def test_for_everybody_else_nothing_is_there_by_any_method(web: Web, who: str) -> None:
    client = OTHERS[who](web)
    nothing = client.get("/api/nothing-is-here")
    assert nothing.status_code == 404
    web.operators.acts.rows.clear()
    bodies: list[tuple[str, dict[str, Any]]] = [(path, {}) for path in READS] + ACTS
    for path, body in bodies:
        for method in ("GET", "POST"):
            answer = client.request(method, f"/api/operator/{path}", json=body if method != "GET" else None)
            assert (answer.status_code, answer.json()) == (404, nothing.json()), (method, path)
    for method in ("PUT", "DELETE", "OPTIONS"):
        answer = client.request(method, "/api/operator/stop")
        assert (answer.status_code, answer.json()) == (404, nothing.json())
    assert client.get("/api/operator/nothing").json() == nothing.json()
    assert (web.operators.acts.rows, web.operators.board.thrown) == ([], [])


@pytest.mark.parametrize("who", OTHERS)
def test_for_everybody_else_the_page_is_an_address_where_nothing_is(web: Web, who: str) -> None:
    client = OTHERS[who](web)
    headers = {"accept": "text/html"}
    room, nowhere = client.get(ROOM, headers=headers), client.get("/no-such-page", headers=headers)
    assert room.status_code == nowhere.status_code == 404
    assert room.text == nowhere.text


def test_an_operator_gets_the_page(web: Web) -> None:
    answer = operator(web).get(ROOM, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert "Maemae 매매" in answer.text


@pytest.mark.parametrize("path", READS)
def test_an_operator_reads(web: Web, path: str) -> None:
    answer = operator(web).get(f"/api/operator/{path}")
    assert answer.status_code == 200
    # figures alone: no seal, key, prompt or hash of anybody
    assert not any(word in answer.text.lower() for word in ("sealed", "api_key", "last4", 'prompt"', "$argon2"))


@pytest.mark.parametrize(("path", "body"), ACTS)
def test_an_operator_acts_and_it_is_written_down_as_theirs(web: Web, path: str, body: dict[str, Any]) -> None:
    client = operator(web)
    answer = client.post(f"/api/operator/{path}", json={**body, "user_id": 1})
    assert answer.status_code == 200, answer.text
    [row] = web.operators.acts.rows
    assert row.user_id == user_id(client)
    assert client.get(f"/api/operator/{path}").status_code == 405


def test_a_code_is_told_in_the_answer_alone(web: Web) -> None:
    made = operator(web).post("/api/operator/invites", json={"count": 2}).json()
    assert len(made["codes"]) == 2
    assert not any(code in repr(web.operators.acts.rows) for code in made["codes"])


def test_what_closes_or_loosens_is_refused_to_a_session_that_proved_nothing_lately(web: Web) -> None:
    client = operator(web)
    web.clock.forward(minutes=6)
    for path, body in (
        ("flatten", {"account": 0}),
        ("flatten", {"account": 1}),
        ("resume", {"account": 0}),
        ("unlock", {"account": 1, "kind": "drawdown", "why": "checked"}),
        ("settings/door", {"setting": "registration", "word": "open", "why": "room"}),
        ("invites", {"count": 1, "days": 1}),
    ):
        answer = client.post(f"/api/operator/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]) == (403, "refuse.step_up"), path
    assert (web.operators.board.thrown, web.operators.acts.rows) == ([], [])
    assert client.post("/api/operator/stop", json={"account": 0}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("stop", {}),
        ("stop", {"account": "1"}),
        ("stop", {"account": True}),
        ("unlock", {"account": 1, "kind": "drawdown"}),
        ("unlock", {"account": 1, "kind": "x" * 41, "why": "y"}),
        ("settle", {"link": "l", "state": "OPEN", "why": "y"}),
        ("settings/door", {"setting": "banner", "word": "open", "why": "y"}),
        ("settings/door", {"setting": "arena", "word": "follow", "why": "y"}),
        ("settings/banner", {"ko": "점검"}),
        ("settings/rates", {"value": "1390"}),
        ("settings/rates", {"value": "99", "why": "y"}),
        ("settings/rates", {"value": "1390,\n2026-03-01=1402.5", "why": "y"}),
        ("settings/limit", {"name": "daily_loss", "value": "0.9", "why": "y"}),
        ("settings/model", {"name": "fast", "input_usd": "much", "output_usd": "2", "why": "y"}),
        (
            "settings/model",
            {"name": "fast", "base_url": "http://example.com", "model": "m", "why": "y"},
        ),
        ("settings/model", {"name": "own/fast", "why": "y"}),
        ("settings/limit", {"name": "daily_loss", "value": "0.01", "why": "y", "loosen": "yes"}),
        ("invites", {"count": 1000}),
    ],
)
def test_odd_wishes_change_nothing(web: Web, path: str, body: dict[str, Any]) -> None:
    assert operator(web).post(f"/api/operator/{path}", json=body).status_code == 422
    assert web.operators.acts.rows == []


def test_the_health_of_the_system_is_noted_while_the_web_runs(web: Web) -> None:
    assert web.operators.noted.wait(30)
