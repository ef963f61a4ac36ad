"""
The real system on a stepped clock: collector, trader and guardian over an exchange in the same process.

Every part is the one that runs live: pybit loads the candles, frames are parsed and stored in Redis by the collector's
use-case, `run_cycle` decides, plans, claims, signs and resolves against the real database, the guardian re-reads every
position twice a minute. Only the clock is stepped and the exchange is spoken to without a socket. `make replay` and
the demo's past are both this.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import redis
import requests
import sqlalchemy as sa
from aiohttp import web
from redis.asyncio import Redis as AsyncRedis
from requests.adapters import BaseAdapter

from lib.adapters.bybit.kline_wire import parse_frame, updates
from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.redis.candle_store import AsyncRedisCandleReader, RedisCandleStore
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.vault import VaultOpener, VaultSealer
from lib.clock import SteppedClock
from lib.domain.account import AccountSettings
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS
from lib.market.feed import CandleFeed
from lib.market.status import adopt_feed
from lib.ports.analyst import Analyst
from lib.ports.ledger import Ledger
from lib.ports.market import AsyncCandleReader
from lib.simulator.exchange import LocalExchange
from lib.simulator.venue.venue import Request
from lib.trading.context import TradingContext
from lib.trading.cycle.run import CycleReport, run_cycle
from lib.trading.guardian.task import Guardian

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSIDE = "http://127.0.0.1:1"
"""The address of the exchange inside this process; nothing ever connects to it."""
CLOSE_LAG_MS = 400
"""How long after the minute the stream's closing frame arrives."""
CYCLE_LAG_MS = 2_000
HOLDER = "rehearsal"


def _local_analyst(url: str) -> "tuple[Analyst, AsyncOpenAI]":
    from lib.adapters.openai.analyst import OpenAIAnalyst, connect  # slow to import, and most processes ask nobody

    client = connect(url, "local-analyst")
    return OpenAIAnalyst(client), client


class LocalTransport(Transport):
    """The trader's transport to an exchange in this process."""

    def __init__(self, exchange: LocalExchange) -> None:
        self._exchange = exchange

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """As `Transport.request`, without a socket."""
        await asyncio.sleep(0)
        answer = self._exchange.handle(Request(method, path, query, headers, body, "127.0.0.1"))
        return answer.status, answer.headers, answer.body


class LocalAdapter(BaseAdapter):
    """The same for pybit's session."""

    def __init__(self, exchange: LocalExchange) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Answer *request* from the exchange."""
        path, query = _target(str(request.path_url))
        headers = {name: str(value) for name, value in request.headers.items()}
        asked = Request(request.method or "GET", path, query, headers, _bytes(request.body), "127.0.0.1")
        answer = self._exchange.handle(asked)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.url, response.request = request.url or INSIDE, request
        return response

    def close(self) -> None:
        """Nothing to close."""


def _target(path_url: str) -> tuple[str, str]:
    path, _, query = path_url.partition("?")
    return path, query


def _bytes(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return str(body).encode() if body else b""


class Held:
    """A port whose calls hold the stepped clock while they wait for the outside."""

    def __init__(self, port: object, clock: SteppedClock) -> None:
        self._port = port
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def held(*args: Any, **kwargs: Any) -> Any:
            with self._clock.hold():
                return await method(*args, **kwargs)

        return held


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a rehearsal keeps what it does: the real database and the real Redis."""

    engine: sa.Engine
    redis: redis.Redis
    redis_async: AsyncRedis


@dataclass(frozen=True, slots=True)
class RehearsalNames:
    """Names and keys of a rehearsal; *secret* and *public* are the sealing pair."""

    feed: str
    symbol: str
    model: str
    installation: str
    secret: str
    public: str


class Rehearsal:
    """One exchange, one clock, one context. Build inside a running loop with `Rehearsal.opened`."""

    def __init__(
        self, exchange: LocalExchange, clock: SteppedClock, stores: Stores, names: RehearsalNames, analyst_url: str
    ):
        self.exchange, self.clock, self.names = exchange, clock, names
        self.store = RedisCandleStore(stores.redis)
        self.accounts = SqlAccounts(stores.engine)
        self._sealer = VaultSealer(names.public)
        self._analyst, self._client = _local_analyst(analyst_url)
        self.ledger = SqlLedger(stores.engine, installation=names.installation, clock=clock)
        market = BybitMarketData(INSIDE)
        market.mount(LocalAdapter(exchange))
        self.candles = CandleFeed(
            self.store, market, clock, series=(names.symbol, "1m"), capacity=5_000, grace_ms=MINUTE_MS
        )
        self.context = self._context(stores)
        self.guardian = Guardian(self.context)

    def _context(self, stores: Stores) -> TradingContext:
        limiter = LocalLimiter(self.clock)
        transport = LocalTransport(self.exchange)
        exchanges = BybitExchanges(
            VaultOpener([self.names.secret]), {"paper": INSIDE}, lambda _: transport, self.clock, limiter
        )
        ledger = cast(Ledger, Held(self.ledger, self.clock))
        return TradingContext(
            orders=ledger,
            books=ledger,
            limits=ledger,
            switches=ledger,
            cycles=ledger,
            notifier=ledger,
            exchanges=exchanges,
            market=BybitAsyncMarket(INSIDE, {"paper": INSIDE}, lambda _: transport, self.clock, limiter),
            candles=cast(AsyncCandleReader, Held(AsyncRedisCandleReader(stores.redis_async), self.clock)),
            analyst=cast(Analyst, Held(self._analyst, self.clock)),
            clock=self.clock,
            feed=self.names.feed,
            model=self.names.model,
            installation=self.names.installation,
            holder=HOLDER,
            lease_ms=CYCLE_MS * 2,
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        exchange: LocalExchange,
        clock: SteppedClock,
        stores: Stores,
        names: RehearsalNames,
        analyst: web.Application,
    ) -> AsyncIterator["Rehearsal"]:
        """A rehearsal whose analyst answers on a loopback port of its own, through the real client."""
        runner = web.AppRunner(analyst)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        rehearsal = cls(exchange, clock, stores, names, f"http://127.0.0.1:{port}/v1")
        try:
            yield rehearsal
        finally:
            await rehearsal._client.close()
            try:
                await rehearsal.leave()
            finally:
                rehearsal.ledger.close()
                await runner.cleanup()

    async def leave(self) -> None:
        """Give the lease back: it was taken for minutes, which the live trader would have to wait for."""
        await self.ledger.release_lease(self.context.holder)

    # --- people -------------------------------------------------------------------------------------------------------

    def add_person(self, email: str, settings: AccountSettings, balance: Decimal, *, is_demo: bool = False) -> int:
        """A person with a paper account of *balance* USDT, auto-trading on; the user's id."""
        known = self.accounts.user_id(email)  # made by an attempt that was cut short before the account
        user_id = self.accounts.add_user(email, "!", is_demo=is_demo) if known is None else known
        uid, key = self._open_paper_account(email, balance)
        context = SealContext(user_id, "paper", uid, 1)
        self.accounts.add_account(
            NewAccount(
                user_id=user_id,
                venue="paper",
                feed=self.names.feed,
                uid=uid,
                symbol=self.names.symbol,
                sealed_key=self._sealer.seal(key, context),
                key_last4=key.api_key[-4:],
                key_version=1,
                start_balance=balance,
                opened_ms=self.clock.now_ms(),
            )
        )
        self.accounts.change_settings(user_id, settings)
        self.accounts.set_auto_trade(user_id, True, self.clock.now_ms())
        return user_id

    def _open_paper_account(self, label: str, balance: Decimal) -> tuple[str, ApiKey]:
        body = json.dumps({"balance": str(balance), "label": label}).encode()
        answer = self.exchange.handle(Request("POST", "/sim/accounts", "", {}, body, "127.0.0.1"))
        made = json.loads(answer.body)
        return str(made["uid"]), ApiKey(made["apiKey"], made["apiSecret"])

    # --- time ---------------------------------------------------------------------------------------------------------

    async def run(self, until_ms: int, on_cycle: Callable[[CycleReport], Awaitable[None]]) -> int:
        """Step minute by minute to *until_ms* (epoch ms); how many cycles ran."""
        adopt_feed(self.store, self.names.feed)
        self.candles.connected()
        cycles = 0
        close = self.clock.now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
        while close <= until_ms:
            await self._minute(close)
            if close % CYCLE_MS == 0:
                self.clock.advance_to(close + CYCLE_LAG_MS)
                await on_cycle(await run_cycle(self.context, close))
                cycles += 1
            close += MINUTE_MS
        return cycles

    async def _minute(self, close: int) -> None:
        """The minute that ends at *close*: guarded at its middle and its end, its candle collected."""
        self.clock.advance_to(close - MINUTE_MS // 2)
        self.exchange.tick()
        await self.guardian.run_pass()
        self.clock.advance_to(close + CLOSE_LAG_MS)
        self.exchange.tick()
        message = self.exchange.venue.kline_message(
            self.names.symbol, "1", self.clock.now_ms(), confirm_open_time=close - MINUTE_MS
        )
        if message is not None:  # no frame comes for a minute without trading
            for update in updates(parse_frame(json.dumps(message))):
                self.candles.update(update)
        await self.guardian.run_pass()
