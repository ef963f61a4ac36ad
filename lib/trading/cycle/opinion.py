"""
One analyst call per prompt group and T; the first stored answer stands for the whole group, whichever trader asked.

No call is made past a budget: the platform's budget bounds all calls, an account's own budget and a person's cap the
calls that no other account of its group asks for. The calls of a cycle under way may pass a budget, those of the next
cycle never.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from lib.domain.model_profile import DEFAULT_CHAIN, is_own
from lib.domain.reason import NOTHING, Reason
from lib.domain.venues import pool_of
from lib.trading.context import TradingContext
from lib.trading.cycle.chain import Asked, Purse, ask_chain
from lib.trading.cycle.platform_limits import BUDGET, Headroom
from lib.trading.cycle.prompt import asked_sha256, asked_with, candle_fields, cycle_key
from lib.trading.cycle.sight import Sight, Sights
from lib.trading.turns import Wish, urgency_of

LOG = log.get("cycle.opinion")
LOOK_S = 0.5
"""Between two looks for an answer that another process is fetching."""


@dataclass(frozen=True, slots=True)
class Group:
    """The accounts that share one answer: its *key*, what they are shown, and their wish to be asked."""

    key: CycleKey
    sight: Sight
    accounts: Sequence[TraderAccount]
    wish: Wish


def announced(context: TradingContext, t_ms: int, accounts: Sequence[TraderAccount], sights: Sights) -> list[Group]:
    """
    The prompt groups among *accounts*, which all trade one symbol, known from now on to all who wait for their turn.
    """
    groups: dict[CycleKey, list[TraderAccount]] = {}
    for account in accounts:
        key = cycle_key(context.feed, account, t_ms, context.model, sights.of(account).shown)
        groups.setdefault(key, []).append(account)
    context.state.asked.note(t_ms, groups, sights.window, sights.buckets)
    wishes = {key: _wish(context, t_ms, group, sights) for key, group in groups.items()}
    return [Group(key, sights.of(group[0]), group, wishes[key]) for key, group in groups.items()]


def _wish(context: TradingContext, t_ms: int, group: Sequence[TraderAccount], sights: Sights) -> Wish:
    account, urgency = group[0], urgency_of(group)
    first = (asked_with(account).models or DEFAULT_CHAIN)[0]
    whose = account.user_id if is_own(first) else 0
    bucket = sights.buckets.get(account.account_id, "")
    name = f"{account.symbol} {asked_sha256(account, context.model)} {bucket} {whose}"
    people = {one.user_id for one in group if urgency_of([one]) == urgency}
    return context.state.turns.announce(t_ms, name, urgency, len(people), (whose, first))


async def answer_for(
    context: TradingContext, group: Group, asked_for: AskedFor, person_cost: Decimal = NO_PERSON_CAP
) -> AnalystAnswer:
    """
    The standing answer of *group*: the one recorded before, else a new call, recorded first-writer-wins. This process
    has one call of a group under way at most: what another of its cycles is being answered is waited for.
    """
    async with context.state.question(group.key):
        if (known := await context.cycles.cycle(group.key)) is not None:
            return known
        return await _asked_now(context, group, asked_for, person_cost)


async def _asked_now(context: TradingContext, group: Group, asked_for: AskedFor, person_cost: Decimal) -> AnalystAnswer:
    key, first = group.key, group.accounts[0]
    people = tuple(dict.fromkeys(account.user_id for account in group.accounts))
    asked = await ask_chain(context, first, group.sight, group.wish, Purse(people, person_cost))
    LOG.info("analyst.asked", t_ms=key.t_ms, **_figures(asked))
    candles = json.dumps([candle_fields(candle) for candle in group.sight.window], separators=(",", ":"))
    record = CycleRecord(
        key,
        f"{asked.prompt.system}\n\n{asked.prompt.user}",
        candles,
        asked.answer,
        asked_for,
        asked_sha256(first, context.model),
        shown_text(group.sight.shown),
        asked.calls,
        len(people),
        context.holder,
    )
    return await context.cycles.record_cycle(record)


async def group_answer(context: TradingContext, group: Group, headrooms: Mapping[Pool, Headroom]) -> AnalystAnswer:
    """As `paid_answer`, after a wait for the process that asks for everybody, where there is one."""
    while context.part.is_asking(group.key.t_ms) and await context.cycles.cycle(group.key) is None:
        context.state.turns.withdraw(group.wish)
        await context.clock.sleep(LOOK_S)
    return await paid_answer(context, group, headrooms)


async def paid_answer(context: TradingContext, group: Group, headrooms: Mapping[Pool, Headroom]) -> AnalystAnswer:
    """
    `answer_for` *group*. *Skip* when no budget pays for a call, or its turn does not come; a stored answer is free.
    """
    asked_for = _asked_for(group.accounts)
    try:
        known = await context.cycles.cycle(group.key)
        if known is None and (why := await _unpaid(context, group.accounts, headrooms, asked_for)):
            raise Skip(codes.ANALYST_NOT_ASKED(why=why))
        person_cost = min(headroom.limits.person_cost for headroom in headrooms.values())
        return await answer_for(context, group, asked_for, person_cost)
    finally:
        context.state.turns.withdraw(group.wish)


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
    known = await context.limits.facts(account.slot, t_ms)
    gates = budget_gates(known.tokens_today, limits, t_ms)
    for gate in gates:
        await context.limits.lock(account.account_id, gate.kind, gate.until_ms, gate.why)
    return bool(gates) or BUDGET in known.locks
