"""
The stop and the target of a position, as the child orders Bybit makes of them.

Full mode: each position has at most one stop, one target and one trailing stop, sized as the position, market and
reduce-only, without a link id of their own but with their parent's. Replacing one amends it in place. Partial mode adds
stops and targets of a quantity of their own; a pair set together is bound, and the end of one ends the other. When the
position closes or changes side, all are cancelled (CancelByTpSlTsClear). A trailing stop moves with each print and only
towards the price (`trail_on`). Their triggering is in `matching`.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain.position import ZERO
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.books import Books
from lib.simulator.engine.orders import FALL, NO_TRAIL, RISE, OrderRecord, Protection, Trail, TriggerBy, id_of

Leg = Literal["StopLoss", "TakeProfit"]


@dataclass(frozen=True, slots=True)
class Child:
    """A child order to be made: when it triggers, and what it is then (*limit* 0 = at market; *qty* 0 = everything)."""

    kind: str
    price: Decimal
    by: TriggerBy = "LastPrice"
    rises: bool = False
    parent_link: str = ""
    qty: Decimal = ZERO
    limit: Decimal = ZERO
    bond: str = ""
    trail: Trail = NO_TRAIL


def protection_of(account: Account, holding: Holding) -> Protection:
    """The stop and target that the position of *holding* has now."""
    stop, target = account.orders.get(holding.stop_id), account.orders.get(holding.target_id)
    return Protection(
        stop.trigger_price if stop else ZERO,
        target.trigger_price if target else ZERO,
        stop.trigger_by if stop else "LastPrice",
        target.trigger_by if target else "LastPrice",
    )


def protect(books: Books, account: Account, symbol: str, wanted: Protection, parent_link: str = "") -> None:
    """Make *wanted* the stop and target of an open position, 0 removing one."""
    holding = books.holding(account, symbol)
    holding.stop_id = _set_leg(books, account, holding, "StopLoss", (wanted.stop_loss, wanted.stop_by, parent_link))
    target = (wanted.take_profit, wanted.target_by, parent_link)
    holding.target_id = _set_leg(books, account, holding, "TakeProfit", target)
    position = replace(holding.position, stop_loss=wanted.stop_loss, take_profit=wanted.take_profit)
    holding.position = position
    books.moved(account, symbol)


def follow(books: Books, account: Account, symbol: str) -> None:
    """Size stop and target as the position is now."""
    holding = books.holding(account, symbol)
    for order_id in (holding.stop_id, holding.target_id, holding.trail_id):
        child = account.orders.get(order_id)
        if child is not None and child.qty != abs(holding.position.qty):
            child.qty = abs(holding.position.qty)
            books.changed(account, child)


def unprotect(books: Books, account: Account, symbol: str, cancel_type: str = "CancelByTpSlTsClear") -> None:
    """Cancel stops, targets and the trailing stop."""
    for child in list(account.orders.values()):
        if child.symbol == symbol and child.is_protective and child.status == "Untriggered":
            cancel(books, account, child, cancel_type)
    forget(books.holding(account, symbol))


def forget(holding: Holding) -> None:
    """Unlink stop, target and trailing stop from the position, and free what was added to its margin."""
    holding.stop_id = holding.target_id = holding.trail_id = ""
    holding.trailing = holding.extra_margin = ZERO
    holding.position = replace(holding.position, stop_loss=ZERO, take_profit=ZERO)


def unlink(books: Books, account: Account, child: OrderRecord) -> None:
    """The position loses *child*, which was triggered or cancelled; what *child* is bound to is cancelled."""
    holding = books.holding(account, child.symbol)
    if child.order_id == holding.stop_id:
        holding.stop_id = ""
        holding.position = replace(holding.position, stop_loss=ZERO)
    elif child.order_id == holding.target_id:
        holding.target_id = ""
        holding.position = replace(holding.position, take_profit=ZERO)
    elif child.order_id == holding.trail_id:
        holding.trail_id, holding.trailing = "", ZERO
    for other in bound(account, child.bond) if child.bond else ():
        if other is not child:
            cancel(books, account, other, "CancelByTpSlTsClear")


def bound(account: Account, bond: str) -> list[OrderRecord]:
    """The open partial stop and target of *bond* that wait for their trigger."""
    return [order for order in account.orders.values() if order.bond == bond and order.status == "Untriggered"]


def cancel(books: Books, account: Account, order: OrderRecord, cancel_type: str, reason: str = "EC_NoError") -> None:
    """Close *order* without (further) fills."""
    order.status, order.cancel_type, order.reject_reason, order.match_at = "Cancelled", cancel_type, reason, 0
    books.changed(account, order)


def _set_leg(books: Books, account: Account, holding: Holding, leg: Leg, wanted: tuple[Decimal, TriggerBy, str]) -> str:
    """Bring one child in line with (price, trigger by, parent link id); returns its order id, "" for none."""
    price, trigger_by, parent_link = wanted
    current = account.orders.get(holding.stop_id if leg == "StopLoss" else holding.target_id)
    if current is None:
        return _new_leg(books, account, holding, leg, wanted) if price else ""
    if not price:
        cancel(books, account, current, "CancelByUser")
        return ""
    same = (current.trigger_price, current.trigger_by, current.qty) == (price, trigger_by, abs(holding.position.qty))
    if not same:
        current.trigger_price, current.trigger_by, current.qty = price, trigger_by, abs(holding.position.qty)
        current.parent_link_id = parent_link or current.parent_link_id
        books.changed(account, current)
    return current.order_id


def _new_leg(books: Books, account: Account, holding: Holding, leg: Leg, wanted: tuple[Decimal, TriggerBy, str]) -> str:
    price, trigger_by, parent_link = wanted
    rises = (holding.position.qty > 0) == (leg == "TakeProfit")
    return _new_child(books, account, holding, Child(leg, price, trigger_by, rises, parent_link))


def _new_child(books: Books, account: Account, holding: Holding, child: Child) -> str:
    """Make *child* an order of the position of *holding*; returns its order id."""
    position, seq = holding.position, books.next_seq(account)
    order = OrderRecord(
        order_id=id_of(account.uid, "order", seq),
        link_id="",
        uid=account.uid,
        seq=seq,
        symbol=position.symbol,
        side=position.closing_side,
        order_type="Limit" if child.limit else "Market",
        time_in_force="GTC" if child.limit else "IOC",
        qty=child.qty or abs(position.qty),
        price=child.limit,
        reduce_only=True,
        close_on_trigger=True,
        created_ms=books.now,
        updated_ms=books.now,
        status="Untriggered",
        create_type=f"CreateBy{child.kind}",
        stop_order_type=child.kind,
        parent_link_id=child.parent_link,
        trigger_price=child.price,
        trigger_direction=RISE if child.rises else FALL,
        trigger_by=child.by,
        last_on_created=books.mark(position.symbol),
        trail=child.trail,
        bond=child.bond,
    )
    books.add_order(account, order)
    books.changed(account, order)
    return order.order_id


# --- of a part of the position ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A quantity to be protected, by a stop and a target with the same *bond*."""

    qty: Decimal
    bond: str
    parent_link: str = ""


def protect_part(books: Books, account: Account, symbol: str, wanted: Protection, part: Part) -> None:
    """Add a stop and a target of *part*, or let those of its bond grow by its quantity."""
    if there := bound(account, part.bond):
        for child in there:
            child.qty += part.qty
            books.changed(account, child)
        return
    holding = books.holding(account, symbol)
    is_long = holding.position.qty > 0
    same = (part.parent_link, part.qty)
    legs = (
        Child("PartialStopLoss", wanted.stop_loss, wanted.stop_by, not is_long, *same, wanted.stop_limit),
        Child("PartialTakeProfit", wanted.take_profit, wanted.target_by, is_long, *same, wanted.target_limit),
    )
    for leg in legs:
        if leg.price:
            _new_child(books, account, holding, replace(leg, bond=part.bond))
    books.moved(account, symbol)


# --- the trailing stop ------------------------------------------------------------------------------------------------


def trail_of(account: Account, holding: Holding) -> Trail:
    """The trailing stop that the position of *holding* has now."""
    child = account.orders.get(holding.trail_id)
    return child.trail if child else NO_TRAIL


def set_trail(books: Books, account: Account, symbol: str, wanted: Trail) -> None:
    """Make *wanted* the trailing stop of an open position from the present price on, or take the stop away."""
    holding = books.holding(account, symbol)
    current = account.orders.get(holding.trail_id)
    holding.trailing = wanted.distance
    if not wanted.distance:
        holding.trail_id = ""
        if current is not None:
            cancel(books, account, current, "CancelByUser")
    elif current is None:
        holding.trail_id = _new_child(books, account, holding, _trailing_child(books, holding, wanted))
    else:
        child = _trailing_child(books, holding, wanted)
        current.trail, current.trigger_price = wanted, child.price
        current.trigger_direction = RISE if child.rises else FALL
        books.changed(account, current)
    books.moved(account, symbol)


def _trailing_child(books: Books, holding: Holding, wanted: Trail) -> Child:
    """Until it is active, a trailing stop waits for the price to come to its active price."""
    is_long = holding.position.qty > 0
    if wanted.active_price:
        return Child("TrailingStop", wanted.active_price, rises=is_long, trail=wanted)
    mark = books.mark(holding.position.symbol)
    price = mark - wanted.distance if is_long else mark + wanted.distance
    return Child("TrailingStop", price, rises=not is_long, trail=wanted)


def trail_on(books: Books, account: Account, order: OrderRecord, price: Decimal) -> None:
    """A print at *price*: the trailing stop *order* begins to trail, or comes nearer; it never moves away."""
    sells = order.side == "sell"
    behind = price - order.trail.distance if sells else price + order.trail.distance
    if order.trail.active_price:
        if order.is_hit(price):
            order.trail, order.trigger_price = Trail(order.trail.distance), behind
            order.trigger_direction = FALL if sells else RISE
            books.changed(account, order)
    elif behind > order.trigger_price if sells else behind < order.trigger_price:
        order.trigger_price = behind
        books.touch(account, order.symbol)
