"""
Which exit of an account in a symbol comes first, where several were planned: one at a time, by the rows alone.

Guardians, flatten and a cycle's own exit all ask here before they send, so that two closes of the same position are
never on their way at once and a person's part beside ours is never sold twice.
"""

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.order import Order, OrderState
from lib.trading.context import TradingContext

LOG = log.get("trading.exit_order")
AT_WORK_MS = 10_000
"""How long an unsent exit counts as about to be sent; after that, the process that planned it counts as dead."""
IN_ITS_PLACE = codes.REPLACED_BY_ANOTHER_CLOSE()


async def is_beaten(context: TradingContext, account: TraderAccount, mine: Order | None = None) -> bool:
    """
    Whether another exit of *account* in its symbol comes first; rows left behind by a process that died are taken back.
    """
    rows = await context.rows_of(account.slot)
    others = [row for row in rows if row.reduce_only and (mine is None or row.id != mine.id)]
    return any([await _comes_first(context, row, mine) for row in others])


async def _comes_first(context: TradingContext, row: Order, mine: Order | None) -> bool:
    if row.state is OrderState.NEEDS_HUMAN:
        return False
    if row.state is not OrderState.PLANNED:
        return True
    if row.attempts:
        # refused once and sent by no process again: only a query may end the row, and reconciliation asks
        if await context.orders.now() - row.updated_ms >= AT_WORK_MS:
            await context.orders.move(row, OrderState.UNKNOWN, IN_ITS_PLACE)
        return True
    if mine is not None and row.id > mine.id:
        return False  # the later row's sender will find *mine*
    if await context.orders.now() - row.created_ms < AT_WORK_MS:
        return True
    LOG.warning("close.taken_back", link=row.order_link_id)
    return not await context.orders.move(row, OrderState.BLOCKED, IN_ITS_PLACE)
