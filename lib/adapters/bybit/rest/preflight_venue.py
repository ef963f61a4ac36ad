"""
`lib.ports.preflight.PreflightVenue` at Bybit: one account by its key in clear, asked through our own signed client.

What the trader never asks stands here: the key's record, the fee rate, an order that rests in the book.
https://bybit-exchange.github.io/docs/v5/user/apikey-info · …/account/fee-rate
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.calls import SignedCalls, VenueClock, public
from lib.adapters.bybit.rest.client import BybitExchange
from lib.adapters.bybit.rest.key_probe import NOT_FOUND, NOT_OFFERED, parsed_key
from lib.adapters.bybit.rest.order_wire import CATEGORY, compact, order_body
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.bybit.rest.wire import Envelope, instrument_from, number, parsed, row_of, ticker_from
from lib.clock import Clock
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import SignedOrder
from lib.domain.instrument import Instrument
from lib.domain.order import Order
from lib.domain.quotes import Ticker
from lib.ports.exchange import Exchange
from lib.ports.preflight import NotOffered, PreflightVenue


class BybitPreflightVenue(PreflightVenue):
    """The account of *key* at *url*; *uid* is what stands for the account until the venue tells who it is."""

    def __init__(self, url: str, uid: str, key: ApiKey, transport: Transport, clock: Clock) -> None:
        self._url, self._uid, self._transport = url, uid, transport
        self._limiter = LocalLimiter(clock)
        self._calls = SignedCalls(
            f"preflight:{uid}", key, transport, VenueClock(transport, clock, self._limiter), self._limiter
        )

    @property
    def host(self) -> str:
        return urlsplit(self._url).hostname or ""

    @property
    def uid(self) -> str:
        return self._uid

    @property
    def exchange(self) -> Exchange:
        return BybitExchange(self._uid, self._calls)

    async def key_info(self) -> KeyInfo:
        envelope = await self._offered("/v5/user/query-api", {})
        info = parsed(envelope, lambda found: parsed_key(dict(found.result or {})))
        self._uid = info.uid
        return info

    async def taker_fee(self, symbol: str) -> Decimal:
        envelope = await self._offered("/v5/account/fee-rate", {"category": CATEGORY, "symbol": symbol})
        return parsed(envelope, lambda found: number(row_of(found, symbol), "takerFeeRate"))

    async def instrument(self, symbol: str) -> Instrument:
        envelope = await self._market("/v5/market/instruments-info", symbol)
        return parsed(envelope, lambda found: instrument_from(found, symbol))

    async def ticker(self, symbol: str) -> Ticker:
        return parsed(await self._market("/v5/market/tickers", symbol), lambda found: ticker_from(found, symbol))

    def sign_resting(self, order: Order, timestamp_ms: int) -> SignedOrder:
        fields: dict[str, Any] = json.loads(order_body(order))
        body = compact(fields | {"timeInForce": "GTC"})
        headers = self._calls.sign(timestamp_ms, body)
        return SignedOrder(order.order_link_id, body, headers, timestamp_ms, hashlib.sha256(body).hexdigest())

    async def _market(self, path: str, symbol: str) -> Envelope:
        return await public(self._transport, self._limiter, path, {"category": CATEGORY, "symbol": symbol})

    async def _offered(self, path: str, params: Mapping[str, object]) -> Envelope:
        try:
            return await self._calls.read(path, params)
        except (Retry, Pause) as refused:
            answer = refused.answer
            if answer is not None and answer.code in (NOT_FOUND if answer.is_http else NOT_OFFERED):
                raise NotOffered(refused.why, refused.answer) from None
            raise
