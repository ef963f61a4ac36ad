"""
One account's plans in several symbols, each judged by what those before it have at stake.

Only what may enter waits for the account's turn; whatever closes, keeps or holds waits for nobody. Who read the account
before another symbol had its turn reads wallet and figures again; what is its own symbol's stays as it was read. Across
processes the ledger holds each entry against the account's ceiling once more when it is written down.
"""

from dataclasses import dataclass

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey
from lib.domain.candle import Candle
from lib.domain.order import Order
from lib.domain.risk import AccountPlan
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.cycle.plan import Snapshot, make_plan, may_enter, refreshed
from lib.trading.cycle.platform_limits import Headroom


@dataclass(frozen=True, slots=True)
class PlanJob:
    """The plan of *account* in its symbol. *turns*: how many its account had had when it was first read."""

    context: TradingContext
    account: TraderAccount
    exchange: Exchange
    key: CycleKey
    headroom: Headroom
    turns: int


async def planned(
    job: PlanJob, snapshot: Snapshot, answer: AnalystAnswer, newest: Candle
) -> tuple[AccountPlan, list[Order]]:
    """The plan for *answer*, and the rows that stand for it. *Retry* or *Pause* as the account is read."""
    if not may_enter(answer, snapshot.position):
        return await _written(job, await _made(job, snapshot, answer, newest))
    turn = job.context.state.entering(job.account.account_id)
    async with turn.of(job.account.symbol_no):
        if turn.count != job.turns:
            snapshot = await refreshed(job.context, job.account, job.exchange, snapshot, job.headroom.t_ms)
        return await _written(job, await _made(job, snapshot, answer, newest))


async def _made(job: PlanJob, snapshot: Snapshot, answer: AnalystAnswer, newest: Candle) -> AccountPlan:
    return await make_plan(job.context, job.account, job.exchange, snapshot, answer, newest, job.headroom)


async def _written(job: PlanJob, plan: AccountPlan) -> tuple[AccountPlan, list[Order]]:
    orders = await job.context.orders.plan(job.account, job.key, job.headroom.t_ms, plan)
    if any(draft.leg == "e" for draft in plan.orders) and not any(order.is_entry for order in orders):
        plan = AccountPlan("refused", codes.EXPOSURE_FULL_BY_NOW())
    return plan, orders
