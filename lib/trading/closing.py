"""
One close at a time: our part of a position, reduce-only, by its own row.

However many guardians try at once, at most one exit of an account is on its way: who finds another takes its own row
back before anything was sent, and a row whose maker died is taken back before another is planned. So the closes of an
account can never add up to more than our part, even where a person's part lies beside it.
"""

from decimal import Decimal

from lib import log
from lib.domain.instrument import Instrument
from lib.domain.order import CYCLE_MS, MAX_AGE_MS, Leg, Order, OrderState
from lib.domain.position import ZERO, Position
from lib.domain.risk import AccountPlan, exit_draft
from lib.ports import Exchange, TraderAccount
from lib.trading.books import import_fills, newest_entry, own_quantity
from lib.trading.desk import Desk, boundary
from lib.trading.execution import Errand, run_order

LOG = log.get("trading.closing")
AT_WORK_MS = 10_000
"""An exit planned and not yet sent is somebody's who is about to send it for this long; after that, they died."""
IN_ITS_PLACE = "another close takes its place"


async def close_ours(desk: Desk, account: TraderAccount, exchange: Exchange, leg: Leg, why: str) -> Order | None:
    """Close our part of the position; the row as it then stands, None when nothing may be or need be sent."""
    if await _is_beaten(desk, account):
        return None
    order, instrument = await _planned(desk, account, exchange, leg, why)
    if order is None or instrument is None:
        return None
    if await _is_beaten(desk, account, order) or await _is_too_much(desk, account, exchange, order):
        await desk.ledger.move(order, OrderState.BLOCKED, IN_ITS_PLACE)
        return None
    done = await run_order(desk, Errand(account, exchange, instrument), order)
    await import_fills(desk, account, exchange)
    return done


async def _planned(
    desk: Desk, account: TraderAccount, exchange: Exchange, leg: Leg, why: str
) -> tuple[Order | None, Instrument | None]:
    position = await exchange.position(account.symbol)
    qty = our_part(position, await own_quantity(desk, account, exchange))
    if qty == 0:
        return None, None
    ticker = await desk.market.ticker(account.venue, account.symbol)
    instrument = await desk.market.instrument(account.venue, account.symbol)
    draft = exit_draft(position, ticker.last, leg=leg, qty=min(qty, instrument.max_market_qty))
    plan = AccountPlan("closed", why, (draft,))
    return await desk.ledger.plan_exit(account, await exit_t(desk, account), plan), instrument


async def _is_too_much(desk: Desk, account: TraderAccount, exchange: Exchange, order: Order) -> bool:
    """Whether our part became smaller than *order*: a close may have ended between our reading and our row."""
    position = await exchange.position(account.symbol)
    return our_part(position, await own_quantity(desk, account, exchange)) < (order.qty or ZERO)


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


async def _is_beaten(desk: Desk, account: TraderAccount, mine: Order | None = None) -> bool:
    """Whether another exit of *account* comes first; rows left behind by a process that died are taken back."""
    rows = [row for row in await desk.ledger.open_orders() if row.account_id == account.account_id and row.reduce_only]
    others = [row for row in rows if mine is None or row.id != mine.id]
    return any([await _comes_first(desk, row, mine) for row in others])


async def _comes_first(desk: Desk, row: Order, mine: Order | None) -> bool:
    if row.state is OrderState.NEEDS_HUMAN:
        return False
    if row.state is not OrderState.PLANNED or row.attempts:
        return True
    if mine is not None and row.id > mine.id:
        return False  # it will find this one
    if await desk.ledger.now() - row.created_ms < AT_WORK_MS:
        return True
    LOG.warning("close.taken_back", link=row.order_link_id)
    return not await desk.ledger.move(row, OrderState.BLOCKED, IN_ITS_PLACE)
