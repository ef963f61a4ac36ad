"""What the log tells becomes figures, and nothing that goes wrong on the way reaches who told it."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib import log
from lib.adapters.prometheus import OTHER, PrometheusMetrics
from lib.metrics import catalogue as m
from lib.metrics.heard import FORGOTTEN_S, MOST_MODELS, MOST_REMEMBERED, Heard
from lib.ports.metrics import Sample
from tests.fakes.people import StandingClock
from tests.metrics.exporters import Series, shown
from tests.worlds.one_process import World

T = 1_760_000_100_000 - 1_760_000_100_000 % 300_000
ROOT = Path(__file__).resolve().parents[2]


class Scene:
    """A listener and what it made of what it heard; *now* is its steady clock in seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.clock = StandingClock(T)
        self.metrics = PrometheusMetrics(m.METRICS, m.SOURCE_UP, lambda: self.now)
        self.heard = Heard(self.metrics, self.clock, lambda: self.now)
        self.metrics.read_from("guardian", self.heard.without_stop)

    def hear(self, event: str, after_s: float = 0.0, **fields: Any) -> None:
        self.now += after_s
        self.heard(event, fields)

    def value(self, name: str, **labels: str) -> float:
        self.now += 0.0
        found: Series = shown(self.metrics)
        return found.get((name, tuple(sorted(labels.items()))), -1.0)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_cycle_is_timed_by_step_and_its_accounts_counted_by_outcome(scene: Scene) -> None:
    scene.hear("cycle.began", t_ms=T)
    scene.hear("cycle.candles", 0.2, t_ms=T, symbol="BTCUSDT")
    scene.hear("account.answered", 3.0, t_ms=T, account=7)
    scene.hear("cycle.done", 1.0, t_ms=T, groups=1, idle="", bought=1, held=3)
    assert scene.value("maemae_cycles_total", outcome="served") == 1
    assert scene.value("maemae_cycle_accounts_total", outcome="held") == 3
    assert scene.value("maemae_cycle_last_timestamp_seconds") == T / 1000
    steps = {step: scene.value("maemae_cycle_step_seconds_sum", step=step) for step in ("candles", "answer", "whole")}
    assert steps == pytest.approx({"candles": 0.2, "answer": 3.0, "whole": 4.2})


def test_an_order_is_timed_from_its_answer_to_its_send_and_to_its_verdict(scene: Scene) -> None:
    order: dict[str, Any] = {"link": "x1", "account": 7, "t_ms": T}
    scene.hear("account.answered", t_ms=T, account=7)
    scene.clock.now = T + 9_000
    scene.hear("order.sent", 0.5, **order, said="accepted", code=0, now="ACCEPTED")
    scene.hear("order.resolved", 1.5, **order, state="FILLED", why="")
    assert scene.value("maemae_order_answer_to_send_seconds_sum") == pytest.approx(0.5)
    assert scene.value("maemae_order_send_to_verdict_seconds_sum") == pytest.approx(1.5)
    assert scene.value("maemae_order_send_age_seconds_sum") == 9
    assert scene.value("maemae_orders_ended_total", state="FILLED") == 1


def test_a_missing_stop_is_open_until_it_is_back_or_no_longer_seen(scene: Scene) -> None:
    scene.hear("guardian.unsafe", account=1)
    scene.hear("guardian.unsafe", 10.0, account=1)
    assert scene.value("maemae_position_without_stop_oldest_seconds") == 10
    scene.hear("guardian.repaired", 2.0, account=1)
    assert scene.value("maemae_position_without_stop_seconds_sum") == pytest.approx(12)
    scene.hear("guardian.unsafe", 1.0, account=2)
    scene.now += FORGOTTEN_S + 1
    assert scene.value("maemae_positions_without_stop") == 0


def test_calls_of_the_analyst_are_counted_by_model_and_a_talkative_provider_makes_few_series(scene: Scene) -> None:
    for number in range(MOST_MODELS + 30):
        call: dict[str, Any] = {
            "model": f"model-{number}",
            "view": "decided",
            "latency_ms": 1_500,
            "cost_usd": Decimal("0.002"),
        }
        scene.hear("analyst.asked", **call, prompt_tokens=900, completion_tokens=60)
    assert scene.value("maemae_analyst_calls_total", model="model-0", view="decided") == 1
    assert scene.value("maemae_analyst_calls_total", model="other", view="decided") == 30
    assert scene.value("maemae_analyst_tokens_total", model="model-0", kind="prompt") == 900
    assert scene.value("maemae_analyst_cost_usd_total", model="model-0") == pytest.approx(0.002)


def test_what_is_remembered_is_bounded(scene: Scene) -> None:
    for number in range(MOST_REMEMBERED + 50):
        scene.hear("order.sent", link=f"x{number}", account=number, t_ms=T, said="accepted")
    assert len(scene.heard._sends) == MOST_REMEMBERED


def test_a_value_nobody_listed_makes_no_series_of_its_own(scene: Scene) -> None:
    scene.hear("order.sent", link="x", account=1, t_ms=T, said="whatever the venue says")
    assert scene.value("maemae_orders_sent_total", said=OTHER) == 1


def test_every_event_logged_for_a_person_is_listed() -> None:
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "lib").rglob("*.py"))
    calls = re.findall(r"\.alert\(\s*([^\n]*)", text) + re.findall(r'\b_page\((memory, "[^\n]*)', text)
    named = {name for call in calls for name in re.findall(r'"([a-z_]+\.[a-z_]+)"', call)}
    assert named == set(m.ALERT_EVENTS)


def test_every_event_that_is_listened_for_is_logged_somewhere(scene: Scene) -> None:
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "lib").rglob("*.py") if path.parent.name != "metrics")
    from lib.metrics.heard import COUNTED

    assert [event for event in (*COUNTED, *scene.heard._told) if f'"{event}"' not in text] == []


async def test_a_cycle_goes_its_way_while_the_listener_fails(world: World) -> None:
    def broken(event: str, fields: object) -> None:
        raise ZeroDivisionError(event)

    with log.listen(broken):
        report = await world.cycle("buy")
    assert {result.outcome for result in report.results} == {"bought"}


async def test_a_real_cycle_fills_the_figures(world: World, scene: Scene) -> None:
    with log.listen(scene.heard):
        await world.cycle("buy")
    assert scene.value("maemae_cycles_total", outcome="served") == 1
    assert scene.value("maemae_cycle_accounts_total", outcome="bought") == 1
    assert scene.value("maemae_orders_sent_total", said="accepted") == 1
    assert scene.value("maemae_orders_ended_total", state="FILLED") == 1
    assert scene.value("maemae_order_answer_to_send_seconds_count") == 1
    assert scene.value("maemae_order_send_to_verdict_seconds_count") == 1


def test_a_source_that_fails_hides_no_other(scene: Scene) -> None:
    def away() -> list[Sample]:
        raise OSError("away")

    scene.metrics.read_from("database", away)
    assert scene.value("maemae_source_up", source="database") == 0
    assert scene.value("maemae_source_up", source="guardian") == 1
    assert scene.value("maemae_positions_without_stop") == 0
