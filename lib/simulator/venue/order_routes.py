"""The signed routes about orders: create, amend, cancel, and the three lists that tell an order's end."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from lib.domain.position import ZERO, Side
from lib.simulator.engine.amending import Amendment
from lib.simulator.engine.checks import check_order
from lib.simulator.engine.margin import maintenance
from lib.simulator.engine.orders import (
    Execution,
    OrderRecord,
    OrderRequest,
    OrderType,
    Protection,
    Refused,
    TimeInForce,
)
from lib.simulator.venue.call import Call
from lib.simulator.venue.paging import DAY_MS, between, page, window
from lib.simulator.venue.position_routes import limit_of, trigger_by
from lib.simulator.venue.wire import execution_row, order_row

Result = dict[str, Any]
SIDES: dict[str, Side] = {"Buy": "buy", "Sell": "sell"}
ORDER_TYPES: dict[str, OrderType] = {"Market": "Market", "Limit": "Limit"}
TIMES_IN_FORCE: dict[str, TimeInForce] = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "PostOnly": "PostOnly"}
REALTIME_CLOSED = 500
UNFILLED_KEPT_MS = DAY_MS


def create(call: Call) -> Result:
    """Create an order; the answer acknowledges an order that is accepted and not yet matched."""
    call.linear()
    request = _request(call)
    if call.engine.faults.take("twin_taken", path="/v5/order/create", uid=call.account.uid):
        call.engine.books.history[call.account.uid].links.pop(request.link_id, None)
    order = call.engine.dealing.place(call.account.uid, request)
    stale = call.engine.faults.take("stale_realtime", path="/v5/order/create", uid=call.account.uid)
    if stale is not None:
        call.veil.hidden_until[order.order_id] = call.now + stale.number("ms", 2_000)
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _request(call: Call) -> OrderRequest:
    params = call.params
    side, kind = SIDES.get(params.text("side")), ORDER_TYPES.get(params.text("orderType"))
    time_in_force = TIMES_IN_FORCE.get(params.text("timeInForce") or "GTC")
    if side is None or kind is None or time_in_force is None:
        raise Refused(10001, "params error: side, orderType or timeInForce invalid")
    return OrderRequest(
        symbol=call.symbol(),
        side=side,
        qty=_required_qty(call),
        order_type=kind,
        price=params.positive("price") if kind == "Limit" else ZERO,
        time_in_force=time_in_force,
        link_id=params.text("orderLinkId"),
        reduce_only=params.flag("reduceOnly"),
        close_on_trigger=params.flag("closeOnTrigger"),
        position_idx=params.integer("positionIdx", 0, 0, 2),
        protection=_protection(call),
        trigger_price=params.positive("triggerPrice"),
        trigger_direction=params.integer("triggerDirection", 0, 0, 2),
        trigger_by=trigger_by(call, "triggerBy") or "LastPrice",
    )


def _required_qty(call: Call) -> Any:
    call.params.required("qty")
    return call.params.positive("qty")


def _protection(call: Call) -> Protection:
    params = call.params
    is_partial = params.one_of("tpslMode", "Full", ("Full", "Partial")) == "Partial"
    return Protection(
        params.positive("stopLoss"),
        params.positive("takeProfit"),
        trigger_by(call, "slTriggerBy") or "LastPrice",
        trigger_by(call, "tpTriggerBy") or "LastPrice",
        is_partial,
        stop_limit=limit_of(call, "sl", is_partial),
        target_limit=limit_of(call, "tp", is_partial),
    )


def pre_check(call: Call) -> Result:
    """What an order would do to the account's margin rates, each times 10,000; refused as the order would be."""
    call.linear()
    if call.account.is_isolated:
        raise Refused(3200403, "isolated margin can not create order")
    request, books, account = _request(call), call.engine.books, call.account
    last = check_order(books, account, request)
    held = books.position_margin(account) + books.order_margin(account)
    kept = maintenance(books, account)
    value = request.qty * (request.price or last)
    leverage = books.holding(account, request.symbol).position.leverage
    return {
        "orderId": "",
        "orderLinkId": request.link_id,
        "preImrE4": _e4(call, held),
        "preMmrE4": _e4(call, kept),
        "postImrE4": _e4(call, held if request.reduce_only else held + value / leverage),
        "postMmrE4": _e4(call, kept if request.reduce_only else kept + value * call.engine.config.maintenance_rate),
    }


def _e4(call: Call, part: Decimal) -> int:
    equity = call.account.cash + call.engine.books.open_profit(call.account)
    return int(part / equity * 10_000) if equity > 0 else 0


def amend(call: Call) -> Result:
    """Change an open order, by orderId or else orderLinkId; what is not named stays."""
    call.linear()
    call.symbol()
    order = call.engine.dealing.amend(call.account.uid, *_named(call), _amendment(call))
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _amendment(call: Call) -> Amendment:
    names = ("qty", "price", "triggerPrice", "stopLoss", "takeProfit", "slLimitPrice", "tpLimitPrice")
    for name in names:
        call.params.positive(name)
    qty, price, trigger, stop, target, stop_limit, target_limit = map(call.params.decimal, names)
    return Amendment(
        qty,
        price,
        trigger,
        trigger_by(call, "triggerBy"),
        stop,
        target,
        trigger_by(call, "slTriggerBy"),
        trigger_by(call, "tpTriggerBy"),
        stop_limit,
        target_limit,
    )


def _named(call: Call) -> tuple[str, str]:
    """The order id and link id asked for, one of them at least."""
    order_id, link_id = call.params.text("orderId"), call.params.text("orderLinkId")
    if not order_id and not link_id:
        raise Refused(10001, "params error: orderId or orderLinkId is required")
    return order_id, link_id


def cancel(call: Call) -> Result:
    """Cancel one order, by orderId or else orderLinkId."""
    call.linear()
    call.symbol()
    order_id, link_id = _named(call)
    order = call.engine.dealing.cancel(call.account.uid, order_id, link_id)
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def cancel_all(call: Call) -> Result:
    """Cancel all orders of one symbol or of all; without orderFilter the stops and targets of positions too."""
    call.linear()
    symbol, wanted = call.params.text("symbol"), call.params.text("orderFilter")
    if not symbol and not (call.params.text("settleCoin") or call.params.text("baseCoin")):
        raise Refused(10001, "params error: symbol, settleCoin or baseCoin is required")
    if symbol:
        call.symbol()

    def matches(order: OrderRecord) -> bool:
        return symbol in ("", order.symbol) and wanted in ("", _filter_of(order))

    dropped = call.engine.dealing.cancel_all(call.account.uid, matches)
    rows = [{"orderId": order.order_id, "orderLinkId": order.link_id} for order in dropped]
    return {"list": rows, "success": "1"}


def _filter_of(order: OrderRecord) -> str:
    if order.is_protective:
        return "tpslOrder"
    return "StopOrder" if order.trigger_price else "Order"


# --- asking -----------------------------------------------------------------------------------------------------------


def realtime(call: Call) -> Result:
    """Open orders, or the last closed ones with openOnly=1; by id both."""
    call.linear()
    if not any(call.params.text(name) for name in ("symbol", "baseCoin", "settleCoin")):
        raise Refused(10001, "params error: symbol, baseCoin or settleCoin is required")
    history = call.engine.books.history[call.account.uid]
    recent = [order for order in history.closed[-REALTIME_CLOSED:] if order.updated_ms > call.veil.forgotten_before]
    if _asks_by_id(call):
        found = _by_id(call, [*recent, *call.account.orders.values()])
    else:
        source = recent if call.params.integer("openOnly", 0, 0, 1) else list(call.account.orders.values())
        found = _of_symbol(call, source)
    return _order_page(call, [order for order in found if _is_visible(call, order)])


def history(call: Call) -> Result:
    """Closed orders; an order that closed without a fill is forgotten after a day."""
    call.linear()
    if _asks_by_id(call):
        order = call.engine.dealing.find(call.account.uid, call.params.text("orderId"), call.params.text("orderLinkId"))
        found = [order] if order is not None and not order.is_open else []
    else:
        start, end = window(call.params, call.now)
        closed = call.engine.books.history[call.account.uid].closed
        recent = closed[bisect_left(closed, start, key=lambda order: order.updated_ms) :]  # closed after it was made
        found = [order for order in _of_symbol(call, recent) if start <= order.created_ms <= end]
    return _order_page(call, [order for order in found if _is_in_history(call, order)])


def executions(call: Call) -> Result:
    """Fills, liquidations and funding, newest first."""
    call.linear()
    history = call.engine.books.history[call.account.uid]
    if _asks_by_id(call):
        order_id = call.params.text("orderId") or history.links.get(call.params.text("orderLinkId"), "")
        rows: Sequence[Execution] = history.fills.get(order_id, [])
    else:
        rows = between(history.executions, window(call.params, call.now), lambda row: row.at_ms)
        symbol, kind = call.params.text("symbol"), call.params.text("execType")
        rows = [row for row in rows if symbol in ("", row.symbol) and kind in ("", row.exec_type)]
    shown, cursor = page(rows, call.params, lambda row: row.seq, (50, 100))
    return {"category": "linear", "list": [execution_row(row) for row in shown], "nextPageCursor": cursor}


def _asks_by_id(call: Call) -> bool:
    return bool(call.params.text("orderId") or call.params.text("orderLinkId"))


def _by_id(call: Call, orders: Sequence[OrderRecord]) -> list[OrderRecord]:
    """orderId wins over orderLinkId."""
    order_id, link_id = call.params.text("orderId"), call.params.text("orderLinkId")
    return [one for one in orders if (one.order_id == order_id if order_id else one.link_id == link_id)]


def _of_symbol(call: Call, orders: Sequence[OrderRecord]) -> list[OrderRecord]:
    symbol, wanted = call.params.text("symbol"), call.params.text("orderFilter")
    return [one for one in orders if symbol in ("", one.symbol) and wanted in ("", _filter_of(one))]


def _is_visible(call: Call, order: OrderRecord) -> bool:
    shown_from = max(order.created_ms + call.config.visible_delay_ms, call.veil.hidden_until.get(order.order_id, 0))
    return shown_from <= call.now


def _is_in_history(call: Call, order: OrderRecord) -> bool:
    is_kept = bool(order.filled) or order.updated_ms > call.now - UNFILLED_KEPT_MS
    return is_kept and order.updated_ms + call.config.visible_delay_ms <= call.now


def _order_page(call: Call, orders: Sequence[OrderRecord]) -> Result:
    shown, cursor = page(orders, call.params, lambda order: order.seq, (20, 50))
    return {"category": "linear", "list": [order_row(order) for order in shown], "nextPageCursor": cursor}
