"""
A shadow: another version or model that answers the same windows as the trading one, and trades nothing. Pure.

What a shadow is never changes: another version or model is another shadow, so that each of its answers says whose it
is. Its budget is its own, and spread over the day, so that the first hours do not use it up; two shadows of one budget
are asked at the same T. This module knows no prompts, no orders and no answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, PlatformLimits
from lib.domain.candle import MINUTE_MS
from lib.domain.day import DAY_MS
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING, Reason
from lib.domain.strategy import Strategy, settings_with

USUAL_CALLS = 96
USUAL_USD = Decimal("0.25")
MOST_CALLS = 2_000
MOST_USD = Decimal(100)
USD_PLACES = 6
ShadowState = Literal["asked", "answered", "dropped"]
SHADOW_STATES: tuple[ShadowState, ...] = ("asked", "answered", "dropped")
"""What became of a shadow at one T: *asked* = under way, or its process ended before the answer came."""


@dataclass(frozen=True, slots=True)
class ShadowBudget:
    """The most a shadow may be asked, and may cost in USD, on a UTC day, over all symbols of its account."""

    calls: int = USUAL_CALLS
    usd: Decimal = USUAL_USD

    @property
    def is_offered(self) -> bool:
        """Whether a shadow may have it."""
        exponent = self.usd.as_tuple().exponent  # NaN compares with an exception, not with False
        is_money = isinstance(exponent, int) and exponent >= -USD_PLACES and 0 <= self.usd <= MOST_USD
        return is_money and 1 <= self.calls <= MOST_CALLS


@dataclass(frozen=True, slots=True)
class Shadow:
    """
    One of a person's shadows: *content* is what it asks, the model it was given in its place. *version_id* 0 = the
    original design; *model* "" = the version's own models.
    """

    shadow_id: int
    user_id: int
    version_id: int
    model: str
    content: Strategy
    budget: ShadowBudget


@dataclass(frozen=True, slots=True)
class ShadowUse:
    """What was asked on a UTC day, and the cost in USD as far as it is known."""

    calls: int = 0
    usd: Decimal = ZERO

    def plus(self, usd: Decimal | None = None) -> "ShadowUse":
        """With one more call."""
        return ShadowUse(self.calls + 1, self.usd + (usd or ZERO))


@dataclass(frozen=True, slots=True)
class ShadowStake:
    """What a person's running shadows may use together on a UTC day, and what all of theirs *used*."""

    budget: ShadowBudget
    used: ShadowUse = ShadowUse()

    def reserved(self, limits: PlatformLimits, people: int) -> ShadowUse:
        """What of the platform's bounds is theirs among *people*: an equal share, as far as they ask for it."""
        calls = min(limits.shadow_calls // people, self.budget.calls)
        usd = min(limits.shadow_cost / people, self.budget.usd)
        return ShadowUse(max(calls, self.used.calls), max(usd, self.used.usd))


@dataclass(frozen=True, slots=True)
class ShadowTry:
    """
    One shadow at one T about one symbol of its account. *beside_id* is the call of the trading version it stands
    beside.
    """

    shadow_id: int
    user_id: int
    account_id: int
    symbol: str
    t_ms: int
    beside_id: int


@dataclass(frozen=True, slots=True)
class ShadowEnd:
    """
    What became of a try: the answer's *cycle_id*, or *why* it was dropped. *usd* is the person's part of what it cost,
    None where no price is known; *is_shared* = the answer was there, asked for somebody else.
    """

    cycle_id: int | None = None
    why: Reason = NOTHING
    usd: Decimal | None = None
    is_shared: bool = False

    @property
    def state(self) -> ShadowState:
        """Dropped with a reason, else answered."""
        return "dropped" if self.why else "answered"


def with_model(content: Strategy, model: str) -> Strategy:
    """*content* as *model* is to answer it; "" = its own models."""
    return replace(content, model=model, fallback=()) if model else content


def question_of(content: Strategy) -> tuple[object, ...]:
    """What of *content* the analyst is told, and who is asked: versions that are equal here ask the same."""
    cap = settings_with(content, AccountSettings()).profile.leverage_cap
    asked = (content.system, content.instructions, content.inputs, content.risk_level, content.answer_version)
    return (content.chain, cap, *asked)


def is_turn(budget: ShadowBudget, symbol: str, symbols: Sequence[str], t_ms: int, cadence_min: int) -> bool:
    """
    Whether T is one of those at which a shadow of *budget* is asked about *symbol*, one of its account's *symbols*,
    which is decided every *cadence_min* minutes: its calls are spread evenly over the UTC day.
    """
    slots = DAY_MS // (cadence_min * MINUTE_MS)
    ranked = sorted(symbols)
    share, left = divmod(budget.calls, len(ranked))
    wanted = min(share + (ranked.index(symbol) < left), slots)
    slot = t_ms % DAY_MS // (cadence_min * MINUTE_MS)
    return (slot + 1) * wanted // slots > slot * wanted // slots


def over_budget(budget: ShadowBudget, used: ShadowUse) -> Reason:
    """Why a shadow that *used* so much of *budget* is asked no more on that day; `NOTHING` = it may be."""
    if used.calls >= budget.calls:
        return codes.SHADOW_CALLS_USED_UP(limit=budget.calls)
    return codes.SHADOW_USD_USED_UP(limit=budget.usd) if used.usd >= budget.usd else NOTHING


def over_share(limits: PlatformLimits, stakes: Mapping[int, ShadowStake], user_id: int, *, is_own: bool) -> Reason:
    """
    Why a person leaves what is left of the platform's bounds to the others of *stakes*; `NOTHING` = they need not. What
    others do not ask for is free. A call of the person's own model costs the platform no USD.
    """
    mine, people = stakes[user_id].used, len(stakes)
    kept = [one.reserved(limits, people) for other, one in stakes.items() if other != user_id]
    calls = mine.calls + sum(one.calls for one in kept)
    usd = mine.usd + sum((one.usd for one in kept), ZERO)
    is_full = calls >= limits.shadow_calls or (usd >= limits.shadow_cost and not is_own)
    return codes.SHADOW_SHARE_USED_UP(people=people) if is_full else NOTHING


def over_platform(limits: PlatformLimits, used: ShadowUse) -> Reason:
    """The same of all shadows together."""
    if {"shadow_calls", "shadow_cost"} & set(limits.unreadable):
        return codes.PLATFORM_LIMIT_UNREADABLE()
    is_full = used.calls >= limits.shadow_calls or used.usd >= limits.shadow_cost
    return codes.SHADOW_PLATFORM_USED_UP() if is_full else NOTHING
