"""
One call of the analyst: what is asked, what was answered, and the cycle it belongs to.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain.decision import Abstained, Decision


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one prompt group sends; *user* is JSON text with candles, risk level and leverage cap."""

    system: str
    user: str
    model: str


@dataclass(frozen=True, slots=True)
class AnalystAnswer:
    """
    The answer as read. *raw* at most 8,192 characters; *failed* = no answer came at all (timeout, 429, 5xx), and *raw*
    is what the provider said instead. Tokens that the provider does not tell are estimated.
    """

    decision: Decision | Abstained
    raw: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    failed: bool
    cost: Decimal | None = None
    """What the call cost in USD, None when no price is known."""


@dataclass(frozen=True, slots=True)
class CycleKey:
    """One analyst call: *prompt_group* is the sha256 (hex) of everything that makes prompts equal."""

    feed: str
    symbol: str
    interval_s: int
    t_ms: int
    prompt_group: str


AskedFor = Literal["exchange", "paper", "guests"]
"""Whom the analyst was asked for: somebody on a real exchange, nobody but with paper money, guests alone."""


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """What was asked and answered, stored once. *decision_json* is the parsed decision or the abstention."""

    key: CycleKey
    prompt: str
    candles: str
    answer: AnalystAnswer
    asked_for: AskedFor = "exchange"
    """On whose budget it goes."""
