"""
Funding: every eight hours (00, 08, 16 UTC) longs pay rate x value at the mark to shorts, or the other way round.

The rate of a funding time is a pure function of the engine's seed, the symbol and the time. A halted symbol settles
nothing. The payment is a SETTLEMENT in the ledger (positive when received) and a Funding execution (fee of the
opposite sign).
"""

from decimal import Decimal

from lib.domain.funding import funding_rate
from lib.domain.position import ZERO, Side
from lib.simulator.engine.accounts import Account
from lib.simulator.engine.books import Books, CashMove
from lib.simulator.engine.orders import Execution, Transaction, id_of


def pay_funding(books: Books, at_ms: int) -> None:
    """Book the funding payments of every account at the funding time *at_ms*."""
    for uid in sorted(books.accounts):
        account = books.accounts[uid]
        for symbol, holding in account.holdings.items():
            if not holding.position.is_flat and books.price(symbol) is not None:
                _pay(books, account, symbol, funding_rate(books.config, symbol, at_ms))


def _pay(books: Books, account: Account, symbol: str, rate: Decimal) -> None:
    holding = books.holding(account, symbol)
    position, mark = holding.position, books.mark(symbol)
    funding = -position.qty * mark * rate
    side: Side = "buy" if position.qty > 0 else "sell"
    move = CashMove(
        "SETTLEMENT",
        symbol,
        side,
        qty=abs(position.qty),
        size=position.qty,
        price=mark,
        funding=funding,
        fee_rate=rate,
        trade_id=id_of(account.uid, "execution", account.seq + 1),
    )
    row = books.book(account, move)
    holding.current_realised += funding
    holding.total_realised += funding
    books.add_execution(account, _execution(row, side, books.next_seq(account)))


def _execution(row: Transaction, side: Side, seq: int) -> Execution:
    return Execution(
        exec_id=row.trade_id,
        uid=row.uid,
        seq=seq,
        symbol=row.symbol,
        order_id=row.row_id,
        link_id="",
        side=side,
        order_type="UNKNOWN",
        stop_order_type="UNKNOWN",
        create_type="",
        order_price=ZERO,
        order_qty=ZERO,
        left=ZERO,
        qty=row.qty,
        price=row.price,
        fee=-row.funding,
        fee_rate=row.fee_rate,
        exec_type="Funding",
        is_maker=False,
        closed_size=ZERO,
        realised=ZERO,
        mark_price=row.price,
        at_ms=row.at_ms,
    )
