"""
A person's exchange account: venue, feed, settings and limits.

Feeds name where a deployment's candles come from; venues name whose exchange an account trades on. An account may only
trade where its venue's prices are its feed's prices. Limits are caps in code, on by default, outside every prompt.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from lib.domain.decision import AnswerVersion
from lib.domain.exit_rules import NO_RULES, ExitRules
from lib.domain.input_blocks import Block

Venue = Literal["paper", "demo", "testnet", "mainnet"]
VENUES: tuple[Venue, ...] = ("paper", "demo", "testnet", "mainnet")

Pool = Literal["exchange", "paper"]
"""The accounts whose use counts together in the platform's limits: those at real exchanges, or those on paper."""
POOLS: tuple[Pool, ...] = ("exchange", "paper")
Doubt = Literal["uid", "rights", "cross_margin"]
DOUBTS: tuple[Doubt, ...] = ("uid", "rights", "cross_margin")
"""
What the venue did not tell or set for an account that is accepted all the same, in demo trading alone: the account's
uid, the rights of its key, and isolated margin.
"""

Slot = tuple[int, str]
"""An account's id and one symbol of it: where one position of ours may be open."""

MAX_CUSTOM_PROMPT = 4_000
"""Characters of a person's own prompt that reach the analyst."""
MAX_SYSTEM = 4_000
"""Characters of a strategy's own system text that reach the analyst."""
CADENCES = (5, 15, 60)
"""Minutes between two decisions of an account, counted from the full hour."""


MOST_GUESTS = 50
"""Guests that exist at once, unless the operator says otherwise: each guest is served in every cycle."""

Colours = Literal["language", "red_up", "green_up"]
"""The colour of a rise: by the person's language, red as in Korea, green as elsewhere."""
Theme = Literal["system", "light", "dark"]
"""A light or a dark page; *system* is as the device has it."""
Numbers = Literal["point", "comma", "space"]
"""How pages write numbers: `1,234.5`, `1.234,5`, `1 234,5` (a narrow space that never breaks)."""
NUMBERS: Numbers = "point"
"""Of who chose none."""


class RiskLevel(StrEnum):
    """The original design's three levels."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class RiskProfile:
    """The meaning of a risk level: share of equity risked to the stop, leverage cap, least confidence that trades."""

    risk_per_trade: Decimal
    leverage_cap: int
    min_confidence: Decimal


RISK_PROFILES: dict[RiskLevel, RiskProfile] = {
    RiskLevel.LOW: RiskProfile(Decimal("0.005"), 3, Decimal("0.75")),
    RiskLevel.MEDIUM: RiskProfile(Decimal("0.01"), 10, Decimal("0.65")),
    RiskLevel.HIGH: RiskProfile(Decimal("0.02"), 25, Decimal("0.55")),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard caps per account. Fractions are of equity; times in ms; counts per UTC day or in a row."""

    daily_loss: Decimal = Decimal("0.05")
    drawdown: Decimal = Decimal("0.20")
    loss_streak: int = 5
    entries_per_day: int = 12
    cooldown_ms: int = 900_000
    max_exposure: Decimal = Decimal(3)
    """Notional of the positions of one direction as a multiple of equity: see *correlation*."""
    max_margin: Decimal = Decimal("0.5")
    """Isolated margin of all positions as a share of the balance that would be free without them."""
    analyst_failures: int = 6
    analyst_tokens: int = 2_000_000
    """Analyst tokens behind this account's decisions per UTC day."""
    max_positions: int = 3
    """Positions open at once, in all symbols."""
    correlation: Decimal = Decimal(1)
    """
    How much of the account's other positions of the same direction counts against *max_exposure*: 1 = wholly, for
    coins that rise and fall together; 0 = each position by itself.
    """


NO_PERSON_CAP = Decimal(100_000)
"""The most that a cap of a person may be: nobody is capped."""


@dataclass(frozen=True, slots=True)
class PlatformLimits:
    """
    Caps over all accounts of a deployment, on by default. Fractions are of summed equity, counts per UTC day.

    Money of *max_exposure* in USDT, every cost in USD.
    """

    daily_loss: Decimal = Decimal("0.10")
    max_exposure: Decimal = Decimal(5_000_000)
    entries_per_day: int = 10_000
    analyst_failures: int = 6
    analyst_tokens: int = 20_000_000
    analyst_cost: Decimal = Decimal(20)
    guest_tokens: int = 1_000_000
    """Analyst tokens a day for all guests together."""
    person_cost: Decimal = NO_PERSON_CAP
    """What one person's part of the operator's models may cost a day."""
    shadows: int = 3
    """Shadows one person may have running at once."""
    shadow_calls: int = 5_000
    """Calls a day for all shadows together."""
    shadow_cost: Decimal = Decimal(2)
    """What all shadows together may cost the operator a day."""
    past_calls: int = 5_000
    """Questions a day about the past (`lib.domain.quarantine`) for everybody together."""
    past_cost: Decimal = Decimal(2)
    """What all of them may cost the operator a day."""
    past_person_calls: int = 2_000
    past_person_cost: Decimal = Decimal(1)
    """The same of one person."""
    past_unpriced_calls: int = 300
    """Questions a day for everybody together to models of the operator whose price nobody knows."""
    unreadable: tuple[str, ...] = ()
    """The limits an operator set by a row that cannot be read: while there is one, there are no entries."""

    def of(self, pool: Pool, pools: frozenset[Pool]) -> "PlatformLimits":
        """
        The limits of *pool* in a deployment that serves *pools*.

        Use counts in its own pool alone. The analyst is one bill, though: where both pools are served, a quarter of
        the analyst's budget is paper's, so that the sum stays the operator's.
        """
        if len(pools) < len(POOLS):
            return self
        tokens, cost = self.analyst_tokens // 4, self.analyst_cost / 4
        if pool == "exchange":
            tokens, cost = self.analyst_tokens - tokens, self.analyst_cost - cost
        return replace(self, analyst_tokens=tokens, analyst_cost=cost)


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """The owner's choices. *risk_per_trade* and *min_confidence* may only be stricter than the risk level's."""

    risk_level: RiskLevel = RiskLevel.MEDIUM
    max_leverage: int = 10
    custom_prompt: str = ""
    long_only: bool = False
    risk_per_trade: Decimal | None = None
    min_confidence: Decimal | None = None
    limits: Limits = field(default_factory=Limits)
    system: str = ""
    """How the analyst is to trade, in a strategy's own words; "" = the original design's."""
    cadence_min: int = 5
    """Minutes between two decisions: one of `CADENCES`."""
    inputs: tuple[Block, ...] = ()
    """What the analyst is shown beside the design's candles."""
    models: tuple[str, ...] = ()
    """Which models of the lists are asked, in order; () = the environment's."""
    answer_version: AnswerVersion = 1
    """What the analyst may answer: 1 = the original design's buy, sell and hold; see `lib.domain.decision`."""
    exits: ExitRules = NO_RULES
    """What is done by rule with the positions that are entered from now on."""

    @property
    def profile(self) -> RiskProfile:
        """The level's profile with the owner's stricter choices applied; a looser one is ignored."""
        level = RISK_PROFILES[self.risk_level]
        # a chosen 0 is the strictest choice, not a missing one
        risk = level.risk_per_trade if self.risk_per_trade is None else self.risk_per_trade
        confidence = level.min_confidence if self.min_confidence is None else self.min_confidence
        return RiskProfile(
            min(level.risk_per_trade, risk),
            min(level.leverage_cap, self.max_leverage),
            max(level.min_confidence, confidence),
        )
