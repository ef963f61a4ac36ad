"""The way to real money by REST: gates are told of real accounts alone, and no shorter way leads to consent."""

from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from lib.accounts.real_money import SENTENCES
from lib.domain.account import Venue
from lib.domain.real_money import RealFacts, RealGate, standings
from lib.queries.real import RealStanding
from tests.factories import T
from tests.web.conftest import GOOD, FakeReadings, Web
from tests.worlds.real import nothing_known, open_facts

PERSON = {"email": "kim@example.com", "password": GOOD, "accepted_risk": True}
SENTENCE = {"sentence": SENTENCES["en"]}


def stands(web: Web, facts: RealFacts, venue: Venue = "mainnet") -> None:
    cast("FakeReadings", web.system.readings).real = RealStanding(1, venue, standings(facts), facts.has_consent)


@pytest.fixture
def kim(web: Web) -> TestClient:
    client = web.client()
    assert client.post("/api/auth/register", json=PERSON).status_code == 200
    return client


def refused(client: TestClient, path: str, body: dict[str, Any]) -> str:
    return str(client.post(path, json=body).json()["error"])


def test_every_gate_is_told_with_why_it_is_closed(web: Web, kim: TestClient) -> None:
    stands(web, replace(nothing_known(T), has_factor=True))
    told = kim.get("/api/real-money").json()
    assert [one["gate"] for one in told["gates"]] == [gate.value for gate in RealGate]
    assert [one["gate"] for one in told["gates"] if one["is_open"]] == ["second_factor"]
    assert all((one["why"] is None) == one["is_open"] for one in told["gates"])
    stands(web, open_facts())
    assert all(one["is_open"] for one in kim.get("/api/real-money").json()["gates"])


def test_an_account_without_real_money_has_no_gates_and_is_consented_to_by_nobody(web: Web, kim: TestClient) -> None:
    assert kim.get("/api/real-money").json()["error"] == "refuse.no_account"
    stands(web, open_facts(), "demo")
    assert kim.get("/api/real-money").json()["gates"] == []
    assert refused(kim, "/api/real-money/consent", SENTENCE) == "refuse.no_account"


def test_other_words_or_no_second_factor_are_no_consent_by_rest_either(web: Web, kim: TestClient) -> None:
    stands(web, nothing_known(T))
    assert refused(kim, "/api/real-money/consent", {"sentence": "yes"}) == "refuse.real.words"
    assert refused(kim, "/api/real-money/consent", SENTENCE) == "refuse.real.factor"
    assert refused(kim, "/api/real-money/withdraw", {}) == "refuse.no_account"
