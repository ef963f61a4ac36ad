"""What the engine gives as a reason, a Korean page says in Korean; what it does not say stays letter by letter."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.reasons import say, say_sentence
from lib.accounts import key_gate
from lib.adapters.bybit.answers import MEANING_OF, answer_of
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.candle import MINUTE_MS, window_problem
from lib.domain.decision import KEYS, Abstained, parse_decision
from lib.domain.gates import UNLOCK_RULES, GateKind, PlatformFacts, platform_gates
from lib.domain.maintenance import Maintenance, entries_wait
from lib.domain.order import OrderState, claim_entry, claim_exit
from lib.domain.reason import NOTHING, Reason, text
from lib.domain.risk import AccountPlan, decide
from lib.domain.stored_reason import parse, stored
from lib.domain.trade_log import Leg, summarise
from lib.trading.cycle.plan import opinion_of
from lib.trading.cycle.platform_limits import Headroom
from lib.trading.state import Reservations
from tests.factories import (
    REF,
    T,
    answer_json,
    candle,
    candles,
    claim_facts,
    decision,
    facts,
    instrument,
    order,
    settings,
    trader_account,
)

TERMS = {"IP", "MDD", "USDT", "API", "BTCUSDT", "REST", "JSON", "HTTP", "UTA", "Bybit", "NaN", "Infinity"}
LATIN = re.compile(r"[A-Za-z]+")
IDENTIFIER = re.compile(r"[a-z]+_[a-z]+|/v5/|[A-Z]+_[A-Z]+|\w+Error\b|another hand|\bproved\b")
"""What a program calls a thing, or what we used to: no page says it."""


def korean(reason: Reason) -> str:
    """*reason* on a Korean page, Korean but for the field's own terms; an English page says it without identifiers."""
    said = say(reason, "ko")
    assert reason
    assert re.search("[가-힣]", said), reason
    assert set(LATIN.findall(said)) <= TERMS, said
    assert not IDENTIFIER.search(english := say(reason, "en")), english
    assert parse(stored(reason)) == reason
    return said


def plan(view: Any = None, chosen: Any = None, rule: Any = None, **known: Any) -> AccountPlan:
    return decide(view or decision(), facts(**known), chosen or settings(), rule or instrument(), REF, T)


USED_UP = PlatformFacts(10**6, Decimal(10**9), Decimal(1), Decimal(10), 10**9, Decimal(10**3), 98)
EVERYTHING = platform_gates(USED_UP, PlatformLimits(unreadable=("max_exposure",)), T)

GATES: dict[str, AccountPlan] = {
    "confidence": plan(decision(confidence="0.1")),
    "locks": plan(locks=("external",)),
    "unresolved": plan(unresolved=1),
    "not trading": plan(rule=instrument(trading=False)),
    "long only": plan(decision("sell"), settings(long_only=True)),
    "foreign position": plan(own_qty=Decimal(1)),
    "foreign orders": plan(foreign_orders=1),
    "no equity": plan(equity=0),
    "daily loss": plan(day_start_equity=Decimal(20_000)),
    "drawdown": plan(peak_equity=Decimal(100_000)),
    "losses": plan(loss_streak=99),
    "entries": plan(entries_today=99),
    "cooldown": plan(last_stop_ms=T - 1),
    "analyst": plan(analyst_failures=99),
    "budget": plan(tokens_today=99_000_000),
    "platform locks": plan(locks=("platform: daily_loss", "platform: analyst_budget", "cooldown")),
    "no room": plan(room=Decimal(0)),
    **{f"platform: {gate.kind} {n}": plan(platform=(gate,)) for n, gate in enumerate(EVERYTHING)},
    "stop": plan(decision(stop_loss="0.9")),
    "target": plan(decision(take_profit="0.001")),
    "too small": plan(equity=50),
    "no balance": plan(available=Decimal(0)),
    "kept": plan(qty="0.01"),
    "another hand": plan(decision("sell"), qty="0.01", own_qty=Decimal(0)),
    "not turned": plan(decision("sell"), settings(long_only=True), qty="0.01"),
    "too coarse": plan(rule=instrument(tick_size=Decimal(50_000))),
}


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_speaks_korean(gate: str) -> None:
    assert GATES[gate].outcome in ("refused", "skipped", "kept", "closed")
    korean(GATES[gate].reason)


@pytest.mark.parametrize("kind", UNLOCK_RULES)
def test_every_locks_kind_and_end_speak_korean(kind: GateKind) -> None:
    korean(UNLOCK_RULES[kind])
    if kind not in ("exposure", "unreadable"):  # an account's own exposure is a clamp, and its limits always read
        assert kind not in korean(codes.ENTRIES_LOCKED(locks=kind))
    if kind not in ("drawdown", "loss_streak", "cooldown", "external"):
        assert kind not in korean(codes.ENTRIES_LOCKED(locks=f"platform: {kind}"))


def test_a_used_up_budget_of_guests_speaks_korean() -> None:
    used = replace(USED_UP, guest_tokens=960)
    headroom = Headroom(T, PlatformLimits(guest_tokens=960), used, Reservations(), Reservations())
    assert "960" in korean(codes.ANALYST_NOT_ASKED(why=headroom.guests_budget))


def test_the_gates_here_are_all_different() -> None:
    assert len({each.reason for each in GATES.values()}) == len(GATES)


@pytest.mark.parametrize(
    "changes",
    [
        {"trading_enabled": False},
        {"flatten": True},
        {"lease_ours": False},
        {"auto_trade": False},
        {"deleted": True},
        {"feed_fits": False},
        {"key_version": 2},
        {"settings_version": 2},
        {"locks": ("external",)},
        {"now": T + 600_000},
    ],
    ids=str,
)
def test_every_refused_claim_speaks_korean(changes: dict[str, Any]) -> None:
    claim = claim_entry(order(), claim_facts(**changes), T + 4_000)
    assert not claim.granted
    korean(claim.why)


def test_claims_that_came_too_late_or_too_often_speak_korean() -> None:
    korean(claim_entry(order(state=OrderState.FILLED), claim_facts(), T).why)
    korean(claim_entry(order(), claim_facts(), T - 60_000).why)
    korean(claim_entry(order(attempts=3), claim_facts(), T + 4_000).why)
    korean(claim_exit(order("x", "sell"), now=T, key_version=2, signed_ts=T).why)


def broken(at: int, **changes: Any) -> list[Any]:
    window = candles()
    changed = {"open": window[at].open, "close": window[at].close, **changes}
    window[at] = candle(changed.pop("open_time", window[at].open_time), **changed)
    return window


WINDOWS = {
    "short": candles(7),
    "stale": candles(closes_at=T - MINUTE_MS),
    "off the interval": broken(3, open_time=T - 90_001),
    "price": broken(3, open=-1, close=-1),
    "volume": broken(3, volume=-1),
    "range": broken(3, high=1),
    "gap": broken(3, open_time=T - 90 * MINUTE_MS),
    "jump": broken(3, open=90_000, close=90_000),
    "wild": broken(3, high=90_000),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_every_problem_of_a_window_speaks_korean(case: str) -> None:
    problem = window_problem(WINDOWS[case], step_ms=MINUTE_MS, count=30, closes_at=T)
    assert problem is not None
    korean(problem)


ANSWERS = (
    "",
    "x" * 20_000,
    "not json",
    "[]",
    json.dumps({"action": "buy"}),
    answer_json(extra=1),
    '{"action": "buy", "action": "sell"}',
    answer_json().replace("0.8", "1e99"),
    answer_json().replace("0.8", "NaN"),
    answer_json(action="panic"),
    answer_json(leverage="5"),
    answer_json(leverage=999),
    answer_json(reason=1),
    *(answer_json(**{name: "x"}) for name in ("confidence", "stop_loss", "take_profit")),
    *(answer_json(**{name: 2}) for name in ("confidence", "stop_loss", "take_profit")),
    *(json.dumps({k: v for k, v in json.loads(answer_json()).items() if k != name}) for name in sorted(KEYS)),
)


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_every_answer_that_cannot_be_read_speaks_korean(answer: str) -> None:
    read = parse_decision(answer)
    assert isinstance(read, Abstained)
    korean(read.why)
    korean(plan(read).reason)


def test_what_trading_switched_off_would_have_done_speaks_korean() -> None:
    would = plan(decision(reason="추세가 이어집니다"))
    off = korean(opinion_of(trader_account(auto_trade=False), would).reason)
    assert "켜져 있었다면 롱 진입" in off
    assert off.endswith("추세가 이어집니다")
    korean(opinion_of(trader_account(trading_enabled=False), would).reason)


def test_the_ends_of_orders_speak_korean() -> None:
    none, some = Decimal(0), Decimal("0.01")
    late = Leg(False, OrderState.EXPIRED, none, codes.DECISION_TOO_OLD())
    turned = summarise("bought", text("추세 전환"), (Leg(True, OrderState.FILLED, some, codes.FILLED()), late))
    assert "판단이 나온 지 너무 오래되었습니다." in korean(turned.message)
    korean(summarise("bought", text("추세"), (Leg(False, OrderState.NEEDS_HUMAN, none, NOTHING),)).message)
    korean(summarise("bought", text("추세"), (late,)).message)
    korean(summarise("bought", text("추세"), (Leg(False, OrderState.CANCELLED, none, codes.CANCELLED()),)).message)


def test_every_closed_market_speaks_korean_and_in_korean_time() -> None:
    dated, endless = Maintenance(T, T + 3_600_000, False), Maintenance(T, 0, True)
    said = korean(entries_wait([dated], "1", T))
    end = datetime.fromtimestamp((T + 3_600_000) / 1000, timezone(timedelta(hours=9)))
    assert f"{end:%Y-%m-%d %H:%M}" in said
    korean(entries_wait([endless], "1", T))
    for code in (codes.SYMBOL_NOT_TRADING, codes.SYMBOL_NOT_LISTED, codes.PERPETUAL_NOT_LISTED):
        korean(code(symbol="BTCUSDT"))


def test_every_flaw_of_a_key_speaks_korean() -> None:
    flaws = [flaw for flaw in vars(key_gate).values() if isinstance(flaw, key_gate.KeyFlaw)]
    assert len(flaws) >= 8
    for flaw in flaws:
        korean(flaw.why)


@pytest.mark.parametrize("code", MEANING_OF)
def test_every_refusal_of_the_exchange_speaks_korean_with_its_code(code: int) -> None:
    answer = answer_of(200, json.dumps({"retCode": code, "retMsg": "x"}).encode())
    assert answer is not None
    assert str(code) in korean(answer.why)


@pytest.mark.parametrize("page", [b"access too frequent", b"<html>block access from your country", b""])
@pytest.mark.parametrize("status", [401, 403, 404, 418])
def test_every_page_instead_of_an_answer_speaks_korean(status: int, page: bytes) -> None:
    answer = answer_of(status, page)
    assert answer is not None
    assert str(status) in korean(answer.why)


def test_a_sentence_of_its_own_begins_with_a_capital() -> None:
    assert say_sentence(codes.KEY_EXPIRED(), "en").startswith("The API key")
    assert say_sentence(NOTHING, "en") == ""


@pytest.mark.parametrize(
    "words",
    [
        "EC_PostOnlyWillTakeLiquidity",
        "momentum turned: the long is closed",
        "no clear trend: range between 64,100 and 64,380",
        "상승 추세가 이어져 매수합니다.",
        "confidence is high: the trend holds",
        "the stop is missing",
        "{why} %s {0}",
    ],
)
def test_text_that_is_not_the_engines_stays(words: str) -> None:
    assert say(text(words), "ko") == words


@given(st.text(alphabet=st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=200))
def test_an_analysts_korean_is_never_touched(words: str) -> None:
    assert say(text(words), "ko") == words
    assert say(codes.ANALYST_ABSTAINED(why=text(words)), "en") == f"the analyst abstained: {words}"


def test_the_bundled_rules_words_are_the_readers_inside_a_reason_too() -> None:
    said = text("EMA 8/21 golden cross 3 min ago, confirmed by RSI 61.2: long.")
    off = say(codes.AUTO_TRADING_OFF_WOULD(outcome="bought", why=said), "ko")
    assert off.startswith("자동매매가 꺼져 있습니다 (켜져 있었다면 롱 진입): ")
    assert off.endswith("EMA 8/21 골든크로스가 3분 전에 나왔고 RSI 61.2에서 상승이 확인되어 롱에 진입합니다.")
