"""
One close at a time: our part of a position, reduce-only, by its own row.

However many guardians try at once, at most one exit of an account in a symbol is in flight: a process that finds
another exit takes its own row back before anything was sent, and the row of a dead process is taken back before another
is planned. So the closes there never add up to more than our part, even where an external part lies beside ours. The
account's other symbols are not looked at.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Halt, Retry
from lib.domain.order import CYCLE_MS, IN_FLIGHT, MAX_AGE_MS, Leg, Order, OrderState
from lib.domain.position import ZERO, Direction, Position
from lib.domain.reason import Reason
from lib.domain.risk import AccountPlan, exit_draft
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext, boundary
from lib.trading.orders.books import import_fills, newest_entry, own_quantity
from lib.trading.orders.exit_order import IN_ITS_PLACE, is_beaten
from lib.trading.orders.resolve import resolve_once, ripens_in_s
from lib.trading.orders.send import SendJob, run_order

LOG = log.get("trading.close")
ASKED_S = 2.0
"""How long a close waits for figures it can do without; requests for the same figure stand in line."""
SOON_RIPE_S = 2.0
"""How long a close waits for the proof that the exit before it never arrived; the guardian comes again after that."""

Wanted = tuple[Leg, Direction | None]
"""The leg of a close, and the one direction that is meant; None = either."""


@dataclass(slots=True)
class OwnPart:
    """
    Our part of the position, against which a close is checked before each of its sends.

    *counted* is the position for which our part, *ours* (unsigned), was counted by the executions. While its size and
    average price are the same a check is one request, however old the position is.
    """

    context: TradingContext
    account: TraderAccount
    exchange: Exchange
    counted: Position
    ours: Decimal

    async def still(self, order: Order) -> int | None:
        """The venue's time (epoch ms) at which *order* was no more than our part; None = it is more by now."""
        position = await self.exchange.position(self.account.symbol)
        if (position.qty, position.avg_entry_price) != (self.counted.qty, self.counted.avg_entry_price):
            own = await own_quantity(self.context, self.account, self.exchange)
            self.counted, self.ours = position, our_part(position, own)
        return position.seen_at if order.qty is not None and order.qty <= self.ours else None


async def close_ours(
    context: TradingContext,
    account: TraderAccount,
    exchange: Exchange,
    leg: Leg,
    why: Reason,
    only: Direction | None = None,
) -> Order | None:
    """
    Close our part of the position; the row as it then stands, None when no close may or need be sent.

    *only*: a position of another direction, which may have taken the place of the one that was meant, is left alone.
    """
    await _ask_for_others(context, account, exchange)
    async with context.state.closing(account.venue):
        done = await _closed(context, account, exchange, (leg, only), why)
    if done is None or done.state is OrderState.BLOCKED:
        return None
    await import_fills(context, account, exchange)
    return done


async def _ask_for_others(context: TradingContext, account: TraderAccount, exchange: Exchange) -> None:
    """
    Ask about the exits of *account* whose proof of absence is ripe, or ripens in a moment: they are in this one's way.

    Whoever sent them may be dead, or may not know that he claimed them. An exit that is only under way is not asked
    about: its sender does.
    """
    for row in await context.rows_of(account.slot):
        if row.reduce_only and row.state in IN_FLIGHT and (wait_s := ripens_in_s(context, row)) <= SOON_RIPE_S:
            await context.clock.sleep(max(wait_s, 0))
            try:
                await resolve_once(context, exchange, row)
            except Retry as busy:
                LOG.warning("close.unasked", link=row.order_link_id, why=str(busy))


async def _closed(
    context: TradingContext, account: TraderAccount, exchange: Exchange, what: Wanted, why: Reason
) -> Order | None:
    if await is_beaten(context, account):
        return None
    order, part = await _planned(context, account, exchange, what, why)
    if order is None:
        return None
    if await is_beaten(context, account, order):
        await context.orders.move(order, OrderState.BLOCKED, IN_ITS_PLACE)
        return None
    return await run_order(context, SendJob(account, exchange, still=part.still), order)


async def _planned(
    context: TradingContext, account: TraderAccount, exchange: Exchange, what: Wanted, why: Reason
) -> tuple[Order | None, OwnPart]:
    leg, only = what
    position = await exchange.position(account.symbol)
    qty = our_part(position, await own_quantity(context, account, exchange))
    part = OwnPart(context, account, exchange, position, qty)
    if qty == 0 or only not in (None, position.direction):
        return None, part
    ref = await _price(context, account, position)
    most = await _most_at_once(context, account)
    draft = exit_draft(position, ref, leg=leg, qty=qty if most is None else min(qty, most))
    plan = AccountPlan("closed", why, (draft,))
    return await context.orders.plan_exit(account, await exit_t(context, account), plan), part


async def _most_at_once(context: TradingContext, account: TraderAccount) -> Decimal | None:
    """The venue's largest market order; None when unknown: the venue refuses a larger order, and nothing is lost."""
    try:
        async with asyncio.timeout(ASKED_S):
            return (await context.market.instrument(account.venue, account.symbol)).max_market_qty
    except (TimeoutError, Retry, Halt) as unknown:
        LOG.warning("close.unclamped", symbol=account.symbol, why=str(unknown))
        return None


async def _price(context: TradingContext, account: TraderAccount, position: Position) -> Decimal:
    """The price for the record alone: a close is a market order, and no missing price may hold it up."""
    try:
        async with asyncio.timeout(ASKED_S):
            return (await context.market.ticker(account.venue, account.symbol)).last
    except (TimeoutError, Retry, Halt):
        return position.mark or position.avg_entry_price


def our_part(position: Position, own: Decimal) -> Decimal:
    """How much of *position* the signed quantity *own* of ours makes up, unsigned; 0 when no part of it is ours."""
    if position.is_flat or not own or (own > 0) != (position.qty > 0):
        return ZERO
    return min(abs(position.qty), abs(own))


async def exit_t(context: TradingContext, account: TraderAccount) -> int:
    """
    The T an exit outside the plans is booked under: the newest whose plan stands or can no longer matter.

    A row under a T that is still to be planned would stand in that plan's place.
    """
    now = await context.orders.now()
    t_ms = boundary(now)
    entry = await newest_entry(context, account.slot)
    is_planned = entry is not None and entry.t_ms == t_ms
    return t_ms if is_planned or now - t_ms > MAX_AGE_MS else t_ms - CYCLE_MS
