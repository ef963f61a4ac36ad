"""
The Exchange port on real pybit: a foreign client, to see that port and simulator mean what Bybit means.

Only what pybit cannot do is our own: its requests are stamped by the test's clock, and an order's bytes and headers are
made by its own payload and signature code ahead of the send. Rows are read here without our wire module.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from lib.adapters.bybit.codes import send_outcome
from lib.clock import Clock
from lib.domain.api_key import ApiKey
from lib.domain.books import Charge, Fill, FillKind, Transfer, TransferKind
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import OrderAnswer, OrderRecord, SendReply, SignedOrder, Wallet
from lib.domain.modes import MarginMode
from lib.domain.order import Order, OrderState, SendOutcome
from lib.domain.position import Position, Side
from lib.ports.exchange import Exchange

OWNERS = {10003, 10004, 10005, 10007, 10010, 33004}
OVER = {
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "Rejected": OrderState.REJECTED,
    "Deactivated": OrderState.CANCELLED,
}
KINDS: dict[str, FillKind] = {"Trade": "trade", "Funding": "funding", "BustTrade": "liquidation", "AdlTrade": "adl"}


MARGINS: dict[str, MarginMode] = {
    "ISOLATED_MARGIN": "isolated",
    "REGULAR_MARGIN": "cross",
    "PORTFOLIO_MARGIN": "portfolio",
}
EXECUTED = {"TRADE", "SETTLEMENT", "LIQUIDATION", "ADL"}


class ClockedHTTP(HTTP):  # type: ignore[misc]  # pybit is untyped
    """pybit with a base URL and a clock from outside, and without its own retries."""

    def __init__(self, base_url: str, key: ApiKey, clock: Clock) -> None:
        super().__init__(api_key=key.api_key, api_secret=key.api_secret, timeout=5, max_retries=1, retry_codes={-1})
        self.endpoint = base_url
        self.client.trust_env = False
        self.clock = clock

    def _prepare_headers(
        self, payload: str, recv_window: int, content_type: str = "application/json"
    ) -> dict[str, str]:
        return self.headers_at(payload, self.clock.now_ms())

    def headers_at(self, payload: str, timestamp: int) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self.api_key,
            "X-BAPI-SIGN": self._auth(payload, self.recv_window, timestamp),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": str(timestamp),
            "X-BAPI-RECV-WINDOW": str(self.recv_window),
        }


class PybitExchange(Exchange):
    """One account by pybit, each call in a thread."""

    def __init__(self, uid: str, session: ClockedHTTP) -> None:
        self.uid = uid
        self._session = session

    async def server_time(self) -> int:
        return int((await _ask(self._session.get_server_time))["time"])

    async def wallet(self) -> Wallet:
        answer = await _ask(self._session.get_wallet_balance, accountType="UNIFIED", coin="USDT")
        coin = answer["result"]["list"][0]["coin"][0]
        used = [_number(coin[name]) for name in ("totalPositionIM", "totalOrderIM", "locked", "bonus")]
        cash = _number(coin["walletBalance"])
        return Wallet(cash, _number(coin["equity"]), cash - sum(used), answer["time"])

    async def position(self, symbol: str) -> Position:
        answer = await _ask(self._session.get_positions, category="linear", symbol=symbol)
        row, *other_side = answer["result"]["list"]
        size = _number(row["size"])
        return Position(
            symbol,
            -size if row["side"] == "Sell" else size,
            _number(row["avgPrice"]),
            _number(row["leverage"]),
            _number(row["stopLoss"]),
            _number(row["takeProfit"]),
            _number(row["unrealisedPnl"]),
            answer["time"],
            trailing=_number(row["trailingStop"]),
            one_way=not other_side,
        )

    async def margin_mode(self) -> MarginMode:
        return MARGINS[(await _ask(self._session.get_account_info))["result"]["marginMode"]]

    async def open_orders(self, symbol: str) -> list[OrderRecord]:
        return await self._all(self._session.get_open_orders, _record, symbol=symbol, openOnly=0, limit=50)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        text = str(leverage)
        await _done(self._session.set_leverage, {110043}, symbol=symbol, buyLeverage=text, sellLeverage=text)

    async def set_trading_stop(self, symbol: str, stop_loss: Decimal, take_profit: Decimal, signed_ms: int = 0) -> bool:
        return await _done(
            self._session.set_trading_stop,
            {34040},
            symbol=symbol,
            tpslMode="Full",
            positionIdx=0,
            stopLoss=str(stop_loss),
            takeProfit=str(take_profit),
            slTriggerBy="MarkPrice",
            tpTriggerBy="MarkPrice",
        )

    async def set_trailing_stop(self, symbol: str, distance: Decimal, active: Decimal, signed_ms: int = 0) -> bool:
        begins = {"activePrice": str(active)} if active else {}
        wanted = {"symbol": symbol, "tpslMode": "Full", "positionIdx": 0, "trailingStop": str(distance), **begins}
        return await _done(self._session.set_trading_stop, {34040}, **wanted)

    def sign_order(self, order: Order, timestamp_ms: int) -> SignedOrder:
        fields: dict[str, Any] = {
            "category": "linear",
            "symbol": order.symbol,
            "side": order.side.title(),
            "orderType": "Market" if order.reduce_only else "Limit",
            "qty": order.qty,
            "timeInForce": "IOC",
            "positionIdx": 0,
            "orderLinkId": order.order_link_id,
            "reduceOnly": order.reduce_only,
        }
        if not order.reduce_only:
            fields |= {
                "price": order.limit_price,
                "stopLoss": order.stop_loss,
                "takeProfit": order.take_profit,
                "slTriggerBy": "MarkPrice",
                "tpTriggerBy": "MarkPrice",
                "tpslMode": "Full",
            }
        payload = self._session.prepare_payload("POST", fields)
        headers = self._session.headers_at(payload, timestamp_ms)
        body = payload.encode()
        return SignedOrder(order.order_link_id, body, headers, timestamp_ms, hashlib.sha256(body).hexdigest())

    async def send_order(self, signed: SignedOrder) -> SendReply:
        url = f"{self._session.endpoint}/v5/order/create"
        try:
            reply = await asyncio.to_thread(
                self._session.client.post, url, data=signed.body, headers=signed.headers, timeout=5
            )
            if reply.status_code != 200:
                return SendReply(SendOutcome.UNKNOWN, f"HTTP {reply.status_code}")
            answer = reply.json()
        except requests.RequestException as lost:
            return SendReply(SendOutcome.UNKNOWN, type(lost).__name__)
        return SendReply(send_outcome(answer["retCode"]), answer["retMsg"], answer["retCode"])

    async def find_order(self, symbol: str, order_link_id: str) -> OrderAnswer:
        asked = {"category": "linear", "symbol": symbol, "orderLinkId": order_link_id}
        records: dict[str, OrderRecord] = {}
        times = []
        for query in (self._session.get_open_orders, self._session.get_order_history):
            answer = await _ask(query, **asked)
            times.append(answer["time"])
            records |= {row["orderId"]: _record(row) for row in answer["result"]["list"]}
            if any(record.state is not OrderState.REJECTED for record in records.values()):
                return OrderAnswer(tuple(records.values()), (), min(times))
        answer = await _ask(self._session.get_executions, **asked)
        fills = tuple(_fill(row) for row in reversed(answer["result"]["list"]))
        return OrderAnswer(tuple(records.values()), fills, min(*times, answer["time"]))

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderRecord]:
        asked = {"symbol": symbol, "limit": 50}
        rows = await self._all(self._session.get_order_history, _record, startTime=since_ms, **asked)
        rows += await self._all(self._session.get_open_orders, _record, openOnly=1, **asked)
        rows += await self._all(self._session.get_open_orders, _record, openOnly=0, **asked)
        unique = {record.order_id: record for record in reversed(rows)}
        return sorted((r for r in unique.values() if r.created_ms >= since_ms), key=lambda record: record.created_ms)

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        rows = await self._all(self._session.get_executions, _fill, symbol=symbol, startTime=since_ms, limit=100)
        return sorted(reversed(rows), key=lambda found: found.at_ms)

    async def transfers_since(self, since_ms: int) -> list[Transfer]:
        rows: list[Transfer] = []
        cursor = ""
        while True:
            asked = {"accountType": "UNIFIED", "currency": "USDT", "startTime": since_ms, "cursor": cursor, "limit": 50}
            result = (await _ask(self._session.get_transaction_log, **asked))["result"]
            rows += [_transfer(row) for row in result["list"] if row["type"] not in EXECUTED]
            cursor = result["nextPageCursor"]
            if not cursor:
                return sorted(rows, key=lambda row: (row.at_ms, row.transfer_id))

    async def cancel_order(self, symbol: str, order_link_id: str) -> None:
        if not await _done(self._session.cancel_order, {110001}, symbol=symbol, orderLinkId=order_link_id):
            raise Retry("refused")

    async def _all(self, query: Callable[..., Any], parse: Callable[[Any], Any], **asked: Any) -> list[Any]:
        rows: list[Any] = []
        cursor: str | None = None
        while cursor != "":
            result = (await _ask(query, category="linear", cursor=cursor, **asked))["result"]
            rows += [parse(row) for row in result["list"]]
            cursor = result["nextPageCursor"]
        return rows


async def _ask(request: Callable[..., Any], **asked: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await asyncio.to_thread(request, **asked)
    except InvalidRequestError as refusal:
        raise (Pause if refusal.status_code in OWNERS else Retry)(str(refusal.status_code)) from None
    except FailedRequestError as failure:
        raise (Pause if failure.status_code == 401 else Retry)(str(failure.status_code)) from None
    except requests.RequestException as lost:
        raise Retry(type(lost).__name__) from None
    return answer


async def _done(request: Callable[..., Any], same: set[int], **asked: Any) -> bool:
    try:
        await asyncio.to_thread(request, category="linear", **asked)
    except InvalidRequestError as refusal:
        return refusal.status_code in same
    return True


def _number(text: str) -> Decimal:
    return Decimal(text or 0)


def _side(text: str) -> Side:
    sides: dict[str, Literal["buy", "sell"]] = {"Buy": "buy", "Sell": "sell"}
    return sides[text]


def _record(row: dict[str, Any]) -> OrderRecord:
    filled, state = _number(row["cumExecQty"]), OVER.get(row["orderStatus"])
    return OrderRecord(
        order_id=row["orderId"],
        order_link_id=row["orderLinkId"],
        parent_link_id=row["parentOrderLinkId"],
        symbol=row["symbol"],
        side=_side(row["side"]),
        state=OrderState.PARTIAL if state is OrderState.CANCELLED and filled else state,
        qty=_number(row["qty"]),
        filled_qty=filled,
        avg_price=_number(row["avgPrice"]),
        fee=_number(row["cumExecFee"]),
        reduce_only=row["reduceOnly"],
        is_child=row["createType"] in ("CreateByStopLoss", "CreateByTakeProfit"),
        reject_reason=row["rejectReason"],
        created_ms=int(row["createdTime"]),
    )


def _transfer(row: dict[str, Any]) -> Transfer:
    kind: TransferKind = "bonus" if row["type"] == "BONUS" else "transfer"
    return Transfer(row["id"], kind, _number(row["change"]), int(row["transactionTime"]))


def _fill(row: dict[str, Any]) -> Fill:
    kind, value = KINDS.get(row["execType"], "other"), _number(row["execValue"])
    parts = [Charge("trading", row["feeCurrency"], _number(row["execFee"]), _number(row["feeRate"]) * value)]
    for tax in json.loads(row["extraFees"] or "[]"):
        worth = _number(tax["feeRate"]) * value
        parts.append(Charge(tax["feeType"], tax["feeCoin"], _number(tax["fee"]), worth))
    return Fill(
        exec_id=row["execId"],
        order_id=row["orderId"],
        order_link_id=row["orderLinkId"],
        symbol=row["symbol"],
        side=_side(row["side"]),
        qty=Decimal(0) if kind == "funding" else _number(row["execQty"]),
        price=_number(row["execPrice"]),
        fee=sum((part.amount for part in parts if part.coin == "USDT"), Decimal(0)),
        kind=kind,
        closed_qty=_number(row["closedSize"]),
        is_stop=row["stopOrderType"] == "StopLoss" or kind == "liquidation",
        at_ms=int(row["execTime"]),
        charges=tuple(part for part in parts if (part.kind, part.coin) != ("trading", "USDT")),
    )
