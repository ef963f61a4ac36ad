"""
The stop and the target of a position, as the child orders Bybit makes of them.

Full mode: each position has at most one stop and one target, sized as the position, market and reduce-only, without a
link id of their own but with their parent's. Replacing one amends it in place; when the position closes or changes
side, both are cancelled (CancelByTpSlTsClear). Their triggering is in `matching`.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from lib.domain.position import ZERO
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.books import Books
from lib.simulator.engine.orders import FALL, RISE, OrderRecord, Protection, TriggerBy, id_of

Leg = Literal["StopLoss", "TakeProfit"]


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
    for order_id in (holding.stop_id, holding.target_id):
        child = account.orders.get(order_id)
        if child is not None and child.qty != abs(holding.position.qty):
            child.qty = abs(holding.position.qty)
            books.changed(account, child)


def unprotect(books: Books, account: Account, symbol: str, cancel_type: str = "CancelByTpSlTsClear") -> None:
    """Cancel stop and target."""
    holding = books.holding(account, symbol)
    for order_id in (holding.stop_id, holding.target_id):
        child = account.orders.get(order_id)
        if child is not None and child.status == "Untriggered":
            cancel(books, account, child, cancel_type)
    forget(holding)


def forget(holding: Holding) -> None:
    """Unlink stop and target from the position."""
    holding.stop_id = holding.target_id = ""
    holding.position = replace(holding.position, stop_loss=ZERO, take_profit=ZERO)


def unlink(books: Books, account: Account, child: OrderRecord) -> None:
    """The position loses *child*, which was cancelled or lost."""
    holding = books.holding(account, child.symbol)
    if child.order_id == holding.stop_id:
        holding.stop_id = ""
        holding.position = replace(holding.position, stop_loss=ZERO)
    elif child.order_id == holding.target_id:
        holding.target_id = ""
        holding.position = replace(holding.position, take_profit=ZERO)


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
    position, seq = holding.position, books.next_seq(account)
    rises = (position.qty > 0) == (leg == "TakeProfit")
    child = OrderRecord(
        order_id=id_of(account.uid, "order", seq),
        link_id="",
        uid=account.uid,
        seq=seq,
        symbol=position.symbol,
        side=position.closing_side,
        order_type="Market",
        time_in_force="IOC",
        qty=abs(position.qty),
        price=ZERO,
        reduce_only=True,
        close_on_trigger=True,
        created_ms=books.now,
        updated_ms=books.now,
        status="Untriggered",
        create_type=f"CreateBy{leg}",
        stop_order_type=leg,
        parent_link_id=parent_link,
        trigger_price=price,
        trigger_direction=RISE if rises else FALL,
        trigger_by=trigger_by,
        last_on_created=books.mark(position.symbol),
    )
    books.add_order(account, child)
    books.changed(account, child)
    return child.order_id
