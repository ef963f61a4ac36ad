"""
An open order as a request would have it: the checks of an amendment, with Bybit's codes and words.

Changes nothing: `amended` answers with the order that would be, or raises *Refused*. What may be amended: quantity and
price of an order that is not filled, the trigger of one that is not triggered, the stop and target it carries; of a
position's stop or target its trigger, and in Partial mode its quantity and price. A trailing stop is amended by
trading-stop alone.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from lib.domain.margin import order_cost
from lib.domain.position import ZERO
from lib.simulator.engine.accounts import Account, cost_price, opening_qty
from lib.simulator.engine.books import Books
from lib.simulator.engine.checks import (
    check_notional,
    check_price,
    check_protection,
    check_shape,
    check_trigger,
)
from lib.simulator.engine.orders import OrderRecord, Protection, Refused, TriggerBy

UNCHANGED = "The order remains unchanged as the parameters entered match the existing ones."


@dataclass(frozen=True, slots=True)
class Amendment:
    """The new values of an order; None leaves one as it is, a stop or target of 0 takes it away."""

    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: TriggerBy | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_by: TriggerBy | None = None
    target_by: TriggerBy | None = None
    stop_limit: Decimal | None = None
    target_limit: Decimal | None = None


def amended(books: Books, account: Account, order: OrderRecord, change: Amendment) -> OrderRecord:
    """*order* with *change*; *Refused* when the venue would not have it so now."""
    new = replace(
        order,
        qty=_or(change.qty, order.qty),
        price=_or(change.price, order.price),
        trigger_price=_or(change.trigger_price, order.trigger_price),
        trigger_by=change.trigger_by or order.trigger_by,
        protection=_protection(order.protection, change),
    )
    if new == order:
        raise Refused(10001, UNCHANGED)
    _check_kind(order, new)
    last = books.price(order.symbol)
    instrument = books.instrument(order.symbol)
    if last is None or not instrument.trading:
        raise Refused(110074, "This contract is not live")
    if new.qty <= new.filled:
        raise Refused(110064, "The modified contract quantity cannot be less than or equal to the filled quantity.")
    if not new.is_protective or new.price != order.price or new.qty != order.qty:
        check_shape(new, instrument)
    if new.price != order.price:
        check_price(books, new, last, instrument)
    if new.trigger_price != order.trigger_price:
        check_trigger(new, last)
    if not new.reduce_only:
        _check_opening(books, account, (order, new), last)
    return new


def _or(wanted: Decimal | None, current: Decimal) -> Decimal:
    return current if wanted is None else wanted


def _protection(current: Protection, change: Amendment) -> Protection:
    return replace(
        current,
        stop_loss=_or(change.stop_loss, current.stop_loss),
        take_profit=_or(change.take_profit, current.take_profit),
        stop_by=change.stop_by or current.stop_by,
        target_by=change.target_by or current.target_by,
        stop_limit=_or(change.stop_limit, current.stop_limit),
        target_limit=_or(change.target_limit, current.target_limit),
    )


def _check_kind(order: OrderRecord, new: OrderRecord) -> None:
    """*Refused* when that value of an order of this kind cannot be amended."""
    if order.order_type == "Market" and new.price != order.price:
        raise Refused(10001, "params error: price invalid")
    if new.trigger_price != order.trigger_price and (not new.trigger_price or not _waits(order)):
        raise Refused(10001, "params error: triggerPrice invalid")
    if order.trail.distance:
        raise Refused(10001, "params error: a trailing stop is modified by trading-stop")
    if order.is_protective and new.qty != order.qty and not order.bond:
        raise Refused(110060, "Under full TP/SL mode, it is not allowed to modify TP/SL")
    if order.is_protective and new.protection != order.protection:
        raise Refused(10001, "params error: takeProfit or stopLoss invalid")
    if order.filled and new.protection != order.protection:
        raise Refused(110059, "Not allowed to modify the TP/SL of a partially filled open order")


def _waits(order: OrderRecord) -> bool:
    """Whether the order has a trigger that was not reached yet."""
    return bool(order.trigger_price) and (order.status == "Untriggered" or not order.stop_order_type)


def _check_opening(books: Books, account: Account, orders: tuple[OrderRecord, OrderRecord], last: Decimal) -> None:
    """*Refused* when there is no margin for the new order in place of the old one, or its stop or value is odd."""
    order, new = orders
    check_notional(new, last, books.instrument(new.symbol))
    if new.protection != order.protection:
        base = new.price if new.order_type == "Limit" else last
        check_protection(new.side == "buy", new.protection, new.trigger_price or base)
    if _waits(new):
        return
    position, fee = books.holding(account, new.symbol).position, books.fee_rate(account)
    before, after = (opening_qty(position, one) for one in orders)
    if after * cost_price(new) > books.config.risk_limit:
        raise Refused(3400139, "The total value of positions and orders exceeds the risk limit")
    more = order_cost(after, cost_price(new), position.leverage, fee)
    more -= order_cost(before, cost_price(order), position.leverage, fee)
    if more > max(books.available(account), ZERO):
        raise Refused(110007, "ab not enough for new order")
