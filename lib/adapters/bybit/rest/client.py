"""
`lib.ports.exchange.Exchange` for one account at one Bybit venue.

Our own signed client, because an order's bytes and stamp are fixed before they are claimed and sent exactly once; the
exchange library signs inside its call and sends again by itself. Reads raise *Retry* or *Pause*; an unreadable reply is
*Retry*: it proves nothing. The client decides nothing and remembers nothing between calls.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from lib.adapters.bybit.codes import send_outcome
from lib.adapters.bybit.rest.calls import SignedCalls
from lib.adapters.bybit.rest.order_wire import (
    CATEGORY,
    fill,
    order_body,
    order_record,
    trading_stop_body,
    trailing_stop_body,
)
from lib.adapters.bybit.rest.transfer_wire import COIN, TRANSACTION_PAGE, TRANSACTIONS, transfer
from lib.adapters.bybit.rest.wire import Envelope, Row, margin_from, parsed, position_from, wallet_from
from lib.domain import reason_codes as codes
from lib.domain.books import Fill, Transfer
from lib.domain.decision import clean_text
from lib.domain.errors import Retry
from lib.domain.exchange_records import OrderAnswer, OrderRecord, SendReply, SignedOrder, Wallet
from lib.domain.modes import MarginMode
from lib.domain.order import Order, OrderState, SendOutcome
from lib.domain.position import Position
from lib.log import redact
from lib.ports.exchange import Exchange

CREATE = "/v5/order/create"
REALTIME = "/v5/order/realtime"
HISTORY = "/v5/order/history"
EXECUTIONS = "/v5/execution/list"
CANCEL = "/v5/order/cancel"
GONE = frozenset({110001, 110008, 110010})
"""Codes of an order that is not there (any more), filled or cancelled already: nothing is left to cancel."""

WINDOW_MS = 7 * 24 * 3_600_000 - 1
"""Longest span one history query may ask for."""
HISTORY_LIFE_MS = 729 * 24 * 3_600_000
"""The venue keeps two years; an older start asks from there."""
ORDER_PAGE, FILL_PAGE = 50, 100
MAX_PAGES = 1_000

T = TypeVar("T")


class BybitExchange(Exchange):
    """The account of *uid* by its key; calls may overlap."""

    def __init__(self, uid: str, calls: SignedCalls) -> None:
        self.uid = uid
        self._calls = calls

    async def server_time(self) -> int:
        return await self._calls.venue_clock.measure()

    async def wallet(self) -> Wallet:
        envelope = await self._calls.read("/v5/account/wallet-balance", {"accountType": "UNIFIED", "coin": "USDT"})
        return parsed(envelope, wallet_from)

    async def position(self, symbol: str) -> Position:
        envelope = await self._calls.read("/v5/position/list", {"category": CATEGORY, "symbol": symbol})
        return parsed(envelope, lambda found: position_from(found, symbol))

    async def margin_mode(self) -> MarginMode:
        return parsed(await self._calls.read("/v5/account/info", {}), margin_from)

    async def open_orders(self, symbol: str) -> list[OrderRecord]:
        return await self._orders(REALTIME, {"symbol": symbol, "openOnly": 0})

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        fields: dict[str, object] = {
            "category": CATEGORY,
            "symbol": symbol,
            "buyLeverage": str(leverage),
            "sellLeverage": str(leverage),
        }
        if not await self._calls.write("/v5/position/set-leverage", fields):
            raise Retry(codes.LEVERAGE_REFUSED(leverage=leverage, symbol=symbol))

    async def set_trading_stop(self, symbol: str, stop_loss: Decimal, take_profit: Decimal, signed_ms: int = 0) -> bool:
        body = trading_stop_body(symbol, stop_loss, take_profit)
        return await self._calls.write("/v5/position/trading-stop", body, signed_ms=signed_ms)

    async def set_trailing_stop(self, symbol: str, distance: Decimal, active: Decimal, signed_ms: int = 0) -> bool:
        body = trailing_stop_body(symbol, distance, active)
        return await self._calls.write("/v5/position/trading-stop", body, signed_ms=signed_ms)

    def sign_order(self, order: Order, timestamp_ms: int) -> SignedOrder:
        """ValueError for an order that must not be sent: no quantity, or an entry without price or stop."""
        body = order_body(order)
        headers = self._calls.sign(timestamp_ms, body)
        return SignedOrder(order.order_link_id, body, headers, timestamp_ms, hashlib.sha256(body).hexdigest())

    async def send_order(self, signed: SignedOrder) -> SendReply:
        try:
            envelope = await self._calls.send(CREATE, signed.headers, signed.body)
        except Retry as lost:
            return SendReply(SendOutcome.UNKNOWN, str(lost))
        if envelope is None:
            return SendReply(SendOutcome.UNKNOWN, "the reply is not readable")
        return SendReply(send_outcome(envelope.code), redact(clean_text(envelope.message, 200)), envelope.code)

    async def find_order(self, symbol: str, order_link_id: str) -> OrderAnswer:
        params = {"category": CATEGORY, "symbol": symbol, "orderLinkId": order_link_id}
        records: dict[str, OrderRecord] = {}
        times: list[int] = []
        for path in (REALTIME, HISTORY):
            envelope = await self._calls.read(path, params)
            times.append(envelope.time)
            _keep_latest(records, _rows(order_record, envelope))
            # a duplicate id leaves a rejected twin beside the order itself: it does not end the search
            if any(record.state is not OrderState.REJECTED for record in records.values()):
                return OrderAnswer(tuple(records.values()), (), min(times))
        newest_first: list[Fill] = []
        async for envelope in self._pages(EXECUTIONS, {**params, "limit": FILL_PAGE}):
            times.append(envelope.time)
            newest_first += _rows(fill, envelope)
        return OrderAnswer(tuple(records.values()), tuple(_oldest_first(newest_first)), min(times))

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderRecord]:
        found: dict[str, OrderRecord] = {}
        for open_only in (0, 1):
            _keep_latest(found, await self._orders(REALTIME, {"symbol": symbol, "openOnly": open_only}))
        for window in _windows(since_ms, await self._calls.venue_clock.now_ms()):
            _keep_latest(found, await self._orders(HISTORY, {"symbol": symbol, **window}))
        recent = (record for record in found.values() if record.created_ms >= since_ms)
        return sorted(recent, key=lambda record: record.created_ms)

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        newest_first: list[Fill] = []
        windows = _windows(since_ms, await self._calls.venue_clock.now_ms())
        for window in reversed(list(windows)):
            params = {"category": CATEGORY, "symbol": symbol, "limit": FILL_PAGE, **window}
            async for envelope in self._pages(EXECUTIONS, params):
                newest_first += _rows(fill, envelope)
        return _oldest_first(found for found in newest_first if found.at_ms >= since_ms)

    async def transfers_since(self, since_ms: int) -> list[Transfer]:
        found: dict[str, Transfer] = {}
        asked = {"accountType": "UNIFIED", "currency": COIN, "limit": TRANSACTION_PAGE}
        for window in _windows(since_ms, await self._calls.venue_clock.now_ms()):
            async for envelope in self._pages(TRANSACTIONS, {**asked, **window}):
                rows = (row for row in _rows(transfer, envelope) if row is not None and row.at_ms >= since_ms)
                found |= {row.transfer_id: row for row in rows}
        return sorted(found.values(), key=lambda row: (row.at_ms, row.transfer_id))

    async def cancel_order(self, symbol: str, order_link_id: str) -> None:
        fields: dict[str, object] = {"category": CATEGORY, "symbol": symbol, "orderLinkId": order_link_id}
        if not await self._calls.write(CANCEL, fields, done=GONE):
            raise Retry(codes.CANCEL_REFUSED(link=order_link_id))

    async def _orders(self, path: str, params: Mapping[str, object]) -> list[OrderRecord]:
        asked = {"category": CATEGORY, **params, "limit": ORDER_PAGE}
        return [record async for envelope in self._pages(path, asked) for record in _rows(order_record, envelope)]

    async def _pages(self, path: str, params: Mapping[str, object]) -> AsyncIterator[Envelope]:
        cursor = ""
        for _ in range(MAX_PAGES):
            envelope = await self._calls.read(path, {**params, "cursor": cursor})
            yield envelope
            previous, cursor = cursor, parsed(envelope, lambda found: found.cursor if found.rows else "")
            if cursor in ("", previous):
                return
        raise Retry(codes.VENUE_PAGES_ENDLESS(path=path))


def _windows(since_ms: int, now_ms: int) -> Iterator[dict[str, int]]:
    start = max(since_ms, now_ms - HISTORY_LIFE_MS)
    while start <= now_ms:
        yield {"startTime": start, "endTime": start + WINDOW_MS}
        start += WINDOW_MS + 1


def _rows(parse: Callable[[Row], T], envelope: Envelope) -> list[T]:
    return parsed(envelope, lambda found: [parse(row) for row in found.rows])


def _keep_latest(found: dict[str, OrderRecord], records: Iterable[OrderRecord]) -> None:
    """Merge by order id; a closed record stays, since history may lag behind realtime and neither un-closes."""
    for record in records:
        known = found.get(record.order_id)
        if known is None or (known.state is None and _is_news(known, record)):
            found[record.order_id] = record


def _is_news(known: OrderRecord, record: OrderRecord) -> bool:
    return record.state is not None or record.filled_qty > known.filled_qty


def _oldest_first(newest_first: Iterable[Fill]) -> list[Fill]:
    """Each execution once. The venue lists newest first; within one millisecond the venue's order is kept, reversed."""
    unique = {found.exec_id: found for found in newest_first}
    return sorted(reversed(unique.values()), key=lambda found: found.at_ms)
