"""The API's own description: every route has one, every described route is there, and refusals are as it says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from app.api.openapi import PATH, REFUSAL
from app.http.refusals import refusal_body
from app.server import Live, endpoints, routes
from lib.domain.reason import text
from tests.web.conftest import Web, running

UNTOLD = re.compile(r"/api(/\{path:path\}|/operator/.*)?|/metrics|/record|/past")
"""What answers every address that is not there, and the operators' room, which for everybody else is not there."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    script: Path = tmp_path_factory.mktemp("script") / "page.py"
    script.write_text("import streamlit as st\nst.write('hello')\n")
    yield from running(script)


def described(world: Web) -> dict[str, Any]:
    document: dict[str, Any] = world.client().get(PATH).json()
    return document


def test_every_route_is_described_and_every_description_has_its_route(world: Web) -> None:
    live = Live(world.system)
    served = {
        (method, route.path)
        for route in routes(live)
        if isinstance(route, Route) and not UNTOLD.fullmatch(route.path)
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(method.upper(), path) for path, one in described(world)["paths"].items() for method in one}
    assert served == told == {(one.method, one.path) for one in endpoints(live)}


def test_what_stands_in_a_path_is_described(world: Web) -> None:
    for path, methods in described(world)["paths"].items():
        for one in methods.values():
            named = {part["name"] for part in one["parameters"] if part["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_who_may_ask_is_said_as_it_is(world: Web) -> None:
    asked = [(method, path) for path, methods in described(world)["paths"].items() for method, one in methods.items()
             if one["security"] and path != "/api/auth/logout"]  # fmt: skip
    assert world.client().post("/api/auth/logout").status_code == 200
    for number, (method, path) in enumerate(asked):
        client = world.client(address=f"10.0.0.{number}")
        answer = client.request(method, re.sub(r"\{\w+\}", "1", path))
        assert answer.status_code == 401, (method, path, answer.status_code)


def test_a_refusal_is_said_in_the_callers_language_and_for_programs(world: Web) -> None:
    for language, words in (("ko", "로그인"), ("en", "signed out")):
        told = world.client().get("/api/settings", headers={"accept-language": language}).json()
        assert set(told) == set(REFUSAL["required"])
        assert (told["success"], told["code"], told["error"]) == (False, "signed_out", "refuse.signed_out")
        assert words in told["message"]


def test_a_refusals_reason_is_a_sentence_too() -> None:
    told = refusal_body("refuse.key.refused", {"why": text("not today")}, "en", {"why": {"code": "text"}})
    assert told["message"] == "The exchange refused this key: not today"
    assert told["params"] == {"why": {"code": "text"}}
    assert "risk level" in refusal_body("refuse.field", {"field": "risk_level"}, "en")["message"].lower()
