"""
What a person may choose: pure. The level and the default limits are caps, so every choice is that or stricter.
"""

from dataclasses import fields
from decimal import Decimal

from lib.accounts.web import Refusal
from lib.domain.account import CADENCES, MAX_CUSTOM_PROMPT, MAX_SYSTEM, RISK_PROFILES, AccountSettings, Limits
from lib.domain.input_blocks import are_offered
from lib.domain.model_profile import MOST_IN_CHAIN, is_chain
from lib.domain.spelling import is_prose

MOST_LEVERAGE = max(profile.leverage_cap for profile in RISK_PROFILES.values())
MOST_PLACES = 8
"""Of a fraction a person may choose."""
LONGEST_COOLDOWN_MS = 24 * 3_600_000
LOOSER_WHEN_LESS = ("cooldown_ms", "correlation")
"""Limits of which the smaller is the looser; every other one is stricter when it is smaller."""


def settings_refusal(settings: AccountSettings) -> Refusal | None:
    """Why *settings* cannot be saved, or None."""
    if not 1 <= settings.max_leverage <= MOST_LEVERAGE:
        return Refusal("refuse.settings.leverage", most=MOST_LEVERAGE)
    if len(settings.custom_prompt) > MAX_CUSTOM_PROMPT:
        return Refusal("refuse.settings.prompt", most=MAX_CUSTOM_PROMPT, n=len(settings.custom_prompt))
    if len(settings.system) > MAX_SYSTEM:
        return Refusal("refuse.settings.system", most=MAX_SYSTEM, n=len(settings.system))
    if not is_prose(settings.custom_prompt) or not is_prose(settings.system):
        return Refusal("refuse.settings.unseen")
    if settings.cadence_min not in CADENCES:
        return Refusal("refuse.settings.cadence")
    if not are_offered(settings.inputs) or not settings.exits.is_offered:
        return Refusal("refuse.strategy.offer")
    if settings.models and not is_chain(settings.models):
        return Refusal("refuse.model.chain", most=MOST_IN_CHAIN)
    return _profile_refusal(settings) or _limits_refusal(settings.limits)


def _profile_refusal(settings: AccountSettings) -> Refusal | None:
    level = RISK_PROFILES[settings.risk_level]
    risk, confidence = settings.risk_per_trade, settings.min_confidence
    if risk is not None and not _between(risk, Decimal(0), level.risk_per_trade):
        return Refusal("refuse.settings.risk", most=str(level.risk_per_trade))
    if confidence is not None and not _between(confidence, level.min_confidence, Decimal(1)):
        return Refusal("refuse.settings.confidence", least=str(level.min_confidence))
    return None


def _limits_refusal(limits: Limits) -> Refusal | None:
    caps = Limits()
    if not caps.cooldown_ms <= limits.cooldown_ms <= LONGEST_COOLDOWN_MS:
        return Refusal("refuse.settings.limit", name="cooldown_ms", least=caps.cooldown_ms, most=LONGEST_COOLDOWN_MS)
    for name in (field.name for field in fields(Limits) if field.name != "cooldown_ms"):
        most = Decimal(getattr(caps, name))
        if not _between(Decimal(getattr(limits, name)), Decimal(0), most):
            return Refusal("refuse.settings.limit", name=name, least=0, most=str(most))
    return None


def _between(value: Decimal, least: Decimal, most: Decimal) -> bool:
    # NaN compares with an exception, not with False; 1E-300000000 is small and a page of 300 million characters
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_PLACES and least <= value <= most


def loosens(before: AccountSettings, after: AccountSettings) -> bool:
    """Whether *after* lets anything through that *before* did not: a level, a cap or a limit."""
    old, new = before.profile, after.profile
    return (
        new.risk_per_trade > old.risk_per_trade
        or new.leverage_cap > old.leverage_cap
        or new.min_confidence < old.min_confidence
        or (before.long_only and not after.long_only)
        or _any_limit_is_looser(before.limits, after.limits)
    )


def _any_limit_is_looser(before: Limits, after: Limits) -> bool:
    names = (field.name for field in fields(Limits) if field.name not in LOOSER_WHEN_LESS)
    return any(getattr(after, n) < getattr(before, n) for n in LOOSER_WHEN_LESS) or any(
        getattr(after, n) > getattr(before, n) for n in names
    )
