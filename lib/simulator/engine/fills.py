"""
The effects of a fill: position, fees, cash, rows, protection; and the fill without an order, a liquidation.

Fees are qty x price x rate, exact, in the coin and with the tax of the account (`charges`). Realised profit follows
`lib.domain.position.apply_fill`. A liquidation closes at the bankruptcy price, whatever the market says: an isolated
position loses its margin and no more, an account in cross margin its cash and no more.
"""

from dataclasses import replace
from decimal import Decimal

from lib.domain.fill_prices import takeover_price
from lib.domain.position import AVERAGE_STEP, ZERO, Position, Side, apply_fill, unrealised_pnl
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.books import Books, CashMove
from lib.simulator.engine.charges import USDT, Cost, cost
from lib.simulator.engine.margin import bust_price, exhausting_price
from lib.simulator.engine.orders import ClosedPnl, Execution, OrderRecord, Transaction, id_of
from lib.simulator.engine.protection import Part, cancel, follow, forget, protect, protect_part, unprotect


def fill(
    books: Books, account: Account, order: OrderRecord, qty: Decimal, price: Decimal, *, maker: bool = False
) -> None:
    """Fill *qty* of *order* at *price*, with every effect on position, cash and child orders."""
    holding = books.holding(account, order.symbol)
    before = holding.position
    holding.position, realised = apply_fill(before, order.side, qty, price)
    rate = books.config.maker_fee if maker else books.config.taker_fee
    paid = cost(account.terms, account.coins, qty * price, rate)
    row = _book(books, account, order, (qty, price, realised), paid)
    closed = _closed(before, order.side, qty)
    _count(books, holding, row, closed)
    order.filled += qty
    order.filled_value += qty * price
    _count_fee(order, paid)
    order.status = "Filled" if order.filled >= order.qty else "PartiallyFilled"
    if closed:
        _remember_close(books, account, order, holding, (before, row, closed))
    books.changed(account, order)
    books.add_execution(account, _execution(books, account, order, row, (closed, maker, paid)))
    _after_fill(books, account, order, before, first=order.filled == qty)


def _closed(before: Position, side: Side, qty: Decimal) -> Decimal:
    """The quantity of a fill that closed a position."""
    if before.is_flat or before.closing_side != side:
        return ZERO
    return min(abs(before.qty), qty)


def _count_fee(order: OrderRecord, paid: Cost) -> None:
    if paid.coin == USDT:
        order.fee += paid.fee
    else:
        order.coin_fees[paid.coin] = order.coin_fees.get(paid.coin, ZERO) + paid.fee


def _book(
    books: Books, account: Account, order: OrderRecord, terms: tuple[Decimal, Decimal, Decimal], paid: Cost
) -> Transaction:
    """The row of the fill's change of cash; a cost in another coin has its own row before."""
    qty, price, realised = terms
    move = CashMove(
        kind="LIQUIDATION" if order.create_type == "CreateByLiq" else "TRADE",
        symbol=order.symbol,
        side=order.side,
        qty=qty,
        size=books.holding(account, order.symbol).position.qty,
        price=price,
        cash_flow=realised,
        fee=paid.fee,
        fee_rate=paid.rate,
        order_id=order.order_id,
        link_id=order.link_id,
        trade_id=id_of(account.uid, "execution", account.seq + 1),
        extra=paid.extra,
    )
    if paid.coin == USDT:
        return books.book(account, move)
    books.book(account, replace(move, cash_flow=ZERO), paid.coin)
    return books.book(account, replace(move, fee=ZERO, extra=()))


def _count(books: Books, holding: Holding, row: Transaction, closed: Decimal) -> None:
    """Realised totals are net of fees; the opening part of the fee waits for its closing."""
    if closed == 0 and abs(row.size) == row.qty:
        holding.opened_ms, holding.current_realised, holding.open_fee = books.now, ZERO, ZERO
    net = row.cash_flow - row.cost
    holding.current_realised += net
    holding.total_realised += net
    holding.open_fee += _share(row.cost, row.qty - closed, row.qty)
    holding.updated_ms = books.now


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return (amount * part / whole).quantize(AVERAGE_STEP)


def _remember_close(
    books: Books,
    account: Account,
    order: OrderRecord,
    holding: Holding,
    close: tuple[Position, Transaction, Decimal],
) -> None:
    before, row, closed = close
    opening = _share(row.cost, row.qty - closed, row.qty)
    open_fee = _share(holding.open_fee - opening, closed, abs(before.qty))
    holding.open_fee -= open_fee
    closed_pnl = _profit(books, account, order, close, (open_fee, row.cost - opening))
    order.closed_pnl += closed_pnl.pnl
    books.history[account.uid].closed_pnls.append(closed_pnl)
    books.new_rows.append(("closed_pnl", closed_pnl))


def _profit(
    books: Books,
    account: Account,
    order: OrderRecord,
    close: tuple[Position, Transaction, Decimal],
    fees: tuple[Decimal, Decimal],
) -> ClosedPnl:
    (before, row, closed), (open_fee, close_fee) = close, fees
    return ClosedPnl(
        uid=account.uid,
        seq=books.next_seq(account),
        symbol=order.symbol,
        order_id=order.order_id,
        side=order.side,
        order_type=order.order_type,
        exec_type=_exec_type(order),
        order_price=order.price,
        qty=closed,
        avg_entry=before.avg_entry_price,
        exit_price=row.price,
        pnl=row.cash_flow - open_fee - close_fee,
        leverage=before.leverage,
        open_fee=open_fee,
        close_fee=close_fee,
        at_ms=books.now,
    )


def _exec_type(order: OrderRecord) -> str:
    return "BustTrade" if order.create_type == "CreateByLiq" else "Trade"


def _execution(
    books: Books, account: Account, order: OrderRecord, row: Transaction, how: tuple[Decimal, bool, Cost]
) -> Execution:
    closed, maker, paid = how
    return Execution(
        exec_id=row.trade_id,
        uid=account.uid,
        seq=books.next_seq(account),
        symbol=order.symbol,
        order_id=order.order_id,
        link_id=order.link_id,
        side=order.side,
        order_type=order.order_type,
        stop_order_type=order.stop_order_type,
        create_type=order.create_type,
        order_price=order.price,
        order_qty=order.qty,
        left=order.left,
        qty=row.qty,
        price=row.price,
        fee=paid.fee,
        fee_rate=row.fee_rate,
        exec_type=_exec_type(order),
        is_maker=maker,
        closed_size=closed,
        realised=row.cash_flow,
        mark_price=books.mark(order.symbol),
        at_ms=books.now,
        parent_link_id=order.parent_link_id,
        fee_coin=paid.coin,
        extra=paid.extra,
    )


def _after_fill(books: Books, account: Account, order: OrderRecord, before: Position, *, first: bool) -> None:
    """Bring stop, target and reduce-only orders in line with the position after the fill."""
    holding = books.holding(account, order.symbol)
    after = holding.position
    turned = before.qty != 0 and (after.is_flat or after.direction != before.direction)
    if turned:
        unprotect(books, account, order.symbol)
        _drop_reduce_only(books, account, order.symbol)
    opens = not after.is_flat and after.closing_side != order.side
    if opens and order.protection.is_partial:
        _attach_part(books, account, order, abs(after.qty) - (ZERO if turned else abs(before.qty)))
    elif opens and (first or before.direction != after.direction):
        _attach(books, account, order)
    follow(books, account, order.symbol)
    if after.is_flat:
        forget(holding)
    books.moved(account, order.symbol)


def _attach(books: Books, account: Account, order: OrderRecord) -> None:
    """Give the position the stop and target that its entry carried, unless a fault drops the stop."""
    wanted = order.protection
    if wanted.stop_loss and books.faults.take("drop_stop", uid=account.uid):
        wanted = replace(wanted, stop_loss=ZERO)
    if wanted.stop_loss or wanted.take_profit:
        protect(books, account, order.symbol, wanted, order.link_id)


def _attach_part(books: Books, account: Account, order: OrderRecord, opened: Decimal) -> None:
    """Give what the order *opened* of the position the stop and target that it carried."""
    wanted = order.protection
    if wanted.stop_loss and books.faults.take("drop_stop", uid=account.uid):
        wanted = replace(wanted, stop_loss=ZERO)
    if opened > 0:
        protect_part(books, account, order.symbol, wanted, Part(opened, order.order_id, order.link_id))


def _drop_reduce_only(books: Books, account: Account, symbol: str) -> None:
    for other in list(account.orders.values()):
        if other.symbol == symbol and other.reduce_only and other.is_resting:
            cancel(books, account, other, "CancelByReduceOnly")


def liquidate(books: Books, account: Account, symbol: str) -> None:
    """Liquidate the position of *symbol* at its bankruptcy price; in cross margin every position of the account."""
    if account.is_isolated:
        _take_over(books, account, symbol, _takeover_price(books, books.holding(account, symbol)))
        return
    opened = [holding for holding in account.holdings.values() if not holding.position.is_flat]
    opened.sort(key=lambda holding: abs(holding.position.qty) * holding.position.avg_entry_price)
    for holding in sorted(opened[:-1], key=lambda one: -unrealised_pnl(one.position, books.mark(one.position.symbol))):
        _take_over(books, account, holding.position.symbol, _bounded_price(books, account, holding.position))
    last = opened[-1].position
    _take_over(books, account, last.symbol, exhausting_price(books, account, last))


def _bounded_price(books: Books, account: Account, position: Position) -> Decimal:
    """The mark price, unless closing there would take more than the account's cash."""
    mark, edge = books.mark(position.symbol), exhausting_price(books, account, position)
    return max(mark, edge) if position.qty > 0 else min(mark, edge)


def _take_over(books: Books, account: Account, symbol: str, price: Decimal) -> None:
    """Close the position of *symbol* at *price*, whatever the market says; its orders are cancelled first."""
    position = books.holding(account, symbol).position
    for other in list(account.orders.values()):
        if other.symbol == symbol and not other.is_protective:
            cancel(books, account, other, "CancelByPrepareLiq")
    seq = books.next_seq(account)
    order = OrderRecord(
        order_id=id_of(account.uid, "order", seq),
        link_id="",
        uid=account.uid,
        seq=seq,
        symbol=symbol,
        side=position.closing_side,
        order_type="Market",
        time_in_force="IOC",
        qty=abs(position.qty),
        price=price,
        reduce_only=True,
        close_on_trigger=True,
        created_ms=books.now,
        updated_ms=books.now,
        create_type="CreateByLiq",
        last_on_created=books.mark(symbol),
    )
    books.add_order(account, order)
    fill(books, account, order, order.qty, price)


def _takeover_price(books: Books, holding: Holding) -> Decimal:
    position = holding.position
    return takeover_price(books.instrument(position.symbol), position.qty, bust_price(holding))
