"""
Books kept from the exchange's own executions, and the equity identity.

The balance of the books (`lib.domain.books`) is the exchange's wallet, to the last decimal. Where the two differ,
executions and then transfers are asked for; the difference that is left is recorded every cycle and never smoothed, and
a new difference calls a person.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from lib import log
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.books import Books, EquityPoint, Fill
from lib.domain.exchange_records import Wallet
from lib.domain.order import IN_FLIGHT, Order, OrderState, parse_link_id
from lib.domain.position import ZERO
from lib.ports.exchange import Exchange
from lib.trading.context import OrderContext

OVERLAP_MS = 3_600_000
"""How far back executions and transfers are asked for again: a row may be listed minutes after newer ones, and ids make
booking twice impossible."""
READINGS = 2
UNDECIDED = IN_FLIGHT | {OrderState.NEEDS_HUMAN}
"""An entry in one of these states may have filled, whatever its row can prove."""
LOG = log.get("trading.books")


async def import_fills(
    context: OrderContext, account: TraderAccount | Order, exchange: Exchange, books: Books | None = None
) -> Sequence[Fill]:
    """
    Book every execution not booked yet of *account* in the symbol it is seen on, or of an order's; all executions that
    were read.

    *books* are the account's books as read earlier in this cycle, None = they are read now: older books only make the
    search begin earlier.
    """
    if books is None:
        books = await context.books.books(account.slot)
    since = max(books.opened_ms, books.last_fill_ms - OVERLAP_MS)
    fills = await exchange.fills_since(account.symbol, since)
    if fills:
        await context.books.record_fills(account.account_id, fills)
    return fills


async def import_all_fills(context: OrderContext, account: TraderAccount, exchange: Exchange) -> None:
    """As `import_fills` in every symbol of the account, that of *account* first: its wallet is that of all of them."""
    for view in sorted(account.views, key=lambda view: view.symbol != account.symbol):
        await import_fills(context, view, exchange)


async def newest_entry(context: OrderContext, slot: Slot) -> Order | None:
    """The entry in flight there, else the newest that filled; None when there never was one."""
    for order in await context.rows_of(slot):
        if order.is_entry and order.state in UNDECIDED:
            return order
    return await context.orders.last_entry(slot)


async def own_quantity(context: OrderContext, account: TraderAccount, exchange: Exchange) -> Decimal:
    """
    The signed quantity our own entry holds now, in base units, by the exchange's executions.

    Entries start from flat, so the count starts at zero with the newest entry's cycle.
    """
    entry = await newest_entry(context, account.slot)
    if entry is None:
        return ZERO
    return held_by_us(await exchange.fills_since(account.symbol, entry.t_ms), context.installation)


def held_by_us(fills: Iterable[Fill], installation: str) -> Decimal:
    """The quantity our entries among *fills* (oldest first) still hold: an external fill reduces it, and never adds."""
    held = ZERO
    for fill in fills:
        signed = fill.qty if fill.side == "buy" else -fill.qty
        if _is_entry(fill, installation):
            held += signed
        elif held and (held > 0) != (signed > 0):
            held = max(held + signed, ZERO) if held > 0 else min(held + signed, ZERO)
    return held


def entries_among(fills: Iterable[Fill], installation: str) -> list[Fill]:
    """Those of *fills* that our entries made."""
    return [fill for fill in fills if _is_entry(fill, installation)]


def _is_entry(fill: Fill, installation: str) -> bool:
    link = parse_link_id(fill.order_link_id)
    return link is not None and link.installation == installation and link.leg == "e"


async def import_transfers(context: OrderContext, account: TraderAccount, exchange: Exchange) -> int:
    """Book every transfer since the books were last compared with the wallet; how many were new."""
    books = await context.books.books(account.slot)
    found = await exchange.transfers_since(max(books.opened_ms, books.checked_ms - OVERLAP_MS))
    return await context.books.record_transfers(account.account_id, found) if found else 0


async def reconcile_books(context: OrderContext, account: TraderAccount, exchange: Exchange, wallet: Wallet) -> Books:
    """
    The books, after executions and then transfers were imported where the books differ from *wallet*'s balance.

    Only what may be missing is asked for: books that agree with the wallet cost no request. The balance is that of all
    symbols, so the executions of every one of them are.
    """
    for bring_in in (import_all_fills, import_transfers):
        books = await context.books.books(account.slot)
        if books.balance == wallet.balance:
            return books
        await bring_in(context, account, exchange)
    return await context.books.books(account.slot)


async def check_equity(
    context: OrderContext, account: TraderAccount, exchange: Exchange, t_ms: int, before: Books | None = None
) -> Decimal:
    """
    Read the wallet, compare it with the books, record both at T; the difference in USDT.

    A fill between two reads would look like a difference, so the wallet is read again before a difference counts.
    *before* are books of this cycle: the search for executions in the symbol *account* is seen on begins there.
    """
    await import_fills(context, account, exchange, before)
    wallet = await exchange.wallet()
    for _ in range(READINGS):
        books = await reconcile_books(context, account, exchange, wallet)
        if books.balance == wallet.balance:
            return await _record(context, account, wallet, books, t_ms)
        wallet = await exchange.wallet()
    return await _record(context, account, wallet, await context.books.books(account.slot), t_ms)


async def _record(context: OrderContext, account: TraderAccount, wallet: Wallet, books: Books, t_ms: int) -> Decimal:
    difference = wallet.balance - books.balance
    point = EquityPoint(account.account_id, t_ms, wallet.balance, wallet.equity, difference)
    if await context.books.record_equity(point):
        LOG.alert("books.difference", account=account.account_id, t_ms=t_ms, difference=difference)
    if not difference:
        for view in account.views:
            if not context.state.turn(view.slot).locked():
                context.state.booked(view.slot)
    return difference
