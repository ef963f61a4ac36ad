"""
The same simulated exchange behind three clients: ours in process, ours over HTTP, pybit over HTTP.

The market is flat at 60,000, falls to 58,000 in the minute half an hour after *T*, and stays there for ten hours. Time
moves only when a test says so.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitExchanges
from lib.adapters.bybit.rest.transport import AiohttpTransport, Transport, open_session
from lib.adapters.vault import VaultOpener, generate_keys
from lib.clock import SteppedClock
from lib.domain.api_key import ApiKey
from lib.domain.candle import MINUTE_MS, Candle
from lib.ports.exchange import Exchange
from lib.simulator.config import SimulatorConfig
from lib.simulator.engine.accounts import Born
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Fault, Faults
from lib.simulator.feeds import INSTRUMENTS, Feed
from lib.simulator.market.market import ReplayMarket
from lib.simulator.server import application, build
from lib.simulator.store import Store
from lib.simulator.venue.venue import Venue, VenueConfig
from tests.contract.pybit_exchange import ClockedHTTP, PybitExchange
from tests.factories import SYMBOL, T, candle
from tests.worlds.inprocess import VenueTransport

FALL_MS = T + 30 * MINUTE_MS
FALL_MINUTE, MINUTES = 90, 700
START_BALANCE = Decimal(10_000)


def market() -> ReplayMarket:
    """An hour before *T* to ten hours after."""
    return ReplayMarket(SYMBOL, [_minute(number) for number in range(MINUTES)], INSTRUMENTS[SYMBOL].tick_size)


def _minute(number: int) -> Candle:
    at = T + (number - 60) * MINUTE_MS
    if number < FALL_MINUTE:
        return candle(at, "60000.0")
    if number == FALL_MINUTE:
        return candle(at, "60000.0", close="58000.0", low="57990.1")
    return candle(at, "58000.0")


@dataclass
class World:
    """An exchange under test, and the strings of the world around it."""

    clock: SteppedClock
    engine: Engine
    faults: Faults
    key: ApiKey
    base_url: str
    transport: Transport
    by_pybit: bool = False
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self.exchange = self.exchange_with(self.key)

    def pass_ms(self, ms: int) -> None:
        """Let *ms* go by at the exchange."""
        self.clock.advance_to(self.clock.now_ms() + ms)

    def break_next(self, kind: str, path: str | None = None, **params: object) -> None:
        """Make the next request that meets it go wrong."""
        self.faults.push(Fault(kind, path, params=params))

    def exchange_with(self, key: ApiKey) -> Exchange:
        """The same client with another key."""
        if self.by_pybit:
            return PybitExchange("1000001", ClockedHTTP(self.base_url, key, self.clock))
        return bybit(self.transport, self.clock, key)


def bybit(transport: Transport, clock: SteppedClock, key: ApiKey) -> Exchange:
    """Our client over *transport*."""
    opener = VaultOpener([generate_keys()[0]])
    exchanges = BybitExchanges(opener, {"paper": "http://paper.test"}, lambda _: transport, clock, LocalLimiter(clock))
    return exchanges.of("paper", "1000001", key)


AS_BYBITS_DEMO = Born("REGULAR_MARGIN", is_demo=True)
"""Cross margin, and routes that are not offered."""


@asynccontextmanager
async def in_process(born: Born | None = None, clock_ahead_ms: int = 0) -> AsyncIterator[World]:
    """Ours over `VenueTransport`."""
    clock = SteppedClock(T + 1_000)
    engine = Engine(market(), INSTRUMENTS, config(Path()).engine)
    venue = Venue(engine, clock, VenueConfig(clock_ahead_ms=clock_ahead_ms))
    key = open_account(engine, clock, born)
    transport = VenueTransport(venue, venue.faults, clock)
    yield World(clock, engine, venue.faults, key, "http://paper.test", transport)


@asynccontextmanager
async def over_http(folder: Path, *, by_pybit: bool, born: Born | None = None) -> AsyncIterator[World]:
    """Ours or pybit over a loopback socket, the simulator's real HTTP application behind it."""
    clock = SteppedClock(T + 1_000)
    plan = config(folder)
    store = Store(plan.database, "replay test")
    local = build(plan, Feed(market(), INSTRUMENTS), store, clock)
    await local.resume()
    key = open_account(local.engine, clock, born)
    try:
        async with serving(application(plan, local, clock)) as url, open_session() as session:
            transport = AiohttpTransport(url, session)
            yield World(clock, local.engine, local.faults, key, url, transport, by_pybit)
    finally:
        store.close()


def config(folder: Path) -> SimulatorConfig:
    return SimulatorConfig(feed="synthetic", database=folder / "simulator.db")


def open_account(engine: Engine, clock: SteppedClock, born: Born | None = None) -> ApiKey:
    """A fresh account of *START_BALANCE*; its key."""
    engine.advance(clock.now_ms())
    [key] = engine.create_account(START_BALANCE, uid=1_000_001, born=born).keys
    return ApiKey(key.key, key.secret)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """*app* on a free loopback port; its URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
