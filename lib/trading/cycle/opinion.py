"""
One analyst call per prompt group and T; the first stored answer stands for the whole group, whichever trader asked.

No call is made past a budget: the platform's budget bounds all calls, an account's own budget and a person's cap the
calls that no other account of its group asks for. The calls of a cycle under way may pass a budget, those of the next
cycle never.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import NO_PERSON_CAP, Pool
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, AskedFor, CycleKey, CycleRecord
from lib.domain.decision import Decision
from lib.domain.errors import Skip
from lib.domain.gates import budget_gates
from lib.domain.input_blocks import shown_text
from lib.domain.model_profile import is_own
from lib.domain.reason import NOTHING, Reason
from lib.domain.venues import pool_of
from lib.trading.context import TradingContext
from lib.trading.cycle.chain import Asked, Purse, ask_chain
from lib.trading.cycle.platform_limits import BUDGET, Headroom
from lib.trading.cycle.prompt import asked_sha256, asked_with, candle_fields
from lib.trading.cycle.sight import Sight

LOG = log.get("cycle.opinion")
LOOK_S = 0.5
"""Between two looks for an answer that another process is fetching."""


async def answer_for(
    context: TradingContext,
    key: CycleKey,
    sight: Sight,
    group: Sequence[TraderAccount],
    asked_for: AskedFor,
    person_cost: Decimal = NO_PERSON_CAP,
) -> AnalystAnswer:
    """
    The standing answer for *key*, of *group*: the one recorded before, else a new call, recorded first-writer-wins.
    """
    if (known := await context.cycles.cycle(key)) is not None:
        return known
    people = tuple(dict.fromkeys(account.user_id for account in group))
    asked = await ask_chain(context, group[0], sight, key.t_ms, Purse(people, person_cost))
    LOG.info("analyst.asked", t_ms=key.t_ms, **_figures(asked))
    candles = json.dumps([candle_fields(candle) for candle in sight.window], separators=(",", ":"))
    record = CycleRecord(
        key,
        f"{asked.prompt.system}\n\n{asked.prompt.user}",
        candles,
        asked.answer,
        asked_for,
        asked_sha256(group[0], context.model),
        shown_text(sight.shown),
        asked.calls,
        len(people),
        context.holder,
    )
    return await context.cycles.record_cycle(record)


async def group_answer(
    context: TradingContext,
    key: CycleKey,
    sight: Sight,
    group: Sequence[TraderAccount],
    headrooms: Mapping[Pool, Headroom],
) -> AnalystAnswer:
    """As `paid_answer`, after a wait for the process that asks for everybody, where there is one."""
    while context.part.is_asking(key.t_ms) and await context.cycles.cycle(key) is None:
        await context.clock.sleep(LOOK_S)
    return await paid_answer(context, key, sight, group, headrooms)


async def paid_answer(
    context: TradingContext,
    key: CycleKey,
    sight: Sight,
    group: Sequence[TraderAccount],
    headrooms: Mapping[Pool, Headroom],
) -> AnalystAnswer:
    """`answer_for` the accounts of one prompt group. *Skip* when no budget pays for a call; a stored answer is free."""
    asked_for = _asked_for(group)
    if await context.cycles.cycle(key) is None and (why := await _unpaid(context, group, headrooms, asked_for)):
        raise Skip(codes.ANALYST_NOT_ASKED(why=why))
    person_cost = min(headroom.limits.person_cost for headroom in headrooms.values())
    return await answer_for(context, key, sight, group, asked_for, person_cost)


def _figures(asked: Asked) -> dict[str, object]:
    """What an answer took, who was asked, and whether it is a view: no word of it."""
    answer = asked.answer
    view = "decided" if isinstance(answer.decision, Decision) else "failed" if answer.failed else "abstained"
    tokens = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens}
    chain = ",".join(call.name for call in asked.calls)
    return {
        "model": answer.model,
        "chain": chain,
        "view": view,
        "latency_ms": answer.latency_ms,
        **tokens,
        "cost_usd": answer.cost,
    }


def _asked_for(group: Iterable[TraderAccount]) -> AskedFor:
    """The budget that the call of *group* counts on: its person's own, else the gravest of its accounts' budgets."""
    if all(any(map(is_own, asked_with(account).models)) for account in group):
        return "own"
    if any(pool_of(account.venue) == "exchange" for account in group):
        return "exchange"
    return "guests" if all(account.is_guest for account in group) else "paper"


async def _unpaid(
    context: TradingContext, group: Iterable[TraderAccount], headrooms: Mapping[Pool, Headroom], asked_for: AskedFor
) -> Reason:
    """Why no account of *group* may have the analyst asked; `NOTHING` when one may."""
    headroom = headrooms["exchange" if asked_for == "exchange" else "paper"]
    ours = headroom.closed_budget or (headroom.guests_budget if asked_for == "guests" else NOTHING)
    if ours and asked_for != "own":
        return ours
    for account in group:
        if not await _is_spent(context, account, headrooms.values()):
            return NOTHING
    return codes.ANALYST_BUDGET_USED_UP()


async def _is_spent(context: TradingContext, account: TraderAccount, headrooms: Collection[Headroom]) -> bool:
    limits, t_ms = account.settings.limits, next(iter(headrooms)).t_ms
    if sum(headroom.use().tokens for headroom in headrooms) < limits.analyst_tokens:
        return False  # all accounts together used less
    known = await context.limits.facts(account.account_id, t_ms)
    gates = budget_gates(known.tokens_today, limits, t_ms)
    for gate in gates:
        await context.limits.lock(account.account_id, gate.kind, gate.until_ms, gate.why)
    return bool(gates) or BUDGET in known.locks
