"""
Orders and executions on Bybit's v5 wire, both ways.

Out: the body of an order, complete with its stop, as compact JSON whose bytes never change again. In: order rows and
execution rows of realtime, history and execution list. Stop and target orders the venue makes itself carry no id of
ours; they are kept, marked as children. An unknown status is a ValueError: the end of an order is never guessed.
https://bybit-exchange.github.io/docs/v5/order/create-order · …/order/open-order · …/order/execution
"""

import json
from decimal import Decimal

from lib.adapters.bybit.rest.fee_wire import charges, in_usdt, order_fee, worth_naming
from lib.adapters.bybit.rest.wire import Row, millis, number, number_or_zero, plain, text
from lib.domain.books import Fill, FillKind
from lib.domain.exchange_records import OrderRecord
from lib.domain.order import Order, OrderState
from lib.domain.position import ZERO, Side

CATEGORY = "linear"

_SIDES: dict[str, Side] = {"Buy": "buy", "Sell": "sell"}
_WIRE_SIDES = {"buy": "Buy", "sell": "Sell"}
_OPEN = {"New", "PartiallyFilled", "Untriggered", "Triggered"}
_CLOSED = {
    "Filled": OrderState.FILLED,
    "Rejected": OrderState.REJECTED,
    "Cancelled": OrderState.CANCELLED,
    "PartiallyFilledCanceled": OrderState.CANCELLED,
    "Deactivated": OrderState.CANCELLED,
}
_STOPS = {"StopLoss", "PartialStopLoss", "TrailingStop"}
_CHILDREN = _STOPS | {"TakeProfit", "PartialTakeProfit"}
_FILL_KINDS: dict[str, FillKind] = {
    "Trade": "trade",
    "Funding": "funding",
    "BustTrade": "liquidation",
    "AdlTrade": "adl",
}


def order_body(order: Order) -> bytes:
    """
    The JSON of *order*: an entry is an IOC limit with its stop inside, an exit a reduce-only market order.

    ValueError for an order without quantity and for an entry without price or stop: those are never sent.
    """
    if order.qty is None or order.qty <= 0:
        raise ValueError("an order is signed with a positive quantity")
    fields: dict[str, object] = {
        "category": CATEGORY,
        "symbol": order.symbol,
        "side": _WIRE_SIDES[order.side],
        "orderType": "Market" if order.reduce_only else "Limit",
        "qty": plain(order.qty),
        "timeInForce": "IOC",
        "positionIdx": 0,
        "orderLinkId": order.order_link_id,
        "reduceOnly": order.reduce_only,
    }
    if not order.reduce_only:
        fields |= _entry_fields(order)
    return compact(fields)


def _entry_fields(order: Order) -> dict[str, object]:
    if order.limit_price <= 0 or order.stop_loss <= 0:
        raise ValueError("an entry is signed with a limit price and a stop")
    fields: dict[str, object] = {
        "price": plain(order.limit_price),
        "stopLoss": plain(order.stop_loss),
        "slTriggerBy": "MarkPrice",
        "slOrderType": "Market",
        "tpslMode": "Full",
    }
    if order.take_profit > 0:
        fields |= {"takeProfit": plain(order.take_profit), "tpTriggerBy": "MarkPrice", "tpOrderType": "Market"}
    return fields


def trading_stop_body(symbol: str, stop_loss: Decimal, take_profit: Decimal) -> dict[str, object]:
    """Full-mode stop and target by mark price; a price of 0 removes that stop or target."""
    return {
        "category": CATEGORY,
        "symbol": symbol,
        "tpslMode": "Full",
        "positionIdx": 0,
        "stopLoss": plain(stop_loss),
        "slTriggerBy": "MarkPrice",
        "slOrderType": "Market",
        "takeProfit": plain(take_profit),
        "tpTriggerBy": "MarkPrice",
        "tpOrderType": "Market",
    }


def trailing_stop_body(symbol: str, distance: Decimal, active: Decimal) -> dict[str, object]:
    """A trailing stop of the whole position, which leaves its stop and target as they are; *active* 0 = from now on."""
    body: dict[str, object] = {
        "category": CATEGORY,
        "symbol": symbol,
        "tpslMode": "Full",
        "positionIdx": 0,
        "trailingStop": plain(distance),
    }
    return body | ({"activePrice": plain(active)} if active else {})


def compact(fields: dict[str, object]) -> bytes:
    """JSON without spaces."""
    return json.dumps(fields, separators=(",", ":")).encode()


def order_record(row: Row) -> OrderRecord:
    """One row of /v5/order/realtime or /v5/order/history."""
    filled = number_or_zero(row, "cumExecQty")
    link = text(row, "orderLinkId")
    return OrderRecord(
        order_id=_named(row, "orderId"),
        order_link_id=link,
        parent_link_id=text(row, "parentOrderLinkId"),
        symbol=_named(row, "symbol"),
        side=_side(row),
        state=_state(text(row, "orderStatus"), filled),
        qty=number(row, "qty"),
        filled_qty=filled,
        avg_price=number_or_zero(row, "avgPrice"),
        fee=order_fee(row),
        reduce_only=row.get("reduceOnly") is True,
        is_child=not link and text(row, "stopOrderType") in _CHILDREN,
        reject_reason=text(row, "rejectReason"),
        created_ms=millis(row, "createdTime"),
    )


def _state(status: str, filled: Decimal) -> OrderState | None:
    if status in _OPEN:
        return None
    closed = _CLOSED.get(status)
    if closed is None:
        raise ValueError(f"unknown order status {status[:30]!r}")
    # derivatives end a partly filled order as Cancelled
    return OrderState.PARTIAL if filled > 0 and closed is not OrderState.FILLED else closed


def fill(row: Row) -> Fill:
    """One row of /v5/execution/list. A funding row moves no quantity, so its *qty* is 0."""
    exec_type = text(row, "execType")
    kind = _FILL_KINDS.get(exec_type, "other")
    funding = kind == "funding"
    qty, price = (number_or_zero if funding else number)(row, "execQty"), number_or_zero(row, "execPrice")
    parts = charges(row, qty * price)
    return Fill(
        exec_id=_named(row, "execId"),
        order_id=text(row, "orderId"),
        order_link_id=text(row, "orderLinkId"),
        symbol=_named(row, "symbol"),
        side=_SIDES.get(text(row, "side"), "buy") if funding else _side(row),
        qty=ZERO if funding else qty,
        price=price if funding else number(row, "execPrice"),
        fee=in_usdt(parts),
        kind=kind,
        closed_qty=number_or_zero(row, "closedSize"),
        is_stop=kind == "liquidation" or text(row, "stopOrderType") in _STOPS,
        at_ms=millis(row, "execTime"),
        charges=worth_naming(parts),
    )


def _side(row: Row) -> Side:
    side = _SIDES.get(text(row, "side"))
    if side is None:
        raise ValueError("side is neither Buy nor Sell")
    return side


def _named(row: Row, name: str) -> str:
    value = text(row, name)
    if not value:
        raise ValueError(f"{name} is empty")
    return value
