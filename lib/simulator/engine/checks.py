"""
The checks a request must pass before the venue accepts it, with Bybit's codes and words.

Each check raises *Refused* or returns; none of them changes anything. The order of the checks is part of the
behaviour: shape first, then duplicates, then the market, then money.
"""

import re
from decimal import Decimal

from lib.domain.instrument import Instrument
from lib.domain.margin import order_cost
from lib.domain.position import ZERO, Position
from lib.simulator.engine.accounts import HEDGE, Account
from lib.simulator.engine.books import Books
from lib.simulator.engine.orders import RISE, OrderRecord, OrderRequest, Protection, Refused, Trail

LINK_ID = re.compile(r"[0-9A-Za-z_-]{1,36}\Z")
MOST_ACTIVE, MOST_CONDITIONAL = 500, 10
MOST_PARTS = 20
"""Partial stops and targets that a position may have."""


def check_order(books: Books, account: Account, request: OrderRequest) -> Decimal:
    """*Refused* when the venue would not accept *request* now; else the last price it was checked with."""
    instrument = books.instrument(request.symbol)
    check_position_idx(account, request.position_idx)
    _check_link(books, account, request.link_id)
    check_shape(request, instrument)
    last = books.price(request.symbol)
    if last is None or not instrument.trading:
        raise Refused(110074, "This contract is not live")
    check_price(books, request, last, instrument)
    check_trigger(request, last)
    _check_counts(account, request)
    if request.reduce_only:
        _check_reduce_only(books, account, request)
    else:
        check_notional(request, last, instrument)
        base = request.price if request.order_type == "Limit" else last
        check_protection(request.side == "buy", request.protection, request.trigger_price or base)
        _check_margin(books, account, request, last)
    return last


def check_position_idx(account: Account, position_idx: int) -> None:
    """*Refused* 10001 when the index does not fit the position mode."""
    if (account.position_mode == HEDGE) != (position_idx in (1, 2)):
        raise Refused(10001, "position idx not match position mode")


def _check_link(books: Books, account: Account, link_id: str) -> None:
    if not link_id:
        return
    if len(link_id) > 36:
        raise Refused(10001, "order link id is longer than 36")
    if not LINK_ID.match(link_id):
        raise Refused(10001, "params error: orderLinkId invalid")
    if link_id in books.history[account.uid].links:
        raise Refused(110072, "OrderLinkedID is duplicate")


def check_shape(request: OrderRequest | OrderRecord, instrument: Instrument) -> None:
    if request.qty % instrument.qty_step:
        raise Refused(10001, "Qty invalid")
    if request.qty < instrument.min_qty:
        raise Refused(10001, "The number of contracts exceeds minimum limit allowed")
    most = instrument.max_market_qty * (1 if request.order_type == "Market" else 2)
    if request.qty > most:
        asked, allowed = (int(qty * 10**8) for qty in (request.qty, most))
        raise Refused(
            10001,
            f"The number of contracts exceeds maximum limit allowed: too large, order_qty:{asked} > max_qty:{allowed}",
        )
    if request.order_type == "Limit" and (request.price <= 0 or request.price % instrument.tick_size):
        raise Refused(10001, "params error: price invalid")
    protected = request.protection.stop_loss or request.protection.take_profit
    if request.reduce_only and protected:
        raise Refused(10001, "Reduce-only orders cannot carry TP/SL")


def check_price(books: Books, request: OrderRequest | OrderRecord, last: Decimal, instrument: Instrument) -> None:
    if request.order_type == "Market" or request.trigger_price:
        return
    reach = last * books.config.market_bound
    if request.side == "buy" and request.price > last + reach:
        raise Refused(110003, "Order price exceeds the allowable range.")
    if request.side == "sell" and request.price < last - reach:
        raise Refused(110003, "Order price exceeds the allowable range.")


def check_trigger(request: OrderRequest | OrderRecord, last: Decimal) -> None:
    if not request.trigger_price:
        return
    if request.trigger_direction not in (1, 2):
        raise Refused(10001, "params error: triggerDirection invalid")
    rising = request.trigger_direction == RISE
    if rising and request.trigger_price <= last:
        raise Refused(
            110092, f"expect Rising, but trigger_price[{_e4(request.trigger_price)}] <= current[{_e4(last)}]??1"
        )
    if not rising and request.trigger_price >= last:
        raise Refused(
            110093, f"expect Falling, but trigger_price[{_e4(request.trigger_price)}] >= current[{_e4(last)}]??1"
        )


def _check_counts(account: Account, request: OrderRequest) -> None:
    mine = [order for order in account.orders.values() if order.symbol == request.symbol]
    if len(mine) >= MOST_ACTIVE:
        raise Refused(110020, "Can't place more than 500 active orders")
    conditional = sum(1 for order in mine if order.trigger_price)
    if request.trigger_price and conditional >= MOST_CONDITIONAL:
        raise Refused(110009, "The number of stop orders exceeds the maximum allowable limit")


def _check_reduce_only(books: Books, account: Account, request: OrderRequest) -> None:
    position = books.holding(account, request.symbol).position
    if position.is_flat:
        raise Refused(110017, "current position is zero, cannot fix reduce-only order qty")
    if position.closing_side != request.side:
        raise Refused(110017, "Reduce-only rule not satisfied")


def check_notional(request: OrderRequest | OrderRecord, last: Decimal, instrument: Instrument) -> None:
    price = request.price if request.order_type == "Limit" else last
    if request.qty * price < instrument.min_notional:
        raise Refused(110094, "Order does not meet minimum order value " + f"{instrument.min_notional:f}USDT")


def check_protection(is_long: bool, wanted: Protection, base: Decimal) -> None:
    """*Refused* 10001 when a stop or target lies on the wrong side of *base*."""
    side = "Buy" if is_long else "Sell"
    stop, target = wanted.stop_loss, wanted.take_profit
    for name, price, below in (("sl", stop, is_long), ("tp", target, not is_long)):
        if price < 0:
            raise Refused(10001, f"params error: {name} invalid")
        if price and (price >= base if below else price <= base):
            word = "lower" if below else "greater"
            kind = "StopLoss" if name == "sl" else "TakeProfit"
            text = f"{kind}:{_e4(price)} set for {side} position should {word} base_price:{_e4(base)}??LastPrice"
            raise Refused(10001, text)


def _e4(price: Decimal) -> int:
    """Prices stand in Bybit's texts as integers, times 10,000."""
    return int(price * 10_000)


def _check_margin(books: Books, account: Account, request: OrderRequest, last: Decimal) -> None:
    if request.trigger_price:
        return
    position = books.holding(account, request.symbol).position
    qty = request.qty
    if not position.is_flat and position.closing_side == request.side:
        qty = max(qty - abs(position.qty), ZERO)
    price = last if request.order_type == "Market" else request.price
    if request.side == "sell":
        price = max(price, last)
    if qty * price > books.config.risk_limit:
        raise Refused(3400139, "The total value of positions and orders exceeds the risk limit")
    if order_cost(qty, price, position.leverage, books.fee_rate(account)) > books.available(account):
        raise Refused(110007, "ab not enough for new order")


def check_trail(is_long: bool, wanted: Trail, mark: Decimal, instrument: Instrument) -> None:
    """*Refused* 10001 for a trailing stop off the tick, out of reach, or active from where the price was already."""
    if not 0 <= wanted.distance < mark or wanted.distance % instrument.tick_size:
        raise Refused(10001, "params error: trailingStop invalid")
    active = wanted.active_price
    if active % instrument.tick_size or (active and (active <= mark if is_long else active >= mark)):
        raise Refused(10001, "params error: activePrice invalid")


def check_part(account: Account, position: Position, qty: Decimal, instrument: Instrument) -> None:
    """*Refused* for a partial stop or target of an odd quantity, of more than the position, or one too many."""
    if qty % instrument.qty_step or not instrument.min_qty <= qty <= abs(position.qty):
        raise Refused(10001, "params error: tpSize or slSize invalid")
    parts = [order for order in account.orders.values() if order.symbol == position.symbol and order.bond]
    if len(parts) >= MOST_PARTS:
        raise Refused(110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode")
