"""
One close at a time: our part of a position, reduce-only, by its own row.

However many guardians try at once, at most one exit of an account is on its way: who finds another takes its own row
back before anything was sent, and a row whose maker died is taken back before another is planned. So the closes of an
account can never add up to more than our part, even where a person's part lies beside it.
"""

from decimal import Decimal
from functools import partial

from lib import log
from lib.domain.errors import Halt, Retry
from lib.domain.instrument import Instrument
from lib.domain.order import CYCLE_MS, MAX_AGE_MS, Leg, Order, OrderState
from lib.domain.position import ZERO, Position
from lib.domain.risk import AccountPlan, exit_draft
from lib.ports import Exchange, TraderAccount
from lib.trading.books import import_fills, newest_entry, own_quantity
from lib.trading.desk import Desk, boundary
from lib.trading.execution import Errand, run_order
from lib.trading.exits import IN_ITS_PLACE, is_beaten

LOG = log.get("trading.closing")


async def close_ours(desk: Desk, account: TraderAccount, exchange: Exchange, leg: Leg, why: str) -> Order | None:
    """Close our part of the position; the row as it then stands, None when nothing may be or need be sent."""
    if await is_beaten(desk, account):
        return None
    order, instrument = await _planned(desk, account, exchange, leg, why)
    if order is None or instrument is None:
        return None
    if await is_beaten(desk, account, order):
        await desk.ledger.move(order, OrderState.BLOCKED, IN_ITS_PLACE)
        return None
    still = partial(still_ours, desk, account, exchange)
    done = await run_order(desk, Errand(account, exchange, instrument, still=still), order)
    if done.state is OrderState.BLOCKED:
        return None
    await import_fills(desk, account, exchange)
    return done


async def _planned(
    desk: Desk, account: TraderAccount, exchange: Exchange, leg: Leg, why: str
) -> tuple[Order | None, Instrument | None]:
    position = await exchange.position(account.symbol)
    qty = our_part(position, await own_quantity(desk, account, exchange))
    if qty == 0:
        return None, None
    ref = await _price(desk, account, position)
    instrument = await desk.market.instrument(account.venue, account.symbol)
    draft = exit_draft(position, ref, leg=leg, qty=min(qty, instrument.max_market_qty))
    plan = AccountPlan("closed", why, (draft,))
    return await desk.ledger.plan_exit(account, await exit_t(desk, account), plan), instrument


async def _price(desk: Desk, account: TraderAccount, position: Position) -> Decimal:
    """For the record alone: a close is a market order, and no missing price may hold it up."""
    try:
        return (await desk.market.ticker(account.venue, account.symbol)).last
    except (Retry, Halt):
        return position.mark or position.avg_entry_price


async def still_ours(desk: Desk, account: TraderAccount, exchange: Exchange, order: Order) -> int | None:
    """When *order* was no more than our part; None = it is more: a close, or a hand, may have been there meanwhile."""
    position = await exchange.position(account.symbol)
    if our_part(position, await own_quantity(desk, account, exchange)) < (order.qty or ZERO):
        return None
    return position.seen_at


def our_part(position: Position, own: Decimal) -> Decimal:
    """How much of *position* a signed quantity of ours makes up, unsigned; 0 when nothing of it is ours."""
    if position.is_flat or not own or (own > 0) != (position.qty > 0):
        return ZERO
    return min(abs(position.qty), abs(own))


async def exit_t(desk: Desk, account: TraderAccount) -> int:
    """
    The T an exit outside the plans is booked under: the newest whose plan stands or can no longer matter.

    A row under a T that is still to be planned would stand in that plan's place.
    """
    now = await desk.ledger.now()
    t_ms = boundary(now)
    entry = await newest_entry(desk, account.account_id)
    is_planned = entry is not None and entry.t_ms == t_ms
    return t_ms if is_planned or now - t_ms > MAX_AGE_MS else t_ms - CYCLE_MS
