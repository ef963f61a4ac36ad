"""
Where the exchange would liquidate an open position, kept for its owner's screens.

Written when it is news, at most once a minute, and only once the books hold the position that was read. Nothing is
judged by what is written here and nothing waits for it: what could not be written is tried with a later inspection.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Retry
from lib.domain.margin import told_liquidation
from lib.domain.position import Position
from lib.trading.context import TradingContext

LOG = log.get("trading.guardian")
NOTE_MS = 60_000
"""Between two notes: under cross margin the price moves with every other one."""


@dataclass(slots=True)
class Noted:
    """What the ledger was last told: quantity, average and liquidation price; when the next note may be written."""

    told: tuple[Decimal, ...] = ()
    again_ms: int = 0


async def note_liquidation(context: TradingContext, account: TraderAccount, noted: Noted, position: Position) -> None:
    """Write the liquidation price of *position* when it is news to *noted*."""
    price, now = told_liquidation(position), context.steady.now_ms()
    news = (position.qty, position.avg_entry_price, price)
    if news == noted.told or now < noted.again_ms or account.booked_qty != position.qty:
        return
    noted.again_ms = now + NOTE_MS
    try:
        if await context.books.note_liquidation(account.slot, position.qty, price):
            noted.told = news
    except Retry as busy:
        LOG.warning("guardian.unnoted", why=str(busy))
