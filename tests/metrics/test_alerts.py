"""Rules and dashboard name figures that are exported, and each rule fires where it should and nowhere else."""

import json
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from lib.metrics import catalogue as m
from tests.metrics.exporters import exporter, shown
from tests.metrics.promql import Moment, fires, names

ROOT = Path(__file__).resolve().parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana.json").read_text("utf-8"))
OF_PROMETHEUS = {"up"}
HOUR = 3_600.0


@pytest.fixture
def exported(sqlite_engine: sa.Engine) -> dict[str, set[str]]:
    """The names each process shows; label values that only time brings are counted in."""
    found = {}
    for service in ("collector", "trader", "web", "simulator", "supervisor"):
        source = exporter(service, sqlite_engine if service in ("trader", "web") else None)
        with closing(source):
            metrics = next(source)
            if service == "trader":
                for metric, labels in ((m.ANALYST_CALLS, ("a", "decided")), (m.ANALYST_TOKENS, ("a", "prompt"))):
                    metrics.count(metric, *labels)
                metrics.count(m.ANALYST_COST, "a")
                metrics.observe(m.ANALYST_SECONDS, 1, "a")
            if service == "supervisor":
                metrics.count(m.PROCESS_ENDS, "web")
            found[service] = {name for name, _ in shown(metrics)}
    return found


def test_every_figure_a_rule_names_is_exported(exported: dict[str, set[str]]) -> None:
    everything = set().union(*exported.values()) | OF_PROMETHEUS
    assert {name: rule["alert"] for rule in RULES for name in names(rule["expr"]) if name not in everything} == {}


def test_every_figure_the_dashboard_names_is_exported(exported: dict[str, set[str]]) -> None:
    everything = set().union(*exported.values()) | {metric.name for metric in (m.LOCKS,)}
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert {name for expr in asked for name in re.findall(r"maemae_\w+", expr)} - everything == set()


def test_every_metric_of_the_catalogue_is_exported_by_somebody(exported: dict[str, set[str]]) -> None:
    everything = set().union(*exported.values())
    shown_as = {f"{metric.name}_count" if metric.kind == "histogram" else metric.name for metric in m.METRICS}
    assert shown_as - everything == {m.LOCKS.name}, "locks show while one holds"


def test_the_newest_cycle_is_the_traders_to_tell(exported: dict[str, set[str]]) -> None:
    """Any other process that showed its own start there would hide a trader that makes none."""
    assert [name for name, shown_names in exported.items() if m.CYCLE_LAST.name in shown_names] == ["trader"]


def test_names_have_our_prefix_a_unit_and_no_label_of_a_person() -> None:
    for metric in m.METRICS:
        assert re.fullmatch(r"maemae_[a-z_]+", metric.name), metric
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric
        assert not metric.steps or metric.name.endswith("_seconds"), metric
        assert not {"account", "user", "uid", "person", "email", "link"} & set(metric.labels), metric
        assert metric.help, metric


def test_rules_have_a_level_words_and_a_runbook_that_is_there() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "warn", "none"}, rule
        assert rule["annotations"]["summary"], rule
        assert (ROOT / rule["annotations"]["runbook"]).exists(), rule


ALL_WELL = {
    'up{job="maemae"}': 1, "maemae_position_without_stop_oldest_seconds": 0,
    "maemae_order_unresolved_oldest_seconds": 0,
    'maemae_orders_unresolved{state="NEEDS_HUMAN"}': 0, "maemae_lost_commits_total": 3,
    "maemae_orphan_orders_adopted_total": 0, "maemae_forced_exits_total": 0, "maemae_books_difference_usdt": 0,
    "maemae_workers_alive": 3, "maemae_workers_dead": 0, "maemae_accounts_unowned": 0,
    "maemae_kill_switch_unproved_seconds": 0, "maemae_lease_held": 1, "maemae_lease_epoch": 4,
    "maemae_cycle_last_timestamp_seconds": 10 * HOUR - 310, "maemae_guardian_look_age_seconds": 6,
    'maemae_candle_age_seconds{interval="1m"}': 40, 'maemae_candle_age_seconds{interval="15m"}': 800,
    "maemae_positions_open": 2, "maemae_clock_offset_seconds": -0.1, "maemae_source_up": 1,
    'maemae_database_errors_total{kind="away"}': 9, "maemae_request_silence_seconds": 0,
    "maemae_request_budget_used_ratio": 0.5, 'maemae_analyst_calls_total{view="decided"}': 60,
    'maemae_analyst_calls_total{view="failed"}': 2, "maemae_outbox_oldest_seconds": 20,
    'maemae_alerts_total{event="clock.off"}': 1, 'maemae_process_crash_loop{process="watch"}': 0,
}  # fmt: skip
BEFORE = ALL_WELL | {'maemae_analyst_calls_total{view="decided"}': 30}
TROUBLE: Mapping[str, dict[str, float]] = {
    "PositionWithoutStop": {"maemae_position_without_stop_oldest_seconds": 31},
    "OrderUnresolved": {"maemae_order_unresolved_oldest_seconds": 61},
    "OrderUnresolvedForLong": {"maemae_order_unresolved_oldest_seconds": 601},
    "OrderNeedsPerson": {'maemae_orders_unresolved{state="NEEDS_HUMAN"}': 1},
    "DatabaseForgot": {"maemae_lost_commits_total": 4},
    "OrphanOrderAdopted": {"maemae_orphan_orders_adopted_total": 1},
    "ForcedExit": {"maemae_forced_exits_total": 1},
    "BooksDiffer": {"maemae_books_difference_usdt": 0.01},
    "StopNotProved": {"maemae_kill_switch_unproved_seconds": 121},
    "ProcessDown": {'up{job="maemae"}': 0},
    "NobodyTrades": {"maemae_lease_held": 0},
    "WorkerDead": {"maemae_workers_dead": 1},
    "AccountsUnowned": {"maemae_accounts_unowned": 1},
    "LeaseChangesHands": {"maemae_lease_epoch": 8},
    "NoCycle": {"maemae_cycle_last_timestamp_seconds": 10 * HOUR - 661},
    "GuardianSilent": {"maemae_guardian_look_age_seconds": 61},
    "CandlesStale": {'maemae_candle_age_seconds{interval="1m"}': 151},
    "CandlesMissing": {'maemae_candles_held{interval="1m"}': 29},
    "CandlesStaleWithPositions": {'maemae_candle_age_seconds{interval="1m"}': 421},
    "ClockOff": {"maemae_clock_offset_seconds": -0.6},
    "StoreUnread": {"maemae_source_up": 0},
    "DatabaseErrors": {'maemae_database_errors_total{kind="away"}': 15},
    "ExchangeRefusesUs": {"maemae_request_silence_seconds": 300},
    "RequestBudgetFull": {"maemae_request_budget_used_ratio": 0.95},
    "AnalystGivesNoView": {'maemae_analyst_calls_total{view="failed"}': 12},
    "NoticesNotSent": {"maemae_outbox_oldest_seconds": 901},
    "CrashLoop": {'maemae_process_crash_loop{process="watch"}': 1},
    "SomethingForAPerson": {'maemae_alerts_total{event="clock.off"}': 2},
}
BESIDE = {"OrderUnresolvedForLong": {"OrderUnresolved"}, "CandlesStaleWithPositions": {"CandlesStale"}}


def firing(now: Mapping[str, float]) -> set[str]:
    history = [Moment(9 * HOUR, BEFORE), Moment(10 * HOUR, now)]
    if now.get("maemae_lease_epoch", 0) > 4:  # a change is seen from one look to the next
        history[1:1] = [Moment(9 * HOUR + step, BEFORE | {"maemae_lease_epoch": 4 + step}) for step in range(1, 4)]
    return {rule["alert"] for rule in RULES if fires(rule["expr"], history)}


def test_where_all_is_well_the_watchdog_alone_fires() -> None:
    assert firing(ALL_WELL) == {"Watchdog"}


@pytest.mark.parametrize("alert", TROUBLE)
def test_a_rule_fires_just_past_its_threshold(alert: str) -> None:
    assert firing({**ALL_WELL, **TROUBLE[alert]}) == {"Watchdog", alert} | BESIDE.get(alert, set())


def test_every_rule_is_tried() -> None:
    assert {rule["alert"] for rule in RULES} == {*TROUBLE, "Watchdog"}


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)


def test_one_symbols_old_candles_are_seen_beside_those_of_others_and_page_nobody() -> None:
    others = {f'maemae_candle_age_seconds{{interval="1m",symbol="{name}USDT"}}': 40.0 for name in ("BTC", "ETH")}
    gone = {'maemae_candle_age_seconds{interval="1m",symbol="GONEUSDT"}': 9_000.0}
    assert firing(BEFORE | others | gone) - firing(BEFORE) == {"CandlesStale"}
