"""
Books kept from the exchange's own executions, and the equity identity.

balance = start + realised − fees + funding, to the last decimal; the difference to the exchange's wallet is recorded
every cycle, never smoothed. Transfers are not told apart from a difference here.
"""

from collections.abc import Iterable
from decimal import Decimal

from lib.domain.order import IN_FLIGHT, Order, parse_link_id
from lib.domain.position import ZERO
from lib.ports import EquityPoint, Exchange, Fill, TraderAccount, Wallet
from lib.trading.desk import Desk

OVERLAP_MS = 3_600_000
"""Executions are asked for again this far back: a funding row may be listed minutes after newer fills, and exec ids
make booking twice impossible."""


async def import_fills(desk: Desk, account: TraderAccount, exchange: Exchange) -> int:
    """Book every execution not seen yet, oldest first; how many were new."""
    books = await desk.ledger.books(account.account_id)
    since = max(books.opened_ms, books.last_fill_ms - OVERLAP_MS)
    fills = await exchange.fills_since(account.symbol, since)
    return await desk.ledger.record_fills(account.account_id, fills) if fills else 0


async def newest_entry(desk: Desk, account_id: int) -> Order | None:
    """The entry in flight, else the newest that filled; None when this account never had one."""
    for order in await desk.ledger.open_orders():
        if order.account_id == account_id and order.is_entry and order.state in IN_FLIGHT:
            return order
    return await desk.ledger.last_entry(account_id)


async def own_quantity(desk: Desk, account: TraderAccount, exchange: Exchange) -> Decimal:
    """
    The signed quantity our own entry holds now, in base units, by the exchange's executions.

    Entries start from flat, so the newest one's cycle is where the count starts at zero.
    """
    entry = await newest_entry(desk, account.account_id)
    if entry is None:
        return ZERO
    return held_by_us(await exchange.fills_since(account.symbol, entry.t_ms), desk.installation)


def held_by_us(fills: Iterable[Fill], installation: str) -> Decimal:
    """What our entries among *fills* (oldest first) still hold: another hand may take from it, never add to it."""
    held = ZERO
    for fill in fills:
        signed = fill.qty if fill.side == "buy" else -fill.qty
        link = parse_link_id(fill.order_link_id)
        if link is not None and link.installation == installation and link.leg == "e":
            held += signed
        elif held and (held > 0) != (signed > 0):
            held = max(held + signed, ZERO) if held > 0 else min(held + signed, ZERO)
    return held


async def check_equity(desk: Desk, account: TraderAccount, exchange: Exchange, t_ms: int) -> Decimal:
    """
    Read the wallet, hold it against the books, record both at T; the difference in USDT.

    A fill landing between the two reads would look like a difference, so one is looked for again before it counts.
    """
    await import_fills(desk, account, exchange)
    wallet = await exchange.wallet()
    difference = await _difference(desk, account, wallet)
    if difference and await import_fills(desk, account, exchange):
        wallet = await exchange.wallet()
        difference = await _difference(desk, account, wallet)
    point = EquityPoint(account.account_id, t_ms, wallet.balance, wallet.equity, difference)
    await desk.ledger.record_equity(point)
    if not difference:
        desk.unbooked.discard(account.account_id)
    return difference


async def _difference(desk: Desk, account: TraderAccount, wallet: Wallet) -> Decimal:
    return wallet.balance - (await desk.ledger.books(account.account_id)).balance
