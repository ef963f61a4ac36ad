"""
Reads an exchange account before it is registered: its USDT and the link ids of its orders.
`lib.ports.exchange.AccountProbe`.

Synchronous over our own signed client, in an event loop that lives as long as the reading: forms run in threads. The
probe changes nothing and keeps nothing.
"""

import asyncio
from collections.abc import Mapping

from lib.adapters.bybit.limits.ban import Ban, OwnBan
from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.clock import Clock
from lib.domain.account import Venue
from lib.domain.account_records import AccountReading
from lib.domain.api_key import ApiKey, SealContext
from lib.log import hide
from lib.ports.exchange import AccountProbe, Lane
from lib.ports.secrets import Opener

READ_BACK_MS = 24 * 3_600_000
"""How far back orders are read: another installation that traded here within a day still may."""


class _NoSeals(Opener):
    def open(self, sealed: str, context: SealContext) -> ApiKey:
        """A form has its key in clear."""
        raise NotImplementedError


class _Heeding(LocalLimiter):
    """A limiter that heeds *ban* before every call, and tells *ban* of an HTTP 403, for the probes after this one."""

    def __init__(self, clock: Clock, ban: Ban, url: str) -> None:
        super().__init__(clock)
        self._ban, self._url = ban, url

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        """As `Limiter.admit`; it may block, the loop is this probe's alone."""
        self._ban.heed(self._url)
        await super().admit(account, path, lane=lane, urgent=urgent, max_wait_s=max_wait_s)

    def banned(self) -> None:
        """As `Limiter.banned`."""
        super().banned()
        self._ban.met(self._url)


class BybitAccountProbe(AccountProbe):
    """`lib.ports.exchange.AccountProbe` over the venues of *urls*."""

    def __init__(self, urls: Mapping[Venue, str], clock: Clock, ban: Ban | None = None) -> None:
        self._urls = urls
        self._clock = clock
        self._ban = ban or OwnBan(clock)

    def read(self, venue: Venue, uid: str, key: ApiKey, symbol: str) -> AccountReading:
        with hide(key.api_key, key.api_secret):
            return asyncio.run(self._read(venue, uid, key, symbol))

    async def _read(self, venue: Venue, uid: str, key: ApiKey, symbol: str) -> AccountReading:
        async with open_session() as session:
            exchanges = BybitExchanges(
                _NoSeals(),
                self._urls,
                lambda url: AiohttpTransport(url, session),
                self._clock,
                _Heeding(self._clock, self._ban, self._urls.get(venue, "")),
            )
            exchange = exchanges.of(venue, uid, key)
            since = await exchange.server_time() - READ_BACK_MS
            wallet = await exchange.wallet()
            orders = [*await exchange.orders_since(symbol, since), *await exchange.open_orders(symbol)]
        return AccountReading(wallet.balance, tuple({order.order_link_id for order in orders if order.order_link_id}))
