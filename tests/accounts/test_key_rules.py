"""Which keys and settings are taken: pure rules, the dangerous flaws first."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lib.accounts import key_gate
from lib.accounts.key_gate import hands_flaw, rights_flaw, shape_flaw
from lib.accounts.settings_rules import settings_refusal
from lib.domain.account import RISK_PROFILES, AccountSettings, Limits, RiskLevel
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.order import order_link_id
from tests.factories import INSTALLATION, T, limits, settings

GOOD = KeyInfo("1", True, False, False, False, True, (), 0)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({}, None),
        ({"expires_at": T + 1}, None),
        ({"may_withdraw": True, "read_only": True}, key_gate.WITHDRAW),
        ({"may_transfer": True}, key_gate.TRANSFER),
        ({"read_only": True, "may_trade": False}, key_gate.READ_ONLY),
        ({"may_trade": False}, key_gate.NO_TRADE),
        ({"unified": False}, key_gate.NOT_UNIFIED),
        ({"expires_at": T}, key_gate.EXPIRED),
    ],
)
def test_a_key_may_trade_and_take_nothing_away(changes: dict[str, Any], flaw: object) -> None:
    assert rights_flaw(replace(GOOD, **changes), T) is flaw


@pytest.mark.parametrize("text", ["", "short", "with a blank", "한글열쇠열쇠열쇠", "x" * 201, "line\nline1"])
def test_what_is_no_key_is_not_sent_anywhere(text: str) -> None:
    assert shape_flaw(ApiKey(text, "s" * 20)) is key_gate.SHAPE
    assert shape_flaw(ApiKey("k" * 20, text)) is key_gate.SHAPE
    assert shape_flaw(ApiKey("k" * 18, "s" * 36)) is None


def test_only_another_installations_mark_is_another_hand() -> None:
    ours, theirs = (order_link_id(name, T, 1, 1, "e", 0) for name in (INSTALLATION, "other"))
    assert hands_flaw([ours, "", "my-own-order", "mm-not-an-id"], INSTALLATION) is None
    assert hands_flaw([ours, theirs], INSTALLATION) is key_gate.OTHER_HAND


@given(st.sampled_from(RiskLevel), st.decimals("0", "0.1", places=4), st.decimals("0", "1", places=2))
def test_a_choice_is_the_levels_or_stricter(level: RiskLevel, risk: Decimal, confidence: Decimal) -> None:
    refusal = settings_refusal(AccountSettings(level, risk_per_trade=risk, min_confidence=confidence))
    profile = RISK_PROFILES[level]
    stricter = risk <= profile.risk_per_trade and confidence >= profile.min_confidence
    assert (refusal is None) == stricter


@pytest.mark.parametrize(
    ("chosen", "key"),
    [
        (settings(max_leverage=0), "refuse.settings.leverage"),
        (settings(max_leverage=26), "refuse.settings.leverage"),
        (settings(custom_prompt="x" * 4_001), "refuse.settings.prompt"),
        (settings(risk_per_trade=Decimal("NaN")), "refuse.settings.risk"),
        (settings(min_confidence=Decimal("Infinity")), "refuse.settings.confidence"),
        (settings(limits=limits(daily_loss=Decimal("0.06"))), "refuse.settings.limit"),
        (settings(limits=limits(loss_streak=6)), "refuse.settings.limit"),
        (settings(limits=limits(cooldown_ms=0)), "refuse.settings.limit"),
        (settings(limits=limits(max_exposure=Decimal(-1))), "refuse.settings.limit"),
        (settings(limits=limits(analyst_tokens=2_000_001)), "refuse.settings.limit"),
    ],
)
def test_a_looser_or_senseless_choice_is_refused(chosen: AccountSettings, key: str) -> None:
    refusal = settings_refusal(chosen)
    assert refusal is not None
    assert refusal.key == key


def test_the_defaults_and_stricter_limits_are_taken() -> None:
    assert settings_refusal(AccountSettings()) is None
    assert settings_refusal(settings(limits=limits(daily_loss=Decimal("0.01"), entries_per_day=0))) is None


def nearby(value: Decimal) -> st.SearchStrategy[Decimal]:
    """Around the cap *value*: below, at and above it, and what is no number."""
    shares = st.decimals("-0.5", "2", places=2).map(lambda share: share * value)
    return shares | st.just(value) | st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])


def counts(value: int) -> st.SearchStrategy[int]:
    return st.integers(-2, 2 * value)


wished = st.builds(
    Limits,
    daily_loss=nearby(Limits().daily_loss),
    drawdown=nearby(Limits().drawdown),
    loss_streak=counts(Limits().loss_streak),
    entries_per_day=counts(Limits().entries_per_day),
    cooldown_ms=st.integers(0, 100_000_000),
    max_exposure=nearby(Limits().max_exposure),
    max_margin=nearby(Limits().max_margin),
    analyst_failures=counts(Limits().analyst_failures),
    analyst_tokens=counts(Limits().analyst_tokens),
)


@given(wished)
def test_no_limit_an_owner_can_save_is_looser_than_the_platforms(wish: Limits) -> None:
    refused = settings_refusal(settings(limits=wish)) is not None
    caps = Limits()
    looser = [wish.cooldown_ms < caps.cooldown_ms, wish.cooldown_ms > 86_400_000]
    for name in (field.name for field in fields(Limits) if field.name != "cooldown_ms"):
        value, cap = Decimal(getattr(wish, name)), Decimal(getattr(caps, name))
        looser.append(not value.is_finite() or value < 0 or value > cap)
    event("refused" if refused else "taken")
    assert refused is any(looser)


@given(st.sampled_from([field.name for field in fields(Limits)]), st.decimals("0", "1", places=3))
def test_each_limit_alone_can_be_made_stricter(name: str, share: Decimal) -> None:
    usual = getattr(Limits(), name)
    stricter = type(usual)(usual * (1 + share)) if name == "cooldown_ms" else type(usual)(usual * share)
    assert settings_refusal(settings(limits=limits(**{name: stricter}))) is None
