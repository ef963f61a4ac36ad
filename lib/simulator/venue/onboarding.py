"""
`POST /sim/accounts`: an account, or one more key for an existing one. Only a simulator has this.

The body is {"balance": "10000", "label", "uid", "api_key", "api_secret", "read_only", "permissions", "ips",
"fee_coin": "USDT", "tax": "", "margin_mode", "demo"}, all optional; the answer {"uid", "apiKey", "apiSecret"}, or HTTP
400 with {"error"}. An account is made isolated, unless *margin_mode* says REGULAR_MARGIN as Bybit's accounts are; a
*demo* account is refused the routes Bybit does not offer there. The server guards this route.
"""

import json
from decimal import Decimal
from typing import Literal

import msgspec

from lib.domain.candle import decimal_from_wire
from lib.simulator.engine.accounts import FULL_PERMISSIONS, ApiKey, Born
from lib.simulator.engine.charges import USDT, FeeTerms
from lib.simulator.engine.engine import Engine
from lib.simulator.venue.call import Request, Response

MOST_BALANCE = Decimal("1000000000")


class AccountOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request."""

    balance: str = "10000"
    label: str = ""
    uid: int | None = None
    api_key: str | None = None
    api_secret: str | None = None
    read_only: bool = False
    permissions: dict[str, list[str]] | None = None
    ips: list[str] = []
    fee_coin: str = USDT
    tax: str = ""
    margin_mode: Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"] = "ISOLATED_MARGIN"
    demo: bool = False


def open_account(engine: Engine, request: Request) -> Response:
    """Carry out the body of *request*."""
    try:
        uid, key = _carry_out(engine, msgspec.json.decode(request.body or b"{}", type=AccountOrder))
    except (ValueError, msgspec.DecodeError) as error:
        return _json(400, {"error": str(error)})
    return _json(200, {"uid": uid, "apiKey": key.key, "apiSecret": key.secret})


def _carry_out(engine: Engine, order: AccountOrder) -> tuple[int, ApiKey]:
    key = _key(engine, order)
    if order.uid is not None and order.uid in engine.accounts:
        return order.uid, _restrict(engine.add_key(order.uid, key), order)
    balance = decimal_from_wire(order.balance)
    if not 0 <= balance <= MOST_BALANCE:
        raise ValueError("balance must lie between 0 and 1,000,000,000 USDT")
    terms = FeeTerms(order.fee_coin, order.tax)
    born = Born(order.margin_mode, order.demo)
    account = engine.create_account(balance, uid=order.uid, key=key, label=order.label, terms=terms, born=born)
    return account.uid, _restrict(account.keys[0], order)


def _key(engine: Engine, order: AccountOrder) -> ApiKey | None:
    if (order.api_key is None) != (order.api_secret is None):
        raise ValueError("api_key and api_secret come together")
    if not order.api_key or not order.api_secret:
        return None
    return ApiKey(order.api_key, order.api_secret, created_ms=engine.last_advanced_ms)


def _restrict(key: ApiKey, order: AccountOrder) -> ApiKey:
    key.read_only, key.ips = order.read_only, list(order.ips)
    key.permissions = order.permissions or {group: list(rights) for group, rights in FULL_PERMISSIONS.items()}
    return key


def _json(status: int, body: dict[str, object]) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
