"""Gates as data: which stand, what they say, until when, and that no answer moves them."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import POOLS, AccountSettings, Limits, PlatformLimits, Pool
from lib.domain.day import midnight_after
from lib.domain.decision import Decision
from lib.domain.gates import (
    ENDED_BY_A_PERSON,
    FOREVER_MS,
    UNLOCK_RULES,
    Facts,
    Gate,
    GateKind,
    PlatformFacts,
    budget_gates,
    entry_refusal,
    kinds_of,
    locking_gates,
    platform_gates,
    platform_kind,
)
from lib.domain.instrument import Instrument
from lib.domain.order import CYCLE_MS
from lib.domain.risk import decide
from tests.domain.strategies import any_facts, any_instruments, any_limits, any_settings, decimals, entering
from tests.effort import examples
from tests.factories import REF, T, decision, facts, instrument, limits, settings
from tests.reasons import english

thousands = examples(1_000)
MIDNIGHT = 1_760_054_400_000
"""The UTC midnight after *T*."""
D = Decimal


def standing(**known: Any) -> tuple[Gate, ...]:
    return locking_gates(facts(**known), Limits(), T)


ACCOUNT: list[tuple[dict[str, Any], Gate]] = [
    (
        {"equity": D("9480"), "day_start_equity": D(10_000), "peak_equity": D(10_000)},
        Gate("daily_loss", codes.DAILY_LOSS(lost=Decimal("0.052"), limit=Decimal("0.05")), MIDNIGHT),
    ),
    (
        {"equity": D("7990"), "day_start_equity": D(8_000), "peak_equity": D(10_000)},
        Gate("drawdown", codes.DRAWDOWN(fell=Decimal("0.201"), limit=Decimal("0.2")), FOREVER_MS),
    ),
    ({"loss_streak": 7}, Gate("loss_streak", codes.LOSS_STREAK(losses=7, limit=5), MIDNIGHT)),
    ({"entries_today": 13}, Gate("entries", codes.ENTRIES_OF_DAY(entries=13, limit=12), MIDNIGHT)),
    (
        {"last_stop_ms": T - 1_000},
        Gate("cooldown", codes.COOLDOWN(minutes=15), T - 1_000 + 900_000),
    ),
    (
        {"analyst_failures": 8},
        Gate(
            "analyst_failures",
            codes.ANALYST_FAILURES(cycles=8),
            T + CYCLE_MS,
        ),
    ),
    (
        {"tokens_today": 2_000_960},
        Gate("analyst_budget", codes.ANALYST_TOKENS(tokens=2000960, limit=2000000), MIDNIGHT),
    ),
]


@pytest.mark.parametrize(("known", "gate"), ACCOUNT, ids=[gate.kind for _, gate in ACCOUNT])
def test_each_limit_of_an_account_is_a_gate_with_its_figures_and_its_end(known: dict[str, Any], gate: Gate) -> None:
    assert standing(**known) == (gate,)
    assert entry_refusal(decision(), "buy", facts(**known), settings(), instrument(), T) == gate.why


def test_every_gate_that_stands_is_told_not_only_the_first() -> None:
    known: dict[str, Any] = {}
    for change, _ in reversed(ACCOUNT):
        known |= change
    assert [gate.kind for gate in standing(**known)] == [
        "daily_loss", "loss_streak", "entries", "cooldown", "analyst_failures", "analyst_budget",
    ]  # fmt: skip


def test_an_account_in_order_meets_no_gate() -> None:
    assert standing() == ()


def use(**changes: Any) -> PlatformFacts:
    quiet = PlatformFacts(
        entries=0, exposure=D(0), equity=D(50_000), day_start_equity=D(50_000), tokens=0, cost=D(0), analyst_failures=0
    )
    return replace(quiet, **changes)


PLATFORM: list[tuple[dict[str, Any], dict[str, Any], Gate]] = [
    (
        {"equity": D(45_000)},
        {"equity": D("45000.01")},
        Gate("daily_loss", codes.PLATFORM_DAILY_LOSS(lost=Decimal("0.1"), limit=Decimal("0.1")), MIDNIGHT),
    ),
    (
        {"exposure": D(5_000_000)},
        {"exposure": D("4999999.99")},
        Gate("exposure", codes.PLATFORM_EXPOSURE(exposure=5000000, limit=5000000), T + CYCLE_MS),
    ),
    (
        {"entries": 10_000},
        {"entries": 9_999},
        Gate("entries", codes.PLATFORM_ENTRIES(entries=10000, limit=10000), MIDNIGHT),
    ),
    (
        {"analyst_failures": 6},
        {"analyst_failures": 5},
        Gate(
            "analyst_failures",
            codes.ANALYST_FAILURES(cycles=6),
            T + CYCLE_MS,
        ),
    ),
    (
        {"tokens": 20_000_000},
        {"tokens": 19_999_999},
        Gate(
            "analyst_budget",
            codes.PLATFORM_TOKENS(tokens=20000000, limit=20000000),
            MIDNIGHT,
        ),
    ),
    (
        {"cost": D("20.004")},
        {"cost": D("19.99")},
        Gate("analyst_budget", codes.PLATFORM_COST(cost=20, limit=20), MIDNIGHT),
    ),
]


@pytest.mark.parametrize(("shut", "open_", "gate"), PLATFORM, ids=[row[2].kind for row in PLATFORM])
def test_each_limit_of_the_platform_is_a_gate_and_is_open_just_before(
    shut: dict[str, Any], open_: dict[str, Any], gate: Gate
) -> None:
    assert platform_gates(use(**shut), PlatformLimits(), T) == (gate,)
    assert platform_gates(use(**open_), PlatformLimits(), T) == ()


def test_a_platform_without_history_meets_no_gate() -> None:
    assert platform_gates(use(equity=D(0), day_start_equity=D(0)), PlatformLimits(), T) == ()


def test_a_platforms_gate_refuses_the_accounts_entry_and_not_its_exit() -> None:
    known: dict[str, Any] = {"platform": platform_gates(use(entries=10_000), PlatformLimits(), T)}
    why = codes.PLATFORM_ENTRIES(entries=10_000, limit=10_000)
    assert decide(decision(), facts(**known), settings(), instrument(), REF, T).reason == why
    turned = decide(decision("sell"), facts(qty=D("0.5"), **known), settings(), instrument(), REF, T)
    assert (turned.outcome, turned.reason) == ("closed", codes.CLOSED_NOT_TURNED(why=why))


def test_a_lock_that_outlives_its_figure_still_refuses() -> None:
    why = entry_refusal(decision(), "buy", facts(locks=("daily_loss",)), settings(), instrument(), T)
    assert why == codes.ENTRIES_LOCKED(locks="daily_loss")


def test_a_gate_that_stands_says_its_figures_although_it_is_locked_already() -> None:
    known = facts(entries_today=12, locks=("entries",))
    assert entry_refusal(decision(), "buy", known, settings(), instrument(), T) == codes.ENTRIES_OF_DAY(
        entries=12, limit=12
    )


def test_the_accounts_own_budget_can_be_asked_for_alone() -> None:
    assert budget_gates(1_999_999, Limits(), T) == ()
    (gate,) = budget_gates(50, limits(analyst_tokens=50), T)
    assert gate == Gate("analyst_budget", codes.ANALYST_TOKENS(tokens=50, limit=50), MIDNIGHT)


def test_every_kind_says_when_it_ends_and_only_losses_and_hands_end_by_a_person() -> None:
    assert set(UNLOCK_RULES) == set(get_args(GateKind))
    assert {kind for kind, rule in UNLOCK_RULES.items() if "a person" in english(rule)} == ENDED_BY_A_PERSON
    assert {"drawdown", "loss_streak", "external"} == ENDED_BY_A_PERSON


@given(st.integers(0, FOREVER_MS))
def test_a_day_ends_at_the_next_utc_midnight(at_ms: int) -> None:
    end = midnight_after(at_ms)
    assert end % 86_400_000 == 0
    assert 0 < end - at_ms <= 86_400_000


@thousands
@given(any_facts(), any_limits)
def test_a_gate_always_ends_later_and_has_one_row_a_kind(known: Facts, caps: Limits) -> None:
    gates = locking_gates(known, caps, T)
    assert all(gate.until_ms > T for gate in gates)
    assert len({gate.kind for gate in gates}) == len(gates)
    assert all(gate.kind in UNLOCK_RULES for gate in gates)


@thousands
@given(any_facts(), any_limits, any_limits)
def test_stricter_limits_never_open_a_gate(known: Facts, one: Limits, other: Limits) -> None:
    names = [field.name for field in fields(Limits)]
    strict = Limits(
        **{name: (max if name == "cooldown_ms" else min)(getattr(one, name), getattr(other, name)) for name in names}
    )
    shut = {gate.kind for gate in (*locking_gates(known, one, T), *locking_gates(known, other, T))}
    assert shut <= {gate.kind for gate in locking_gates(known, strict, T)}


@thousands
@given(any_facts(), entering, any_settings, any_instruments, decimals("1", "200000", 1))
def test_whatever_is_locked_or_gated_is_never_entered(
    known: Facts, view: Decision, chosen: AccountSettings, rule: Instrument, ref: Decimal
) -> None:
    if known.locks or known.platform or locking_gates(known, chosen.limits, T):
        assert all(draft.reduce_only for draft in decide(view, known, chosen, rule, ref, T).orders)


platform_uses = st.builds(
    PlatformFacts,
    entries=st.integers(0, 20_000),
    exposure=decimals("0", "10000000", 2),
    equity=decimals("-1000", "1000000", 2),
    day_start_equity=decimals("0", "1000000", 2),
    tokens=st.integers(0, 40_000_000),
    cost=decimals("0", "40", 4),
    analyst_failures=st.integers(0, 12),
)


@thousands
@given(platform_uses)
def test_a_platform_over_any_of_its_limits_is_gated_and_under_all_of_them_is_not(seen: PlatformFacts) -> None:
    caps = PlatformLimits()
    over = [
        seen.entries >= caps.entries_per_day,
        seen.exposure >= caps.max_exposure,
        seen.day_start_equity > 0 and seen.equity <= seen.day_start_equity * (1 - caps.daily_loss),
        seen.tokens >= caps.analyst_tokens,
        seen.cost >= caps.analyst_cost,
        seen.analyst_failures >= caps.analyst_failures,
    ]
    assert bool(platform_gates(seen, caps, T)) is any(over)


@pytest.mark.parametrize("pool", POOLS)
def test_a_stored_lock_of_the_platform_holds_for_its_pool_alone(pool: Pool) -> None:
    stored = [platform_kind(which, kind) for which in POOLS for kind in ("entries", "daily_loss")]
    assert len(set(stored)) == 4
    assert kinds_of(pool, stored) == ("entries", "daily_loss")
    assert kinds_of(pool, [platform_kind(other, "entries") for other in POOLS if other != pool]) == ()
