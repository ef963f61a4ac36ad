"""The lowest step by REST: what paper has to show is told and begun there, and no shorter way leads to demo trading."""

from dataclasses import asdict
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from lib.accounts.demo_step import WITHOUT
from lib.domain import reason_codes as codes
from lib.domain.reason import NOTHING
from lib.domain.stretch import Step
from lib.queries.demo_step import DemoStanding
from tests.factories import T
from tests.web.conftest import FakeReadings, Web
from tests.web.test_real_money import PERSON, Scored, refused
from tests.worlds.real import passed

SENTENCE = {"sentence": WITHOUT["en"]}
PAPER = DemoStanding(3, "paper", True, True, codes.DEMO_STRETCH_LACKING())


@pytest.fixture
def kim(web: Web) -> TestClient:
    client = web.client()
    assert client.post("/api/auth/register", json=PERSON).status_code == 200
    return client


def stands(web: Web, found: DemoStanding) -> None:
    cast("FakeReadings", web.system.readings).lowest = found


def test_without_a_paper_or_demo_account_there_is_no_step(kim: TestClient) -> None:
    assert kim.get("/api/demo-trading").json()["error"] == "refuse.demo.account"
    assert refused(kim, "/api/demo-trading/stretch", {}) == "refuse.demo.account"


def test_what_is_lacking_is_told_and_a_stretch_begun_on_paper_by_the_criteria_of_the_record(
    web: Web, kim: TestClient
) -> None:
    stands(web, PAPER)
    told = kim.get("/api/demo-trading").json()
    assert (told["venue"], told["can_learn"], told["is_on"], told["is_open"]) == ("paper", True, True, False)
    assert (told["why"]["code"], told["next"]) == ("demo_stretch_lacking", None)
    assert "account_id" not in told
    assert refused(kim, "/api/demo-trading/stretch", {}) == "refuse.real.record"
    cast("Any", web.system.readings).__class__ = Scored
    told = kim.get("/api/demo-trading").json()
    assert (told["next"]["model"], told["next"]["tries"]) == ("rules", 1)
    assert refused(kim, "/api/demo-trading/stretch", {}) == "refuse.demo.stretch"
    web.stretches.grants = True
    assert kim.post("/api/demo-trading/stretch", json={}).status_code == 200
    account_id, criteria = web.stretches.asked[-1]
    assert (account_id, asdict(criteria), set(web.stretches.steps)) == (3, told["next"], {Step.DEMO})


def test_at_made_up_prices_nothing_can_be_begun(web: Web, kim: TestClient) -> None:
    cast("Any", web.system.readings).__class__ = Scored
    stands(web, DemoStanding(3, "paper", False, False, codes.DEMO_STRETCH_LACKING()))
    assert kim.get("/api/demo-trading").json()["next"] is None
    assert refused(kim, "/api/demo-trading/stretch", {}) == "refuse.real.record"


def test_a_passed_one_is_told_as_open(web: Web, kim: TestClient) -> None:
    stands(web, DemoStanding(3, "demo", False, False, NOTHING, T, (passed(),)))
    told = kim.get("/api/demo-trading").json()
    assert (told["is_open"], told["why"], told["overridden_until_ms"]) == (True, None, T)
    [one] = told["stretches"]
    assert (one["stretch_id"], one["measured"]["coin"]) == (1, "0.0002")
    assert "user_id" not in one


def test_nobody_does_without_by_rest_without_the_sentence(web: Web, kim: TestClient) -> None:
    assert refused(kim, "/api/demo-trading/override", {"sentence": "yes"}) == "refuse.real.words"
    assert web.stretches.notes == []
    assert refused(kim, "/api/demo-trading/override", SENTENCE) == "refuse.demo.only"
    web.stretches.grants = True
    assert kim.post("/api/demo-trading/override", json=SENTENCE).status_code == 200
