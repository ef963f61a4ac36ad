"""What is asked of the past is one written question with one name, and every try counts against the best of them."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.account import Limits, RiskLevel
from lib.domain.backtests import MOST_DAYS, Wish, luck, moments, read_wish, wish_problem, wish_text
from lib.domain.day import DAY_MS
from lib.evidence.searching import expected_best, probabilistic_sharpe

NOW = 400 * DAY_MS + 5
GOOD = Wish("rules", "BTCUSDT", 100 * DAY_MS, 130 * DAY_MS)
D = Decimal

wishes = st.builds(
    Wish,
    kind=st.sampled_from(["rules", "answers"]),
    symbol=st.sampled_from(["BTCUSDT", "1000PEPEUSDT"]),
    since_ms=st.integers(0, 10).map(lambda day: day * DAY_MS),
    until_ms=st.integers(11, 400).map(lambda day: day * DAY_MS),
    balance=st.decimals(100, 10_000_000, places=2),
    level=st.sampled_from(RiskLevel),
    leverage=st.integers(1, 25),
    risk=st.none() | st.decimals("0.0005", "0.02", places=4),
    confidence=st.none() | st.decimals(0, 1, places=2),
    cadence_min=st.sampled_from([5, 15, 60]),
    long_only=st.booleans(),
    account_id=st.integers(0, 9),
    limits=st.builds(Limits, daily_loss=st.decimals(0, 1, places=3), loss_streak=st.integers(1, 99)),
)


@given(wishes)
def test_a_question_is_read_as_it_was_written(wish: Wish) -> None:
    assert read_wish(wish_text(wish)) == wish
    assert wish_text(read_wish(wish_text(wish))) == wish_text(wish)


@given(wishes, wishes)
def test_equal_questions_have_one_name_and_others_another(one: Wish, other: Wish) -> None:
    assert (one.key("bybit") == other.key("bybit")) == (one == other)
    assert one.key("bybit") != one.key("synthetic")


def test_ten_and_ten_point_nought_are_one_question() -> None:
    assert replace(GOOD, balance=D("10000.00")).key("x") == replace(GOOD, balance=D("1E+4")).key("x")


def test_the_account_that_is_replayed_is_as_asked() -> None:
    wish = replace(GOOD, level=RiskLevel.HIGH, leverage=3, risk=D("0.005"), confidence=D("0.7"), cadence_min=15)
    made = wish.settings
    assert (made.profile.risk_per_trade, made.profile.leverage_cap, made.profile.min_confidence) == (
        D("0.005"), 3, D("0.7"),
    )  # fmt: skip
    assert (made.cadence_min, made.long_only, GOOD.days) == (15, False, 30)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        (None, {}),
        ("symbol", {"symbol": "btc"}),
        ("symbol", {"symbol": "../x"}),
        ("since", {"since_ms": 130 * DAY_MS}),
        ("since", {"since_ms": 100 * DAY_MS + 1}),
        ("since", {"since_ms": -DAY_MS}),
        ("until", {"until_ms": 130 * DAY_MS + 1}),
        ("until", {"until_ms": 401 * DAY_MS}),
        ("balance", {"balance": D(99)}),
        ("balance", {"balance": D(10_000_001)}),
        ("leverage", {"leverage": 0}),
        ("leverage", {"leverage": 26}),
        ("risk", {"risk": D("0.03")}),
        ("confidence", {"confidence": D("1.1")}),
        ("cadence", {"cadence_min": 7}),
        ("account", {"account_id": 1}),
        ("account", {"kind": "answers"}),
        (None, {"kind": "answers", "account_id": 1}),
    ],
)
def test_what_cannot_be_meant_is_named(field: str | None, changes: dict[str, object]) -> None:
    assert wish_problem(replace(GOOD, **changes), NOW) == field  # type: ignore[arg-type]


def test_a_span_is_bounded() -> None:
    late = 2_000 * DAY_MS
    longest = replace(GOOD, since_ms=0, until_ms=MOST_DAYS["rules"] * DAY_MS)
    assert wish_problem(longest, late) is None
    assert wish_problem(replace(longest, until_ms=longest.until_ms + DAY_MS), late) == "until"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"limits":{}}',
        wish_text(GOOD).replace('"rules"', '"votes"'),
        wish_text(GOOD).replace('"10000"', '"much"'),
        wish_text(GOOD).replace('"medium"', '"wild"'),
        wish_text(GOOD).replace('"symbol"', '"coin"'),
    ],
)
def test_what_is_no_question_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no backtest is asked"):
        read_wish(text)


@given(st.lists(st.floats(-0.1, 0.1), min_size=30, max_size=60).filter(lambda all_: np.std(all_) > 1e-6))
def test_luck_is_the_deflated_sharpe_of_independent_tries(returns: list[float]) -> None:
    found = moments(returns)
    assert found is not None
    values = np.array(returns)
    assert luck(found, 1) == pytest.approx(probabilistic_sharpe(values, 0.0), abs=1e-6)
    least = expected_best(1 / (len(returns) - 1), 20)
    assert luck(found, 20) == pytest.approx(probabilistic_sharpe(values, least), abs=1e-6)
    assert luck(found, 1) >= luck(found, 2) >= luck(found, 50) - 1e-12


def test_nothing_is_said_of_what_never_moved() -> None:
    assert moments([]) is None
    assert moments([0.1]) is None
    assert moments([0.0, 0.0, 0.0]) is None
