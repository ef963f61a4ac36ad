"""
Up to twenty orders in one request: created, amended or cancelled one after another, each with an end of its own.

The answer is retCode 0 whatever became of the parts; `retExtInfo.list` has their codes. Each part takes one of the
endpoint's quota, and those beyond it are refused with 10006.
"""

from collections.abc import Callable
from typing import Any

from lib.simulator.engine.orders import Refused
from lib.simulator.venue import order_routes
from lib.simulator.venue.call import Batch, Call

MOST_PARTS = 20
Result = dict[str, Any]


def create_batch(call: Call) -> Result:
    """Create each of *request*."""
    return _each(call, order_routes.create, {"createAt": str(call.now)})


def amend_batch(call: Call) -> Result:
    """Amend each of *request*."""
    return _each(call, order_routes.amend, {})


def cancel_batch(call: Call) -> Result:
    """Cancel each of *request*."""
    return _each(call, order_routes.cancel, {})


def _each(call: Call, handler: Callable[[Call], Result], more: Result) -> Result:
    call.linear()
    items = call.params.items("request")
    if not 1 <= len(items) <= MOST_PARTS:
        raise Refused(10001, "params error: request invalid")
    rows, ext = [], []
    for place, item in enumerate(items):
        named = {name: str(item.get(name) or "") for name in ("symbol", "orderId", "orderLinkId")}
        row = {"category": "linear", **named, **more}
        try:
            if place and not call.spend():
                raise Refused(10006, "Too many visits!")
            rows.append(row | handler(call.part(item)))
            ext.append({"code": 0, "msg": "OK"})
        except Refused as refused:
            rows.append(row)
            ext.append({"code": refused.code, "msg": refused.text})
    return Batch(rows, ext)
