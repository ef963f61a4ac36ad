"""
Thousands of hostile answers of each version (twenty thousand at night), from text to draft orders: no cap breaks,
nothing raises, all can be logged.
"""

import json
import logging
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.adapters.sql.ledger.analysis import decision_json, read_decision
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.decision import (
    ACTIONS,
    MAX_ANSWER_BYTES,
    MAX_LEVERAGE,
    MAX_REASON_CHARS,
    Abstained,
    AnswerVersion,
    Decision,
    parse_decision,
)
from lib.domain.instrument import Instrument
from lib.domain.order import OrderDraft
from lib.domain.risk import AccountPlan, Facts, decide
from lib.domain.trade_log import summarise
from lib.log import JsonLines, TextLines, redact
from tests.domain.hostile_answers import BY_HAND, KEYS, OF_FIELDS, OF_TEXT, Answer, answer_of, written
from tests.effort import seeds
from tests.factories import REF, T, facts, instrument, limits, position, settings
from tests.reasons import english

SEEDS = seeds(20_000)
FEW = len(SEEDS) // 200
"""How often whatever may happen does at least."""
EQUITY = Decimal(10_000)
GENEROUS = limits(entries_per_day=288, cooldown_ms=0, loss_streak=100, max_exposure=Decimal(30), max_margin=Decimal(1))
PEOPLE: tuple[AccountSettings, ...] = (
    settings(RiskLevel.HIGH, max_leverage=125, limits=GENEROUS),
    settings(RiskLevel.MEDIUM, max_leverage=5, limits=limits(max_exposure=Decimal(1))),
    settings(RiskLevel.LOW, max_leverage=1, long_only=True, limits=limits(max_margin=Decimal("0.1"))),
)
HELD: tuple[Facts, ...] = (
    facts(EQUITY),
    replace(facts(EQUITY, qty="0.02"), position=position("0.02", leverage=Decimal(3))),
    replace(facts(EQUITY, qty="-0.02"), position=position("-0.02", leverage=Decimal(3))),
)
RULES = instrument()
LEVEL = {
    RiskLevel.LOW: (Decimal("0.005"), 3),
    RiskLevel.MEDIUM: (Decimal("0.01"), 10),
    RiskLevel.HIGH: (Decimal("0.02"), 25),
}


def entry_problem(draft: OrderDraft, person: AccountSettings, rules: Instrument) -> str:
    """The caps written a second time: what an entry may never be, whoever asked for it. "" = it keeps them all."""
    risk, level_cap = LEVEL[person.risk_level]
    worst = max(draft.limit_price, REF)
    sign = 1 if draft.side == "buy" else -1
    tick = rules.tick_size
    stop_at, target_at = (sign * (draft.stop_loss - REF), sign * (draft.take_profit - REF))
    qty = draft.qty if draft.qty is not None else Decimal(0)
    checks = {
        "reduces only": not draft.reduce_only and draft.leg == "e",
        "leverage": 1 <= draft.leverage <= min(person.max_leverage, level_cap, int(rules.max_leverage)),
        "collar": abs(draft.limit_price - REF) <= REF * Decimal("0.003"),
        "stop band": REF * Decimal("0.002") - tick <= -stop_at <= REF * Decimal("0.05") + tick,
        "target": 0 < target_at <= min(REF * Decimal("0.2"), -10 * stop_at) + 11 * tick,
        "risk": qty * abs(draft.limit_price - draft.stop_loss) <= risk * EQUITY,
        "notional": qty * worst <= person.limits.max_exposure * EQUITY,
        "margin": qty * worst <= person.limits.max_margin * EQUITY * draft.leverage,
        "size": 0 <= qty <= rules.max_market_qty and qty % rules.qty_step == 0,
        "long only": not (person.long_only and draft.side == "sell"),
        "liquidation": draft.leverage * -stop_at < REF,
    }
    return ", ".join(name for name, holds in checks.items() if not holds)


def exit_problem(draft: OrderDraft, view: Decision | Abstained, held: Facts) -> str:
    whole, qty = abs(held.position.qty), draft.qty or Decimal(0)
    asked = view.close_fraction * whole if isinstance(view, Decision) else Decimal(0)
    is_part = RULES.min_qty <= qty <= min(asked, whole - RULES.min_qty) and qty % RULES.qty_step == 0
    fits = qty == whole or is_part
    shrinks = draft.reduce_only and draft.leg == "x" and fits and draft.side == held.position.closing_side
    return "" if shrinks and draft.stop_loss == draft.take_profit == 0 else "not an exit"


def plan_problem(plan: AccountPlan, view: Decision | Abstained, person: AccountSettings, held: Facts) -> str:
    """What is wrong with the orders of *plan*; "" = nothing."""
    if plan.orders and (isinstance(view, Abstained) or view.action in ("hold", "tighten")):
        return "orders without a decision"
    entries = [draft for draft in plan.orders if not draft.reduce_only]
    if entries and isinstance(view, Decision) and view.action == "close":
        return "an entry of who wants out"
    exits = [draft for draft in plan.orders if draft.reduce_only]
    if len(entries) > 1 or len(exits) > 1:
        return "more than one"
    if exits and (held.position.is_flat or (entries and entries[0].qty is not None)):
        return "an exit from nothing, or an entry sized before its exit"
    wrong = [entry_problem(draft, person, RULES) for draft in entries] + [
        exit_problem(draft, view, held) for draft in exits
    ]
    return "; ".join(problem for problem in wrong if problem)


def view_problem(view: Decision | Abstained, version: AnswerVersion) -> str:
    """What is wrong with a view as a value; "" = nothing."""
    if isinstance(view, Abstained):
        return "" if 0 < len(english(view.why)) <= 200 else "reason"
    fractions = all(
        isinstance(x, Decimal) and x.is_finite() and 0 <= x <= 1
        for x in (view.confidence, view.stop_loss, view.take_profit, view.close_fraction)
    )
    closes = (view.action == "close") is (view.close_fraction > 0)
    leverage = type(view.leverage) is int and 1 <= view.leverage <= MAX_LEVERAGE
    known = view.action in ACTIONS[version] and len(view.reason) <= MAX_REASON_CHARS
    return "" if fractions and leverage and known and closes else "out of range"


def log_problem(view: Decision | Abstained, plan: AccountPlan) -> str:
    """Whether every place a view ends up in can hold it: two kinds of log lines, a JSON column, a text column."""
    stored = json.dumps(decision_json(view), ensure_ascii=False)
    if read_decision(json.loads(stored)) != view:
        return "does not come back from its column"
    ended = summarise(plan.outcome, plan.reason, [])
    record = logging.LogRecord("maemae.test", logging.INFO, "", 0, "%s", ("cycle.decided",), None)
    record.maemae_fields = {"view": decision_json(view), "reason": english(plan.reason), "clamps": str(plan.clamps)}
    line, plain = JsonLines("trader").format(record), TextLines().format(record)
    texts = (stored, english(ended.message), english(plan.reason), line, plain)
    if any(len(text.encode()) > 12_000 for text in texts):
        return "too long"
    if "\n" in line or "\n" in plain or "\r" in plain or "\x1b" in plain:
        return "more than a line"
    if any(c in text for text in (english(ended.message), english(plan.reason)) for c in "\x00\r\n\x1b\u202e\ufeff"):
        return "control characters"
    return "" if json.loads(line)["reason"] == redact(english(plan.reason)) else "the line is not JSON"


def problem_of(
    answer: Answer | None, held: Facts, person: AccountSettings, version: AnswerVersion
) -> tuple[str, Decision | Abstained, AccountPlan]:
    """The whole way of one answer."""
    view = parse_decision(answer, version)
    plan = decide(view, held, person, RULES, REF, T)
    found = (view_problem(view, version), plan_problem(plan, view, person, held), log_problem(view, plan))
    return "; ".join(problem for problem in found if problem), view, plan


@pytest.mark.parametrize("version", ACTIONS)
def test_no_generated_answer_breaks_a_cap_a_parser_or_the_log(version: AnswerVersion) -> None:
    seen: Counter[str] = Counter()
    views: Counter[str] = Counter()
    for seed in SEEDS:
        answer, done = answer_of(seed, version)
        problem, view, plan = problem_of(answer, HELD[seed % 3], PEOPLE[seed // 3 % 3], version)
        assert problem == "", (seed, done, str(answer)[:200])
        seen.update(set(done))
        views["abstained" if isinstance(view, Abstained) else view.action] += 1
        views[f"plan: {plan.outcome}"] += 1
        views["clamped"] += bool(plan.clamps)
    assert sum(views[name] for name in ("abstained", *ACTIONS[version])) == len(SEEDS) >= 4_000
    assert min(seen.values()) > FEW, seen
    assert seen.keys() == {change.__name__ for change in (*OF_FIELDS, *OF_TEXT)}
    for name in ("abstained", *ACTIONS[version], "plan: bought", "plan: sold", "plan: closed", "plan: refused"):
        assert views[name] > (FEW if version == 1 else FEW // 2), views
    assert min(views["plan: kept"], views["clamped"]) > FEW, views


@pytest.mark.parametrize("version", ACTIONS)
@pytest.mark.parametrize("name", BY_HAND)
def test_an_answer_made_by_hand_breaks_nothing(name: str, version: AnswerVersion) -> None:
    for held in HELD:
        for person in PEOPLE:
            problem, _, _ = problem_of(BY_HAND[name], held, person, version)
            assert problem == ""


READ = {
    *("all in at 125x", "a stop of nothing", "a stop of minus nothing", "a stop of minus nothing with a point"),
    *("a stop of everything", "a stop a hair too near", "a stop a hair too far", "a stop with forty digits"),
    *("a target inside the collar", "a target of nothing", "a target of everything, sold"),
    *("a lone surrogate, escaped", "a NUL in the reason, escaped", "right to left", "a forged log line"),
    *("a code fence", "a thought", "a thought and a fence", "a thought of nothing"),
    *("a hold without numbers", "a hold of nulls", "a hold of zeros", "a hold with absurd numbers"),
    *("a zalgo reason", "a reason that grows when composed", "astral letters"),
}
"""Hand-made answers that are well-formed and so may be read; every other one abstains."""
SMALL_ENOUGH = {name for name in READ if len(str(BY_HAND[name]).encode("utf-8", "replace")) <= MAX_ANSWER_BYTES}


@pytest.mark.parametrize("version", ACTIONS)
@pytest.mark.parametrize("name", BY_HAND)
def test_only_a_well_formed_answer_made_by_hand_is_read_at_all(name: str, version: AnswerVersion) -> None:
    """An answer of version 1 says the same in version 2: what it does not use may be missing."""
    assert isinstance(parse_decision(BY_HAND[name], version), Decision) == (name in SMALL_ENOUGH)


@pytest.mark.parametrize("size", range(len(written()) + 1))
def test_an_answer_cut_at_any_byte_abstains_until_it_is_whole(size: int) -> None:
    whole = written()
    for cut in (whole[:size], whole.encode()[:size]):
        view = parse_decision(cut)
        assert isinstance(view, Decision) == (size == len(whole))


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("stop", ["0", "-0", "-0.02", "0.0019", "0.0501", "1", "58800", "1e-12"])
def test_a_stop_of_the_wrong_kind_is_never_an_entry(side: str, stop: str) -> None:
    answer = written(action=f'"{side}"', stop_loss=stop)
    for held in HELD:
        plan = decide(parse_decision(answer), held, PEOPLE[0], RULES, REF, T)
        assert [draft for draft in plan.orders if not draft.reduce_only] == []


def test_the_greediest_answer_is_clamped_and_every_clamp_is_recorded() -> None:
    view = parse_decision(BY_HAND["all in at 125x"])
    plan = decide(view, HELD[0], PEOPLE[1], RULES, REF, T)
    assert plan.outcome == "bought"
    assert {clamp.name for clamp in plan.clamps} >= {"leverage: max_leverage"}
    assert plan.orders[0].leverage == 5


def test_there_are_more_than_forty_answers_made_by_hand() -> None:
    assert len(BY_HAND) >= 60
    assert len(SMALL_ENOUGH) < len(BY_HAND) / 3
    assert set(json.loads(written())) == set(KEYS)
    assert any(isinstance(made, str) and len(made) > 10_000_000 - 1 for made in BY_HAND.values())
