"""
The models of a group, asked in the order of its chain, within the one budget of time that an answer has.

The next model is asked only when the one before was away, at a limit or too slow (`model_profile.goes_on`); an odd
answer is an answer. Each may take an equal part of the seconds that are left, so the last has its part too. A model
whose own budget of the day is used up is passed over without a question, and so is each of the operator's that is not
free when all who would share the call are past a person's cap. Every question is a call with its cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import NO_PERSON_CAP
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, ModelCall, Prompt
from lib.domain.decision import Abstained
from lib.domain.errors import Skip
from lib.domain.model_profile import DEFAULT_CHAIN, DEFAULT_MODEL, ModelProfile, goes_on, part_of
from lib.domain.position import ZERO
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, Reason
from lib.ports.analyst import Analyst
from lib.ports.ledger import Spending
from lib.ports.models import Candidate, ModelDesk
from lib.trading.cycle.prompt import asked_with, prompt_for
from lib.trading.cycle.sight import Sight
from lib.trading.turns import Turns, Wish

LOG = log.get("cycle.chain")
LEAST_CALL_S = 5.0
"""With less time than this a model is not asked: it would be paid for and not heard."""


class Asker(Protocol):
    """What asking needs of a context: nothing by which an order could be made."""

    @property
    def analyst(self) -> Analyst: ...

    @property
    def model(self) -> str: ...

    @property
    def prices(self) -> AnalystPrices: ...

    @property
    def models(self) -> ModelDesk | None: ...

    @property
    def analyst_budget_s(self) -> float: ...

    @property
    def turns(self) -> Turns: ...

    @property
    def spending(self) -> Spending: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """
    The answer of a chain, with the tokens and the cost of all its *calls* together (None = no price of any is known),
    and the last prompt.
    """

    answer: AnalystAnswer
    calls: tuple[ModelCall, ...]
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Purse:
    """The *people* who would share a call, and what the part of each may be of the operator's models a day, in USD."""

    people: tuple[int, ...]
    person_cost: Decimal = NO_PERSON_CAP

    async def is_empty(self, context: Asker, one: Candidate, t_ms: int) -> bool:
        """Whether nobody of them may have *one* asked any more."""
        if self.person_cost >= NO_PERSON_CAP or one.owner_id or one.profile.prices.free:
            return False
        for user_id in self.people:
            if await context.spending.person_spent(user_id, t_ms) < self.person_cost:
                return False
        return True


async def ask_chain(context: Asker, account: TraderAccount, sight: Sight, wish: Wish, purse: Purse) -> Asked:
    """
    Ask the models of *account*'s group about *sight*, each when the turn of *wish* comes; *Skip* when none of them may
    be asked or no turn comes. Records nothing.
    """
    chain, t_ms = await _candidates(context, account), wish.t_ms
    left_s, calls, why = context.analyst_budget_s, list[ModelCall](), codes.MODEL_NOT_OFFERED()
    prompt = prompt_for(account, sight.window, context.model, sight.shown)
    for place, one in enumerate(chain):
        if spent := await _spent(context, one, purse, t_ms):
            why = spent
            LOG.warning("model.passed_over", model=one.profile.name, t_ms=t_ms, why=str(spent))
            continue
        prompt = prompt_for(account, sight.window, one.profile.model, sight.shown)
        part_s = part_of(left_s, len(chain) - place)
        call, waited_s = await _in_turn(context, one, prompt, part_s, wish)
        left_s = max(left_s - waited_s, 0.0)
        if call is None:
            why = codes.ANALYST_TURN_NOT_COME(seconds=round(waited_s))
            LOG.warning("analyst.no_turn", model=one.profile.name, t_ms=t_ms, urgency=wish.urgency.name.lower())
            continue
        calls.append(call)
        left_s = max(left_s - call.answer.latency_ms / 1000, 0.0)
        if not _is_followed(call.answer):
            break
        LOG.warning("model.failed", model=one.profile.name, t_ms=t_ms, why=str(call.answer.decision))
    if not calls:
        raise Skip(codes.ANALYST_NOT_ASKED(why=why))
    return Asked(_summed(calls), tuple(calls), prompt)


async def _candidates(context: Asker, account: TraderAccount) -> list[Candidate]:
    """The models of the account's chain that can be asked; the environment's is always among ours."""
    names = asked_with(account).models or DEFAULT_CHAIN
    profile = ModelProfile(DEFAULT_MODEL, context.model, "", context.model, context.prices)
    found = {DEFAULT_MODEL: Candidate(profile, 0, context.analyst)}
    others = [name for name in names if name != DEFAULT_MODEL]
    if others and context.models is not None:
        found |= {one.profile.name: one for one in await context.models.candidates(account.user_id, others)}
    return [found[name] for name in names if name in found]


async def _spent(context: Asker, one: Candidate, purse: Purse, t_ms: int) -> Reason:
    """Which budget of the day is used up for *one*; `NOTHING` = none."""
    most = one.profile.day_usd
    if most is not None and await context.spending.model_spent(one.owner_id, one.profile.name, t_ms) >= most:
        return codes.MODEL_DAY_USED_UP(model=one.profile.name)
    return codes.PERSON_COST(limit=purse.person_cost) if await purse.is_empty(context, one, t_ms) else NOTHING


async def _in_turn(
    context: Asker, one: Candidate, prompt: Prompt, part_s: float, wish: Wish
) -> tuple[ModelCall | None, float]:
    """The question to *one* within *part_s*, and the seconds waited for its turn; no question when that comes late."""
    turns, model = context.turns, (one.owner_id, one.profile.name)
    patience_s = part_s - min(LEAST_CALL_S, part_s / 2)
    waited_s = await turns.enter(wish, model, patience_s)
    if waited_s is None:
        return None, patience_s
    try:
        return await _called(one, prompt, part_s - waited_s), waited_s
    finally:
        turns.leave(model)


async def _called(one: Candidate, prompt: Prompt, budget_s: float) -> ModelCall:
    answer = await one.analyst.ask(prompt, budget_s)
    cost = one.profile.prices.cost(answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens)
    return ModelCall(one.profile.name, one.owner_id, replace(answer, cost=cost))


def _is_followed(answer: AnalystAnswer) -> bool:
    return answer.failed and isinstance(answer.decision, Abstained) and goes_on(answer.decision.why)


def _summed(calls: Sequence[ModelCall]) -> AnalystAnswer:
    answers = [call.answer for call in calls]
    costs: list[Decimal] = [answer.cost for answer in answers if answer.cost is not None]
    return replace(
        answers[-1],
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
        cached_tokens=sum(answer.cached_tokens for answer in answers),
        latency_ms=sum(answer.latency_ms for answer in answers),
        cost=sum(costs, ZERO) if costs else None,
    )
