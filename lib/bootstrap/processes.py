"""The long-running processes, wired."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from lib import log
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.bybit.stream.kline_stream import BybitKlineStream, KlineTimings
from lib.adapters.bybit.stream.private_stream import BybitAccountHints
from lib.adapters.bybit.stream.public_feed import BybitPublicFeed
from lib.adapters.private_files import private_folder
from lib.adapters.redis.candle_store import AsyncRedisCandleReader
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.adapters.sql.forms.commands import SqlCommands
from lib.adapters.sql.forms.operator_acts import SqlRequestedActs
from lib.adapters.sql.forms.platform_book import SqlPlatformBook
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.vault import VaultOpener
from lib.bootstrap import stores
from lib.bootstrap.analyst import analyst_prices, counts_cost, open_analyst
from lib.bootstrap.metrics import read_budget, read_candles, read_database
from lib.bootstrap.seat import take_seat
from lib.clock import SystemClock
from lib.domain.bybit_sites import FEEDS
from lib.domain.errors import Halt, Retry
from lib.domain.instrument import Instrument
from lib.domain.venues import pool_of
from lib.market.collector import Collector, CollectorPlan
from lib.market.sight import KEPT
from lib.ports.ledger import SwitchLedger
from lib.ports.market import NotListed
from lib.ports.metrics import Metrics
from lib.reason_text import told
from lib.settings import VERSION, Settings
from lib.simulator.analyst.completions import MODELS
from lib.simulator.server import SimulatorConfig, Upstream, serve
from lib.trading.commands import CommandRunner
from lib.trading.context import TradingContext
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.operator_requests import OperatorRequests
from lib.trading.platform_desk import PlatformDesk
from lib.trading.trader import Trader


def collector(settings: Settings, metrics: Metrics | None = None) -> Collector:
    """The candle collector of this deployment's feed; *metrics* are its figures."""
    plan = CollectorPlan(settings.feed_name, settings.symbols, settings.intervals, version=VERSION, wide=KEPT)
    market = BybitMarketData(settings.bybit_api_url, ban=stores.traders_ban(settings))
    timings = KlineTimings(stale_after=settings.stale_after_s)
    stream = BybitKlineStream(settings.bybit_ws_url, plan.streamed, timings=timings) if plan.streamed else None
    store = stores.candle_store(settings)
    read_candles(metrics, store)
    return Collector(plan, store, market, stream, SystemClock())


@asynccontextmanager
async def trader(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Trader]:
    """The trader over live ports; everything it holds open is closed at the end. *metrics* are its figures."""
    settings.require("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY", "OPENAI_API_KEY", "INSTALLATION")
    holder = f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"
    with take_seat(settings.data_dir, holder) as dead:
        async with _trader(settings, holder, metrics) as made:
            if dead:
                await _inherit(made.context.switches, dead)
            yield made


async def _inherit(switches: SwitchLedger, dead: str) -> None:
    """Give the lease of a trader known to be dead back; otherwise it would be waited for."""
    try:
        await switches.release_lease(dead)
    except Retry as busy:
        log.get("bootstrap").warning("trader.lease_waits", why=str(busy))


@asynccontextmanager
async def _trader(settings: Settings, holder: str, metrics: Metrics | None) -> AsyncIterator[Trader]:
    prices = analyst_prices(settings)
    engine = stores.database(settings)
    read_candles(metrics, stores.candle_store(settings))
    watchers = stores.watchers_database(settings)
    read_database(metrics, engine, watchers)
    read_budget(metrics, stores.budget(settings))
    clock = SystemClock()
    redis = connect_async(settings.redis_url, tls_verify=stores.tls_verify(settings))
    limits = RedisLimits(redis, clock)
    analyst, client = open_analyst(settings, engine)
    ledger = SqlLedger(engine, installation=settings.installation)
    async with open_session() as session:

        def transport_for(url: str) -> AiohttpTransport:
            return AiohttpTransport(url, session)

        urls = settings.venue_urls
        opener = VaultOpener(settings.key_ring)
        context = TradingContext(
            orders=ledger,
            books=ledger,
            limits=ledger,
            switches=ledger,
            cycles=ledger,
            notifier=ledger,
            exchanges=BybitExchanges(opener, urls, transport_for, clock, limits),
            market=BybitAsyncMarket(settings.bybit_api_url, urls, transport_for, clock, limits),
            candles=AsyncRedisCandleReader(redis),
            analyst=analyst,
            clock=clock,
            feed=settings.feed_name,
            model=settings.openai_model,
            installation=settings.installation,
            holder=holder,
            analyst_budget_s=settings.analyst_budget_s,
            platform=settings.platform_limits,
            pools=frozenset(map(pool_of, settings.venues)),
            prices=prices,
        )
        hints = BybitAccountHints(opener, settings.private_ws_urls, session, clock)
        try:
            probe = PybitKeyProbe(urls, ban=stores.check_lane(settings), clock=clock)
            command_runner = CommandRunner(context, SqlCommands(engine, clock), opener, probe)
            stopper = Stopper(context, allowed=settings.trading_enabled)
            requests = _operator_requests(settings, engine, ledger, context)
            yield Trader(context, Guardian(context, hints), command_runner, stopper, requests)
        finally:
            await hints.close()
            await limits.told()
            await client.close()
            await redis.aclose()
            ledger.close()
            watchers.dispose()
            engine.dispose()


def _operator_requests(
    settings: Settings, engine: sa.Engine, ledger: SqlLedger, context: TradingContext
) -> OperatorRequests:
    return OperatorRequests(
        acts=SqlRequestedActs(engine, context.clock),
        ledger=ledger,
        exchanges=context.exchanges,
        desk=PlatformDesk(SqlPlatformBook(engine), settings.platform_limits, counts_cost(settings)),
        clock=context.clock,
        holder=context.holder,
        lease_ms=context.lease_ms,
    )


async def simulator(settings: Settings, stop: asyncio.Event) -> None:
    """The local Bybit and the local analyst, until *stop*."""
    real = await asyncio.to_thread(upstream, settings) if settings.feed in FEEDS else None
    await serve(simulator_config(settings), stop, upstream=real)


def simulator_config(settings: Settings) -> SimulatorConfig:
    """What this deployment simulates; books are kept per feed."""
    name = "".join(c if c.isalnum() or c in "-." else "-" for c in settings.feed_name)
    folder = settings.data_dir / "simulator"
    private_folder(folder)
    return SimulatorConfig(
        feed=settings.feed,
        database=folder / f"{name}.db",
        seed=settings.simulator_seed,
        host=settings.simulator_host,
        port=settings.simulator_port,
        symbols=settings.symbols,
        token=settings.simulator_token or None,
        models=tuple(dict.fromkeys((*MODELS, settings.openai_model))),
    )


def upstream(settings: Settings) -> Upstream:
    """The real venue whose prices paper accounts trade on; a symbol it does not list is left out."""
    market = BybitMarketData(settings.bybit_api_url)
    instruments: dict[str, Instrument] = {}
    for symbol in settings.symbols:
        try:
            instruments[symbol] = market.instrument(symbol)
        except NotListed as gone:
            log.get("simulator").alert("upstream.symbol_left_out", symbol=symbol, why=str(gone))
        except Retry as away:
            raise Halt(f"FEED={settings.feed} needs {settings.bybit_api_url}: {told(away, 'en')}") from None
    if not instruments:
        raise Halt(f"{settings.bybit_api_url} lists none of SYMBOLS={','.join(settings.symbols)}")
    listed = tuple(instruments)
    return Upstream(
        instruments, lambda since_ms: BybitPublicFeed(market, settings.bybit_ws_url, listed, since_ms=since_ms)
    )
