"""Readiness tells names and booleans; figures are for who brings the token, and for nobody where there is none."""

import pytest

from lib.adapters.prometheus import PrometheusMetrics
from lib.bootstrap.readiness import Readiness
from lib.metrics import catalogue as m
from tests.web.conftest import Web

TOKEN = "the-token-of-the-watchers"


def test_readiness_is_names_and_booleans_and_its_advice_refuses_nobody(web: Web) -> None:
    answer = web.client().get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told == {"ready": True, "checks": {"database": True, "candles": True}, "advice": {"analyst": False}}
    assert answer.text.count("\n") > len(told["checks"]), "a line a check"


def test_one_check_that_does_not_hold_is_503_and_tells_no_more(web: Web) -> None:
    web.readiness = Readiness({"database": True, "candles": False}, {})
    answer = web.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": True, "candles": False}


def test_a_platform_may_ask_under_a_name_of_its_own(web: Web) -> None:
    assert web.client().get("/readyz", headers={"host": "10.0.0.7"}).status_code == 200


def test_without_a_token_there_are_no_figures(web: Web) -> None:
    kim = web.client()
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}"}):
        assert kim.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("said", ["", "Bearer", f"bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer \xe9"])
def test_figures_are_for_the_token_alone(web: Web, said: str) -> None:
    metrics = PrometheusMetrics(m.METRICS, m.SOURCE_UP)
    metrics.set(m.BUILD, 1, "web", "0.1.0")
    object.__setattr__(web.system, "metrics", metrics)
    object.__setattr__(web.system, "metrics_token", TOKEN)
    assert web.client().get("/metrics", headers={b"authorization": said.encode("latin-1")}).status_code == 401
    answer = web.client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert 'maemae_build_info{service="web",version="0.1.0"} 1.0' in answer.text
