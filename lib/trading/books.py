"""
Books kept from the exchange's own executions, and the equity identity.

balance = start + realised − fees + funding, to the last decimal; the difference to the exchange's wallet is recorded
every cycle, never smoothed. Transfers are not told apart from a difference here.
"""

from decimal import Decimal

from lib.ports import EquityPoint, Exchange, TraderAccount, Wallet
from lib.trading.desk import Desk

OVERLAP_MS = 60_000
"""Executions are asked for again this far back: indexing lags, and exec ids make booking twice impossible."""


async def import_fills(desk: Desk, account: TraderAccount, exchange: Exchange) -> int:
    """Book every execution not seen yet, oldest first; how many were new."""
    books = await desk.ledger.books(account.account_id)
    fills = await exchange.fills_since(account.symbol, max(0, books.last_fill_ms - OVERLAP_MS))
    return await desk.ledger.record_fills(account.account_id, fills) if fills else 0


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
    return difference


async def _difference(desk: Desk, account: TraderAccount, wallet: Wallet) -> Decimal:
    return wallet.balance - (await desk.ledger.books(account.account_id)).balance
