"""
One call of the analyst: the prompt, the answer, and the cycle the call belongs to.
"""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from lib.domain.decision import Abstained, AnswerVersion, Decision


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of one prompt group; *user* is JSON text with candles, risk level and leverage cap."""

    system: str
    user: str
    model: str
    answer_version: AnswerVersion = 1
    """What the answer may say, as the system message tells it."""


@dataclass(frozen=True, slots=True)
class AnalystAnswer:
    """
    The analyst's answer as read. *raw* at most 8,192 characters; *failed* = no answer came at all (timeout, 429, 5xx),
    and *raw* is the provider's text instead. Tokens that the provider does not tell are estimated.
    """

    decision: Decision | Abstained
    raw: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    failed: bool
    cost: Decimal | None = None
    """The cost of the call in USD, None when no price is known."""
    cached_tokens: int = 0
    """Of the *prompt_tokens*, those the provider had kept from an earlier question."""


@dataclass(frozen=True, slots=True)
class CycleKey:
    """One analyst call: *prompt_group* is the sha256 (hex) of everything that makes prompts equal."""

    feed: str
    symbol: str
    interval_s: int
    t_ms: int
    prompt_group: str


AskedFor = Literal["exchange", "paper", "guests", "own", "shadow"]
"""
The accounts a call was made for: at least one at a real exchange, paper accounts only, guests only; *own* = one
person's, who pays for it, so that it is on no budget of the platform. *shadow* = nobody's: no account trades by it.
"""
SHADOW: AskedFor = "shadow"


def shadow_of(digest: str) -> str:
    """
    *digest* (a prompt group, or what is asked; hex) as a shadow's call has it: another than any call's that accounts
    trade by, so that what looks for theirs finds none of these.
    """
    return sha256(f"shadow {digest}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ModelCall:
    """
    One question to one model of a chain. *name* is the list's, *owner_id* who pays (0 = the operator), *answer* what
    came, with its tokens and cost; an answer that failed is one too.
    """

    name: str
    owner_id: int
    answer: AnalystAnswer


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """A call's prompt and answer, stored once. *decision_json* is the parsed decision or the abstention."""

    key: CycleKey
    prompt: str
    candles: str
    answer: AnalystAnswer
    asked_for: AskedFor = "exchange"
    """Whose analyst budget the call's tokens count on."""
    asked_sha256: str = ""
    """Of what the strategy asks, equal at every T; "" = not told."""
    inputs: str = ""
    """The blocks shown beside the candles, as `lib.domain.input_blocks.shown_text` writes them."""
    calls: tuple[ModelCall, ...] = ()
    """The questions behind *answer*, in the order of the chain; the last one answered, or failed last."""
    people: int = 1
    """The people it was asked for, who share its cost in equal parts."""
    asker: str = ""
    """The process that asked, so that a repeated record counts nothing twice."""

    @property
    def sent_sha256(self) -> str:
        """The hash of *prompt* (hex)."""
        return sha256(self.prompt.encode()).hexdigest()
