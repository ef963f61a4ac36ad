"""What a shadow is: its question, its budget, and at which T it is asked."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import CADENCES, PlatformLimits, RiskLevel
from lib.domain.analyst_call import shadow_of
from lib.domain.candle import MINUTE_MS
from lib.domain.day import DAY_MS
from lib.domain.input_blocks import BLINDFOLD
from lib.domain.reason import NOTHING
from lib.domain.shadow import (
    MOST_CALLS,
    MOST_USD,
    ShadowBudget,
    ShadowEnd,
    ShadowStake,
    ShadowUse,
    is_turn,
    over_budget,
    over_platform,
    over_share,
    question_of,
    with_model,
)
from lib.domain.strategy import BLOCKS, DESIGN

D = Decimal
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@given(st.integers(1, MOST_CALLS), st.integers(1, 3), st.sampled_from(CADENCES), st.integers(0, 20_000))
def test_the_calls_of_a_day_are_all_its_turns_and_spread_over_day_and_symbols(
    calls: int, count: int, cadence: int, day: int
) -> None:
    symbols, budget, step = SYMBOLS[:count], ShadowBudget(calls, D(1)), cadence * MINUTE_MS
    slots = DAY_MS // step
    turns = {
        symbol: [slot for slot in range(slots) if is_turn(budget, symbol, symbols, day * DAY_MS + slot * step, cadence)]
        for symbol in symbols
    }
    assert sum(map(len, turns.values())) == min(calls, slots * count) or min(map(len, turns.values())) == slots
    assert sum(map(len, turns.values())) <= calls
    assert max(map(len, turns.values())) - min(map(len, turns.values())) <= 1
    for found in turns.values():
        gaps = [later - earlier for earlier, later in pairwise(found)]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1


@given(st.integers(1, 300), st.integers(0, 287))
def test_two_shadows_of_one_budget_are_asked_at_the_same_times(calls: int, slot: int) -> None:
    t_ms = slot * 300_000
    first, second = (is_turn(ShadowBudget(calls, D(usd)), "A", order, t_ms, 5) for usd, order in ((1, "AB"), (2, "BA")))
    assert first == second


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        ({"system": "a"}, True), ({"instructions": "a"}, True), ({"answer_version": 2}, True),
        ({"risk_level": RiskLevel.HIGH, "max_leverage": 5}, True), ({"blocks": (*BLOCKS, BLINDFOLD)}, True),
        ({"model": "fast"}, True), ({"fallback": ("fast",)}, True), ({"max_leverage": 3}, True),
        ({"cadence_min": 60}, False), ({"long_only": True}, False), ({"min_confidence": D("0.9")}, False),
        ({"risk_per_trade": D("0.001")}, False),
    ],
)  # fmt: skip
def test_versions_ask_the_same_where_the_analyst_is_told_the_same(change: dict[str, object], is_another: bool) -> None:
    assert (question_of(replace(DESIGN, **change)) != question_of(DESIGN)) == is_another  # type: ignore[arg-type]


def test_a_model_takes_the_place_of_the_whole_chain() -> None:
    chained = replace(DESIGN, model="fast", fallback=("default",))
    assert with_model(chained, "") == chained
    assert with_model(chained, "slow").chain == ("slow",)


@pytest.mark.parametrize(
    ("calls", "usd", "is_offered"),
    [
        (1, "0", True), (MOST_CALLS, "100", True), (96, "0.000001", True), (0, "1", False),
        (MOST_CALLS + 1, "1", False),
        (1, "100.01", False), (1, "-0.1", False), (1, "0.0000001", False), (1, "NaN", False), (1, "Infinity", False),
    ],
)  # fmt: skip
def test_a_budget_may_be_had_within_its_bounds(calls: int, usd: str, is_offered: bool) -> None:
    assert ShadowBudget(calls, D(usd)).is_offered == is_offered


def test_a_budget_that_is_used_up_says_which() -> None:
    budget = ShadowBudget(2, D("0.5"))
    assert not over_budget(budget, ShadowUse(1, D("0.49")))
    assert over_budget(budget, ShadowUse(2, D(0))) == codes.SHADOW_CALLS_USED_UP(limit=2)
    assert over_budget(budget, ShadowUse(1, D("0.5"))) == codes.SHADOW_USD_USED_UP(limit=D("0.5"))
    assert ShadowUse(1, D(1)).plus(D(2)) == ShadowUse(2, D(3))
    assert ShadowUse().plus() == ShadowUse(1, D(0))


def test_nobody_uses_up_what_others_with_shadows_ask_for() -> None:
    limits = PlatformLimits(shadow_calls=100, shadow_cost=D(1))

    def refused(calls: int, usd: str, *others: ShadowStake, is_own: bool = False) -> bool:
        stakes = dict(enumerate((ShadowStake(ShadowBudget(), ShadowUse(calls, D(usd))), *others)))
        why = over_share(limits, stakes, 0, is_own=is_own)
        assert why in (NOTHING, codes.SHADOW_SHARE_USED_UP(people=len(others) + 1))
        return bool(why)

    much, little = ShadowStake(ShadowBudget(900, D(9))), ShadowStake(ShadowBudget(10, D("0.1")))
    assert not refused(99, "0.99"), "alone, everything is theirs"
    assert not refused(49, "0.4", much)
    assert refused(50, "0.4", much)
    assert refused(1, "0.5", much)
    assert not refused(1, "0.5", much, is_own=True), "their own model costs the platform nothing"
    assert not refused(89, "0.4", little), "what others do not ask for is free"
    assert refused(90, "0.4", little)
    late = ShadowStake(ShadowBudget(900, D(9)), ShadowUse(80, D(0)))
    assert (refused(19, "0", late), refused(20, "0", late)) == (False, True), "what is gone is gone"
    assert (refused(32, "0", much, much), refused(34, "0", much, much)) == (False, True)


def test_the_platforms_bounds_are_over_all_and_an_unreadable_one_lets_nobody_ask() -> None:
    limits = PlatformLimits(shadow_calls=2, shadow_cost=D(1))
    full = codes.SHADOW_PLATFORM_USED_UP()
    assert not over_platform(limits, ShadowUse(1, D("0.9")))
    assert over_platform(limits, ShadowUse(2, D(0))) == over_platform(limits, ShadowUse(0, D(1))) == full
    for name in ("shadow_calls", "shadow_cost"):
        assert over_platform(replace(limits, unreadable=(name,)), ShadowUse()) == codes.PLATFORM_LIMIT_UNREADABLE()
    assert not over_platform(replace(limits, unreadable=("entries_per_day",)), ShadowUse())


def test_an_end_is_a_drop_where_it_has_a_reason() -> None:
    assert ShadowEnd(1).state == "answered"
    assert ShadowEnd(1, codes.ANALYST_TIMEOUT()).state == "dropped"


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_shadows_key_is_no_trading_key(digest: str) -> None:
    assert shadow_of(digest) != digest
    assert len(shadow_of(digest)) == 64


@pytest.mark.parametrize(
    ("calls", "usd", "is_offered"),
    [
        (1, "0", True),
        (MOST_CALLS, str(MOST_USD), True),
        (0, "1", False),
        (MOST_CALLS + 1, "1", False),
        (1, "-0.01", False),
        (1, "0.0000001", False),
        (1, "NaN", False),
        (1, "Infinity", False),
    ],
)
def test_a_budget_is_offered_in_whole_calls_and_money_within_its_bounds(calls: int, usd: str, is_offered: bool) -> None:
    assert ShadowBudget(calls, Decimal(usd)).is_offered is is_offered
