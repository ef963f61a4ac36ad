"""
A model asked about the past: what it costs, whose budget that is, and which answer is the same answer. Pure.

A model may remember the prices it is asked about, so what comes of it is kept apart from everything that judges: it is
a backtest's result and nothing else reads it. Whatever a strategy is shown, it is asked under the blindfold. An answer
is known by who was asked and every word of the question, and paid for once. All of it is on a budget of its own, of
which trading knows nothing: the person's cap for this question, the day's of one person and of everybody.
"""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import Prompt
from lib.domain.backtests import Wish
from lib.domain.day import DAY_MS, midnight_before
from lib.domain.model_profile import ModelProfile
from lib.domain.position import ZERO
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, Reason
from lib.domain.shadow import with_model
from lib.domain.strategy import Strategy, blindfolded

Stage = Literal["", "prepare", "asking", "replay"]
"""Of a question about a model: its questions are written down, then asked, then replayed; "" = it asks nobody."""
SHORT_ANSWER, LONG_ANSWER = 100, 700
"""Tokens of an answer: six keys and a short reason; one with some thought before it."""
MOST_TRIES = 3
"""How often one question is asked before it counts as not answered."""
MEMORY_DAYS = 30
UNSAID_MS = 365 * DAY_MS
When = Literal["before", "after", "across", "unknown"]


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """
    The *seq*th question of a job. *again* tells repeats of one question apart; *t_ms* is the T it is about, 0 for a
    changed one.
    """

    seq: int
    t_ms: int
    prompt: Prompt
    again: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    *calls* at most of about *tokens* each, and USD from *low* (short answers, nothing thought) to *high*; None = no
    price is known.
    """

    calls: int
    low: Decimal | None
    high: Decimal | None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What was asked on a UTC day: *calls*, *unpriced* ones among them, and *usd* as far as it is known."""

    calls: int = 0
    usd: Decimal = ZERO
    unpriced: int = 0

    def plus(self, usd: Decimal | None, *, is_priced: bool = True) -> "Use":
        """With one more call."""
        return Use(self.calls + 1, self.usd + (usd or ZERO), self.unpriced + (not is_priced))


@dataclass(frozen=True, slots=True)
class DayUse:
    """Of one UTC day: the *person*'s, *everybody*'s, both of the operator's models alone, and the *model*'s in all."""

    person: Use = Use()
    everybody: Use = Use()
    model: Decimal = ZERO


def asked_as(content: Strategy, model: str) -> Strategy:
    """*content* as *model* (its name on the list, "" = the version's own first) is asked about the past."""
    return blindfolded(with_model(content, model or content.model))


def answer_key(profile: ModelProfile, owner_id: int, question: PastQuestion) -> str:
    """
    The name of the answer, 64 hex digits: who is asked and every word. A person's own model is theirs alone, so that
    nobody's endpoint answers for others.
    """
    said = question.prompt
    asked = [owner_id, profile.base_url, profile.model, said.answer_version, question.again, said.system, said.user]
    return sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()


def calls_of(wish: Wish, per_window: int) -> int:
    """How many questions *wish* asks at most."""
    if wish.kind == "memory":
        return wish.windows * per_window
    return wish.days * (DAY_MS // 60_000) // wish.cadence_min


def estimated_cost(prices: AnalystPrices, calls: int, tokens: int) -> Estimate:
    """What *calls* questions of *tokens* each cost, when no answer is there yet."""
    low, high = prices.cost(tokens, SHORT_ANSWER), prices.cost(tokens, LONG_ANSWER)
    if low is None or high is None:
        return Estimate(calls, None, None, tokens)
    low *= Decimal("0.8")  # tokens are estimated rather too many
    return Estimate(calls, low * calls, high * calls, tokens)


def over_job(wish: Wish, calls: int, usd: Decimal, reserve: Decimal) -> Reason:
    """Why a job that made *calls* for *usd* may not make one more that may cost *reserve*; `NOTHING` = it may."""
    if calls >= wish.most_calls:
        return codes.PAST_CALLS_REACHED(limit=wish.most_calls)
    if wish.most_usd is not None and usd + reserve > wish.most_usd:
        return codes.PAST_USD_REACHED(limit=wish.most_usd)
    return NOTHING


def over_day(limits: PlatformLimits, used: DayUse, profile: ModelProfile, owner_id: int, reserve: Decimal) -> Reason:
    """The same of the day's budgets. Who pays themselves is bounded by their own caps and the number of calls."""
    unreadable = {name for name in limits.unreadable if name.startswith("past_")}
    if unreadable:
        return codes.PLATFORM_LIMIT_UNREADABLE()
    if profile.day_usd is not None and used.model + reserve > profile.day_usd:
        return codes.PAST_MODEL_DAY_REACHED(model=profile.name)
    if used.person.calls >= limits.past_person_calls:
        return codes.PAST_PERSON_REACHED()
    if used.everybody.calls >= limits.past_calls:
        return codes.PAST_PLATFORM_REACHED()
    if owner_id:
        return NOTHING
    if not profile.prices.known:
        is_over = used.everybody.unpriced >= limits.past_unpriced_calls
        return codes.PAST_PLATFORM_REACHED() if is_over else NOTHING
    if used.person.usd + reserve > limits.past_person_cost and not profile.prices.free:
        return codes.PAST_PERSON_REACHED()
    is_over = used.everybody.usd + reserve > limits.past_cost and not profile.prices.free
    return codes.PAST_PLATFORM_REACHED() if is_over else NOTHING


def days_to_remember(cutoff_ms: int | None, now_ms: int) -> tuple[int, int]:
    """
    The days a memory test asks about, [since, until) in epoch ms: the last that the model may have read. Who does not
    say its cutoff is asked about days of a year ago.
    """
    end = now_ms - UNSAID_MS if cutoff_ms is None else min(cutoff_ms, now_ms)
    until = midnight_before(end)
    return until - MEMORY_DAYS * DAY_MS, until


def stood(cutoff: str, since_ms: int, until_ms: int, cutoff_ms: int) -> When:
    """Where [*since_ms*, *until_ms*) lies beside the model's *cutoff* (its last day ends at *cutoff_ms*; "" = none)."""
    if not cutoff:
        return "unknown"
    if until_ms <= cutoff_ms:
        return "before"
    return "after" if since_ms >= cutoff_ms else "across"


def with_usage(used: DayUse, cost: Decimal | None, owner_id: int, *, is_priced: bool) -> DayUse:
    """*used* with one more call that costs *cost*; of a person's own model only the number counts on budgets."""
    paid = ZERO if owner_id else cost
    person = used.person.plus(paid, is_priced=is_priced or bool(owner_id))
    everybody = used.everybody.plus(paid, is_priced=is_priced or bool(owner_id))
    return replace(used, person=person, everybody=everybody, model=used.model + (cost or ZERO))
