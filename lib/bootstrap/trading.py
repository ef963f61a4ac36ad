"""
The trader and its workers, wired: one process that serves every account, or several that own their shares.

Without WORKERS nothing here touches a broker: a trader calls nobody and is called by nobody. With it the trader owns a
share too, calls the workers when a cycle begins, and is called where another trader leads.
"""

import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from lib import log
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.bybit.stream.private_stream import BybitAccountHints
from lib.adapters.dramatiq.calls import DramatiqCalls, listening
from lib.adapters.openai.prices import priced
from lib.adapters.redis.candle_store import AsyncRedisCandleReader
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.adapters.redis.measures import AsyncRedisMeasures
from lib.adapters.redis.news import AsyncRedisNews
from lib.adapters.sql.forms.commands import SqlCommands
from lib.adapters.sql.forms.model_lists import SqlModelRegister
from lib.adapters.sql.forms.operator_acts import SqlRequestedActs
from lib.adapters.sql.forms.platform_book import SqlPlatformBook
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.pasting import SqlPastBook
from lib.adapters.sql.ledger.shadowing import SqlShadowBook
from lib.adapters.vault import VaultOpener
from lib.bootstrap import stores
from lib.bootstrap.analyst import analyst_prices, counts_cost, open_analyst
from lib.bootstrap.metrics import read_budget, read_candles, read_database
from lib.bootstrap.models import environment_model, listed_models
from lib.bootstrap.seat import TRADERS, WORKERS, take_seat
from lib.bootstrap.starting import refuse_foreign_address
from lib.clock import SystemClock
from lib.domain.errors import Halt, Retry
from lib.domain.venues import pool_of
from lib.domain.worker import Worker
from lib.ports.metrics import Metrics
from lib.settings import Settings
from lib.trading.commands import CommandRunner
from lib.trading.context import TradingContext
from lib.trading.cycle.platform_limits import limits_now
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.model_requests import ModelRequests
from lib.trading.operator_requests import OperatorRequests
from lib.trading.part import Beside, Share, Whole
from lib.trading.past_room import PastMeans, PastRoom
from lib.trading.platform_desk import PlatformDesk
from lib.trading.shadow_room import ShadowMeans, ShadowRoom
from lib.trading.state import TraderState
from lib.trading.trader import Trader
from lib.trading.turns import Turns

NEEDED = ("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY", "OPENAI_API_KEY", "INSTALLATION")


@dataclass(frozen=True, slots=True)
class Role:
    """Who a process is: *holder* names it in leases; *leads* = it may keep what is the platform's."""

    holder: str
    leads: bool


@asynccontextmanager
async def trader(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Trader]:
    """The trader over live ports; everything it holds open is closed at the end. *metrics* are its figures."""
    settings.require(*NEEDED)
    role = Role(_holder(), leads=True)
    with take_seat(settings.data_dir, role.holder, TRADERS) as dead:
        async with _opened(settings, role, metrics, dead) as made:
            yield made


@asynccontextmanager
async def worker(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Trader]:
    """A worker over live ports: a trader of its share that never leads."""
    settings.require(*NEEDED)
    if not settings.workers.are_wanted:
        raise Halt("WORKERS=true is missing: without it the trader serves every account by itself")
    role = Role(_holder(), leads=False)
    with take_seat(settings.data_dir, role.holder, WORKERS) as dead:
        async with _opened(settings, role, metrics, dead) as made:
            yield made


def _holder() -> str:
    return f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"


async def _inherit(ledger: SqlLedger, dead: str, *, is_divided: bool) -> None:
    """Give back what a process known to be dead held; otherwise it would be waited for."""
    try:
        await (ledger.leave(dead) if is_divided else ledger.release_lease(dead))
    except Retry as busy:
        log.get("bootstrap").warning("trader.lease_waits", why=str(busy))


@asynccontextmanager
async def _opened(settings: Settings, role: Role, metrics: Metrics | None, dead: str) -> AsyncIterator[Trader]:
    refuse_foreign_address(settings.workers.local_ip)
    prices = analyst_prices(settings)
    engine = stores.database(settings)
    read_candles(metrics, stores.candle_store(settings))
    watchers = stores.watchers_database(settings)
    read_database(metrics, engine, watchers)
    read_budget(metrics, stores.budget(settings))
    clock = SystemClock()
    redis = connect_async(settings.redis_url, tls_verify=stores.tls_verify(settings))
    limits = RedisLimits(redis, clock, settings.workers.address)
    analyst, client = open_analyst(settings, engine)
    ledger = SqlLedger(engine, installation=settings.installation)
    state = TraderState(turns=Turns(settings.analyst_places))
    share = _share(settings, role, ledger, state, clock)
    async with open_session(settings.workers.local_ip) as session, AsyncExitStack() as stack:

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
            measures=AsyncRedisMeasures(redis, settings.feed_name),
            news=AsyncRedisNews(redis),
            analyst=analyst,
            clock=clock,
            feed=settings.feed_name,
            model=settings.openai_model,
            installation=settings.installation,
            holder=role.holder,
            analyst_budget_s=settings.analyst_budget_s,
            platform=settings.platform_limits,
            pools=frozenset(map(pool_of, settings.venues)),
            prices=prices,
            models=listed_models(settings, engine),
            state=state,
            part=share or Whole(),
        )
        hints = BybitAccountHints(opener, settings.private_ws_urls, session, clock)
        try:
            probe = PybitKeyProbe(urls, ban=stores.check_lane(settings), clock=clock)
            made = Trader(
                context,
                Guardian(context, hints),
                CommandRunner(context, SqlCommands(engine, clock), opener, probe),
                Stopper(context, allowed=settings.trading_enabled, everybody=role.leads),
                _operator_requests(settings, engine, ledger, context) if role.leads else None,
                leads=role.leads,
                share=share,
                beside=Beside(ledger, clock, is_divided=share is not None),
                shadows=shadow_room(ledger, context) if role.leads else None,
            )
            if role.leads:
                made.past = past_room(settings, ledger, context, lambda: bool(made.serving))
            if dead:
                await _inherit(ledger, dead, is_divided=share is not None)
            if share is not None:
                calls = stores.redis_client(settings)
                stack.callback(calls.close)
                made.calls = DramatiqCalls(calls) if role.leads else None
                await stack.enter_async_context(listening(calls, role.holder, made.called))
            yield made
        finally:
            await hints.close()
            await limits.told()
            await client.close()
            await redis.aclose()
            ledger.close()
            watchers.dispose()
            engine.dispose()


def _share(settings: Settings, role: Role, ledger: SqlLedger, state: TraderState, clock: SystemClock) -> Share | None:
    """The process's share where accounts are divided."""
    if not settings.workers.are_wanted:
        return None
    return Share(Worker(role.holder, settings.workers.address, settings.workers.capacity), ledger, state, clock)


def shadow_room(ledger: SqlLedger, context: TradingContext) -> ShadowRoom:
    """The room of shadows beside *context*: of its ports those that read, ask and keep answers."""
    return ShadowRoom(
        ShadowMeans(
            asked=context.state.asked,
            book=SqlShadowBook(ledger),
            cycles=ledger,
            entries=ledger,
            limits=lambda: limits_now(context),
            candles=context.candles,
            measures=context.measures,
            news=context.news,
            analyst=context.analyst,
            model=context.model,
            prices=context.prices,
            models=context.models,
            turns=context.turns,
            clock=context.clock,
            feed=context.feed,
            holder=context.holder,
            analyst_budget_s=context.analyst_budget_s,
        )
    )


def past_room(settings: Settings, ledger: SqlLedger, context: TradingContext, is_busy: Callable[[], bool]) -> PastRoom:
    """The room in which models are asked about the past, beside *context*: of its ports those that ask."""
    return PastRoom(
        PastMeans(
            book=SqlPastBook(ledger),
            limits=lambda: limits_now(context),
            environment=environment_model(settings),
            analyst=context.analyst,
            models=context.models,
            turns=context.turns,
            clock=context.clock,
            feed=context.feed,
            analyst_budget_s=context.analyst_budget_s,
            is_busy=is_busy,
        )
    )


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
        models=ModelRequests(SqlModelRegister(engine), priced, context.clock),
    )
