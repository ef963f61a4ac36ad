"""
Every account's exchange, and the public market the trader asks, over one transport and clock per host.

`BybitExchanges` opens a sealed key for as long as the exchange it hands out lives, and keeps no key. A venue that has
no URL in this deployment is a *Pause* with a plain reason. `BybitAsyncMarket` reads candles from the feed, prices and
rules from the account's venue.
"""

import asyncio
from collections.abc import Callable, Mapping

from lib.adapters.bybit.kline_wire import candle_from_row, wire_interval
from lib.adapters.bybit.limits.limiter import Limiter, Limits
from lib.adapters.bybit.rest.calls import Refused, SignedCalls, VenueClock, public
from lib.adapters.bybit.rest.client import BybitExchange
from lib.adapters.bybit.rest.status_wire import PATH as STATUS_PATH
from lib.adapters.bybit.rest.status_wire import maintenance_from
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.bybit.rest.wire import Envelope, instrument_from, parsed, ticker_from
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import Candle, interval_ms
from lib.domain.errors import Pause
from lib.domain.instrument import Instrument
from lib.domain.maintenance import Maintenance
from lib.domain.quotes import Ticker
from lib.ports.exchange import Exchange, Exchanges, Lane
from lib.ports.market import AsyncMarket, NotListed
from lib.ports.secrets import Opener

INSTRUMENT_LIFE_MS = 600_000
HALTED_LIFE_MS = 30_000
"""How long the rules of a halted symbol are kept, so that its return is soon noticed."""
TICKER_LIFE_MS = 1_000
KLINE_PAGE = 1_000
_WRONG_PARAMETER = 10001
_NOT_OFFERED = frozenset({10001, 10017, 10032})
"""Codes with which a venue answers a request it does not offer."""
NOT_OFFERED_LIFE_MS = 86_400_000

TransportFor = Callable[[str], Transport]


class BybitExchanges(Exchanges):
    """`lib.ports.exchange.Exchanges` over the venues of *urls*; *transport_for* is asked once per URL."""

    def __init__(
        self, opener: Opener, urls: Mapping[Venue, str], transport_for: TransportFor, clock: Clock, limits: Limits
    ) -> None:
        self._opener = opener
        self._urls = urls
        self._transport_for = transport_for
        self._clock = clock
        self._limits = limits
        self._venues: dict[Venue, tuple[Transport, VenueClock, Limiter]] = {}

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        return self.of(account.venue, account.uid, self._opener.open(account.sealed_key, context), lane)

    def of(self, venue: Venue, uid: str, key: ApiKey, lane: Lane = "trade") -> BybitExchange:
        """The exchange of a key in clear; for set-up and tests."""
        transport, venue_clock, limiter = self._venue(venue)
        return BybitExchange(uid, SignedCalls(f"{venue}:{uid}", key, transport, venue_clock, limiter, lane))

    def _venue(self, venue: Venue) -> tuple[Transport, VenueClock, Limiter]:
        if venue not in self._venues:
            url = _url(self._urls, venue)
            transport, limiter = self._transport_for(url), self._limits.at(url)
            self._venues[venue] = transport, VenueClock(transport, self._clock, limiter), limiter
        return self._venues[venue]


def _url(urls: Mapping[Venue, str], venue: Venue) -> str:
    if venue not in urls:
        raise Pause(codes.VENUE_NOT_SERVED(venue=venue))
    return urls[venue]


class BybitAsyncMarket(AsyncMarket):
    """
    `lib.ports.market.AsyncMarket`: candles from *feed_url*, tickers and instruments from the account's venue.

    Callers that come together share one request. Requests for prices and rules use the guard's share: an exit needs
    them, and they are few.
    """

    def __init__(
        self, feed_url: str, urls: Mapping[Venue, str], transport_for: TransportFor, clock: Clock, limits: Limits
    ) -> None:
        self._feed, self._feed_limiter = transport_for(feed_url), limits.at(feed_url)
        self._urls = urls
        self._transport_for = transport_for
        self._clock = clock
        self._limits = limits
        self._venues: dict[Venue, tuple[Transport, Limiter]] = {}
        self._tickers: dict[tuple[Venue, str], tuple[int, Ticker]] = {}
        self._instruments: dict[tuple[Venue, str], tuple[int, Instrument]] = {}
        self._turns: dict[tuple[str, Venue, str], asyncio.Lock] = {}
        self._not_offered_ms: dict[Venue, int] = {}

    async def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int) -> list[Candle]:
        """As the port; without *end* at most 999, because the open row takes one place of the venue's page."""
        asked = {"category": "linear", "symbol": symbol, "interval": wire_interval(interval)}
        window = {} if end is None else {"end": end}
        envelope = await public(
            self._feed, self._feed_limiter, "/v5/market/kline", {**asked, **window, "limit": min(limit + 1, KLINE_PAGE)}
        )
        return _closed(envelope, interval_ms(interval), envelope.time if end is None else end)[-limit:]

    async def ticker(self, venue: Venue, symbol: str) -> Ticker:
        """As the port; at most a second old."""
        async with self._turn("ticker", venue, symbol):
            asked_ms, known = self._tickers.get((venue, symbol), (0, None))
            if known is None or not 0 <= self._clock.now_ms() - asked_ms <= TICKER_LIFE_MS:
                asked_ms = self._clock.now_ms()
                envelope = await self._ask(venue, "/v5/market/tickers", symbol)
                known = parsed(envelope, lambda found: ticker_from(found, symbol))
                self._tickers[venue, symbol] = asked_ms, known
            return known

    async def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """As the port; at most ten minutes old, half a minute when it does not trade."""
        async with self._turn("instrument", venue, symbol):
            asked_ms, known = self._instruments.get((venue, symbol), (0, None))
            if known is None or self._clock.now_ms() - asked_ms > _life_ms(known):
                envelope = await self._ask(venue, "/v5/market/instruments-info", symbol)
                known = parsed(envelope, lambda found: instrument_from(found, symbol))
                self._instruments[venue, symbol] = self._clock.now_ms(), known
            return known

    async def maintenance(self, venue: Venue) -> tuple[Maintenance, ...]:
        """As the port; a venue without this route announces nothing, and is asked again a day later."""
        if self._clock.now_ms() < self._not_offered_ms.get(venue, 0):
            return ()
        transport, limiter = self._way_to(venue)
        try:
            envelope = await public(transport, limiter, STATUS_PATH, {}, "resolve")
        except Refused as refusal:
            if refusal.code not in _NOT_OFFERED:
                raise
            self._not_offered_ms[venue] = self._clock.now_ms() + NOT_OFFERED_LIFE_MS
            return ()
        return parsed(envelope, lambda found: maintenance_from(found, venue))

    def _turn(self, what: str, venue: Venue, symbol: str) -> asyncio.Lock:
        return self._turns.setdefault((what, venue, symbol), asyncio.Lock())

    def _way_to(self, venue: Venue) -> tuple[Transport, Limiter]:
        if venue not in self._venues:
            url = _url(self._urls, venue)
            self._venues[venue] = self._transport_for(url), self._limits.at(url)
        return self._venues[venue]

    async def _ask(self, venue: Venue, path: str, symbol: str) -> Envelope:
        transport, limiter = self._way_to(venue)
        try:
            return await public(transport, limiter, path, {"category": "linear", "symbol": symbol}, "guard")
        except Refused as refusal:
            if refusal.code == _WRONG_PARAMETER:
                raise NotListed(codes.PERPETUAL_NOT_LISTED(symbol=symbol)) from None
            raise


def _life_ms(known: Instrument) -> int:
    return INSTRUMENT_LIFE_MS if known.trading else HALTED_LIFE_MS


def _closed(envelope: Envelope, step: int, end: int) -> list[Candle]:
    newest_first = parsed(envelope, lambda found: [candle_from_row(row) for row in found.lists])
    closed = (row for row in newest_first if row.open_time <= end and row.open_time + step <= envelope.time)
    return sorted(closed, key=lambda row: row.open_time)
