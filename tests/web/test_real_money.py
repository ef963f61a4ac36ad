"""The way to real money by REST: gates are told of real accounts alone, and no shorter way leads to consent."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from lib.accounts.real_money import OVERRIDES, SENTENCES
from lib.domain.account import Venue
from lib.domain.real_money import RealFacts, RealGate, standings
from lib.queries import Calls, VersionKey
from lib.queries.compared import Compared, Mark
from lib.queries.real import RealStanding
from tests.factories import T
from tests.web.conftest import GOOD, FakeReadings, Web
from tests.worlds.answers import answers
from tests.worlds.real import nothing_known, open_facts

PERSON = {"email": "kim@example.com", "password": GOOD, "accepted_risk": True}
SENTENCE = {"sentence": SENTENCES["en"]}


def stands(web: Web, facts: RealFacts, venue: Venue = "mainnet") -> None:
    cast("FakeReadings", web.system.readings).real = RealStanding(
        1, venue, standings(facts), facts.has_consent, tuple(facts.stretches)
    )


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


class Scored(FakeReadings):
    """The original design was answered for, every day."""

    def compared_mark(self, user_id: int, until_ms: int, account_id: int | None = None) -> Mark:
        return Mark((user_id, 1), {}, frozenset())

    def compared(self, user_id: int, until_ms: int, account_id: int | None = None) -> Compared:
        key = VersionKey(0, None, 0, "rules")
        return Compared({key: answers(20)}, {key: Calls(20, Decimal(1), 0)}, frozenset({key}), 0)


def test_a_stretch_is_told_and_begun_by_the_criteria_of_the_record(web: Web, kim: TestClient) -> None:
    assert refused(kim, "/api/real-money/stretch", {}) == "refuse.no_account"
    stands(web, open_facts(), "demo")
    assert kim.get("/api/real-money").json()["next"] is None
    assert refused(kim, "/api/real-money/stretch", {}) == "refuse.real.record"
    cast("Any", web.system.readings).__class__ = Scored
    told = kim.get("/api/real-money").json()
    [one] = told["stretches"]
    assert (one["stretch_id"], one["criteria"]["days"], one["measured"]["coin"], one["why"]) == (1, 14, "0.0002", None)
    assert "user_id" not in one
    assert (told["next"]["model"], told["next"]["tries"]) == ("rules", 2)
    assert refused(kim, "/api/real-money/stretch", {}) == "refuse.real.stretch"
    web.stretches.grants = True
    assert kim.post("/api/real-money/stretch", json={}).status_code == 200
    [_, (account_id, criteria)] = web.stretches.asked
    assert (account_id, asdict(criteria)) == (1, told["next"])


def test_nobody_does_without_evidence_by_rest_without_the_sentence_and_a_second_factor(
    web: Web, kim: TestClient
) -> None:
    body = {"stretch_id": 1, "sentence": OVERRIDES["en"]}
    assert refused(kim, "/api/real-money/stretch/override", body | {"sentence": "yes"}) == "refuse.real.words"
    assert refused(kim, "/api/real-money/stretch/override", body) == "refuse.real.factor"
    assert web.stretches.overridden == []


def test_other_words_or_no_second_factor_are_no_consent_by_rest_either(web: Web, kim: TestClient) -> None:
    stands(web, nothing_known(T))
    assert refused(kim, "/api/real-money/consent", {"sentence": "yes"}) == "refuse.real.words"
    assert refused(kim, "/api/real-money/consent", SENTENCE) == "refuse.real.factor"
    assert refused(kim, "/api/real-money/withdraw", {}) == "refuse.no_account"
