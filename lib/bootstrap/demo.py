"""
The demo person's past: one labelled paper account that has traded for a day before anybody looks.

Made once, before the services start, by the same `run_cycle` on a stepped clock over this feed's own prices, into the
very database, Redis and simulator books that the services then continue. It cannot sign in.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.redis.connection import connect_async
from lib.bootstrap import stores
from lib.bootstrap.simulating import simulator_config, upstream
from lib.clock import SteppedClock, SystemClock
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.analyst_name import RULES_MODEL
from lib.domain.bybit_sites import FEEDS
from lib.domain.candle import MINUTE_MS
from lib.market.history import load_history
from lib.replay.rehearsal import Rehearsal, RehearsalNames, Stores
from lib.settings import Settings
from lib.simulator.exchange import LocalExchange
from lib.simulator.feeds import Feed, identity, open_feed
from lib.simulator.market.market import ReplayMarket
from lib.simulator.server import SimulatorConfig, application, build
from lib.simulator.store import Store
from lib.trading.cycle.run import CycleReport

PAST_MS = 24 * 60 * MINUTE_MS
BALANCE = Decimal(10_000)


def demo_email(feed: str) -> str:
    """The demo person of *feed*: one for each, because books are kept per feed."""
    name = "".join(c if c.isalnum() else "-" for c in feed.lower())
    return f"demo-{name}@maemae.local"


async def ensure_demo(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the demo person and a day of its past on this feed unless it is there; *say* tells what happens."""
    engine = stores.database(settings)
    try:
        readings = stores.readings(settings)
        if readings.demo_user_id(settings.feed_name) is None:
            await _make(settings, engine, say)
    finally:
        engine.dispose()


async def _make(settings: Settings, engine: sa.Engine, say: Callable[[str], None]) -> None:
    say("making a day of paper trading for the demo account, with the same code that trades (once, some seconds)")
    config = simulator_config(settings)
    set_aside(config.database)  # books without their person: an attempt cut short, or another database's
    store = Store(config.database, identity(config))
    feed = await _past_feed(settings, config, store)
    now = SystemClock().now_ms()
    clock = SteppedClock(_begin(feed, config.symbols[0], now))
    exchange = build(config, feed, store, clock)
    redis_async = connect_async(settings.redis_url, tls_verify=stores.tls_verify(settings))
    try:
        await exchange.resume()
        kept = Stores(engine, stores.redis_client(settings), redis_async)
        names = RehearsalNames(
            feed=settings.feed_name,
            symbol=config.symbols[0],
            model=RULES_MODEL,
            installation=settings.installation,
            secret=settings.encryption_key,
            public=settings.encryption_public_key,
        )
        await _live_through(exchange, clock, kept, names, config, now, say)
    finally:
        await redis_async.aclose()
        store.close()


def set_aside(database: Path) -> None:
    """Rename *database* and its log, if there, so that a new file may take their name; nothing is deleted."""
    stamp = SystemClock().now_ms()
    for file in (database, database.with_name(f"{database.name}-wal")):
        if file.exists():
            file.rename(file.with_name(file.name.replace(".db", f".before-{stamp}.db")))


async def _live_through(  # noqa: PLR0913 - one day, wired
    exchange: LocalExchange,
    clock: SteppedClock,
    kept: Stores,
    names: RehearsalNames,
    config: SimulatorConfig,
    until_ms: int,
    say: Callable[[str], None],
) -> None:
    outcomes: dict[str, int] = {}

    async def on_cycle(report: CycleReport) -> None:
        for result in report.results:
            outcomes[result.outcome] = outcomes.get(result.outcome, 0) + 1

    async with Rehearsal.opened(exchange, clock, kept, names, application(config, exchange, clock)) as rehearsal:
        wishes = AccountSettings(risk_level=RiskLevel.MEDIUM, max_leverage=5)
        rehearsal.add_person(demo_email(names.feed), wishes, BALANCE, is_demo=True)
        cycles = await rehearsal.run(until_ms, on_cycle)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    say(f"the demo account has lived through {cycles} cycles: {told}")


async def _past_feed(settings: Settings, config: SimulatorConfig, store: Store) -> Feed:
    """The feed whose past is lived through: a real venue's as the candles it has published."""
    if settings.feed in FEEDS:
        return await asyncio.to_thread(_published, settings, config.symbols[0])
    return open_feed(config, store, SystemClock(), None)  # here: the books' connection belongs to this thread


def _published(settings: Settings, symbol: str) -> Feed:
    history = load_history(BybitMarketData(settings.bybit_api_url), symbol, "1m", count=5_000 + PAST_MS // MINUTE_MS)
    rules = upstream(settings).instruments[symbol]
    return Feed(ReplayMarket(symbol, history.candles, rules.tick_size), {symbol: rules})


def _begin(feed: Feed, symbol: str, now: int) -> int:
    """A day ago, or as far back as the feed's prices reach with a window before it."""
    at = now - PAST_MS
    while feed.market.candle(symbol, (at - 60 * MINUTE_MS) // MINUTE_MS * MINUTE_MS) is None and at < now:
        at += 60 * MINUTE_MS
    return at
