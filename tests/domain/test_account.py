"""Accounts: an owner may only be stricter than the level, and trades only where the feed's prices are the venue's."""

from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.account import (
    POOLS,
    RISK_PROFILES,
    VENUES,
    AccountSettings,
    Limits,
    PlatformLimits,
    Pool,
    RiskLevel,
    RiskProfile,
    Venue,
)
from lib.domain.venues import feed_fits, pool_of
from tests.factories import settings

fractions = st.decimals(min_value=0, max_value=1, places=4)


@given(st.sampled_from(RiskLevel), st.none() | fractions, st.none() | fractions, st.integers(1, 125))
def test_an_owners_choice_is_taken_when_stricter_and_ignored_when_looser(
    level: RiskLevel, risk: Decimal | None, confidence: Decimal | None, leverage: int
) -> None:
    base = RISK_PROFILES[level]
    chosen = settings(level, risk_per_trade=risk, min_confidence=confidence, max_leverage=leverage).profile
    assert chosen.risk_per_trade == (risk if risk is not None and risk < base.risk_per_trade else base.risk_per_trade)
    assert chosen.min_confidence == (
        confidence if confidence is not None and confidence > base.min_confidence else base.min_confidence
    )
    assert chosen.leverage_cap == (leverage if leverage < base.leverage_cap else base.leverage_cap)


def test_a_risk_of_zero_is_the_strictest_choice_and_not_a_missing_one() -> None:
    assert settings(risk_per_trade=Decimal(0)).profile.risk_per_trade == 0


def test_the_levels_are_the_published_ones() -> None:
    assert set(RISK_PROFILES) == set(RiskLevel)
    assert RISK_PROFILES[RiskLevel.LOW] == RiskProfile(Decimal("0.005"), 3, Decimal("0.75"))
    assert RISK_PROFILES[RiskLevel.MEDIUM] == RiskProfile(Decimal("0.01"), 10, Decimal("0.65"))
    assert RISK_PROFILES[RiskLevel.HIGH] == RiskProfile(Decimal("0.02"), 25, Decimal("0.55"))


def test_every_limit_is_on_by_default_and_published() -> None:
    assert Limits() == Limits(
        daily_loss=Decimal("0.05"),
        drawdown=Decimal("0.20"),
        loss_streak=5,
        entries_per_day=12,
        cooldown_ms=900_000,
        max_exposure=Decimal(3),
        max_margin=Decimal("0.5"),
        analyst_failures=6,
        analyst_tokens=2_000_000,
    )
    assert PlatformLimits() == PlatformLimits(
        daily_loss=Decimal("0.10"),
        max_exposure=Decimal(5_000_000),
        entries_per_day=10_000,
        analyst_failures=6,
        analyst_tokens=20_000_000,
        analyst_cost=Decimal(20),
    )


def test_nobody_chooses_the_medium_level_ten_times_both_sides_without_a_prompt() -> None:
    plain = AccountSettings()
    assert (plain.risk_level, plain.max_leverage, plain.custom_prompt, plain.long_only) == ("medium", 10, "", False)
    assert plain.profile == RISK_PROFILES[RiskLevel.MEDIUM]
    assert plain.limits == Limits()


FITS: dict[str, set[Venue]] = {
    "synthetic": {"paper"},
    "replay:history.csv.gz": {"paper"},
    "bybit": {"paper", "demo", "mainnet"},
    "bybit-testnet": {"testnet"},
    "": {"paper"},
    "mainnet": {"paper"},
    "BYBIT": {"paper"},
    "bybit ": {"paper"},
}


@pytest.mark.parametrize("feed", FITS)
def test_a_feed_trades_only_on_the_venues_that_have_its_prices(feed: str) -> None:
    assert {venue for venue in VENUES if feed_fits(feed, venue)} == FITS[feed]


@given(st.text().filter(lambda feed: feed not in ("bybit", "bybit-testnet")), st.sampled_from(VENUES))
def test_an_unknown_feed_never_moves_real_money(feed: str, venue: Venue) -> None:
    assert feed_fits(feed, venue) is (venue == "paper")


def test_settings_do_not_change_under_a_cycle() -> None:
    with pytest.raises(FrozenInstanceError):
        settings().max_leverage = 100  # type: ignore[misc]


@pytest.mark.parametrize("pools", [frozenset({"paper"}), frozenset({"exchange"}), frozenset()])
def test_a_deployment_of_one_pool_has_the_whole_analyst_budget_for_it(pools: frozenset[Pool]) -> None:
    assert PlatformLimits().of("paper", pools) == PlatformLimits().of("exchange", pools) == PlatformLimits()


def test_where_both_are_served_the_two_budgets_are_the_operators_together() -> None:
    whole = PlatformLimits(analyst_tokens=1_000_003)
    real, paper = (whole.of(pool, frozenset(POOLS)) for pool in POOLS)
    assert (real.analyst_tokens + paper.analyst_tokens, paper.analyst_tokens) == (1_000_003, 250_000)
    assert (real.analyst_cost + paper.analyst_cost, paper.analyst_cost) == (whole.analyst_cost, whole.analyst_cost / 4)
    assert replace(real, analyst_tokens=0, analyst_cost=Decimal(0)) == replace(
        whole, analyst_tokens=0, analyst_cost=Decimal(0)
    )


@pytest.mark.parametrize(("venue", "pool"), [("paper", "paper"), *((v, "exchange") for v in VENUES if v != "paper")])
def test_paper_is_a_pool_of_its_own(venue: Venue, pool: Pool) -> None:
    assert pool_of(venue) == pool
