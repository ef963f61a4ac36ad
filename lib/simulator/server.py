"""
The simulator as a process: build it from a config, serve it on one port, stop it cleanly.

One event loop, one thread. Invariants: no request is served before the minutes missed while down have run; without a
token only the loopback is served. The environment, logging and signals belong to the caller of `serve`.
"""

import asyncio
import errno
import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from lib import log
from lib.clock import Clock, SystemClock
from lib.domain.errors import Halt
from lib.simulator.analyst.completions import Analyst
from lib.simulator.config import SimulatorConfig as SimulatorConfig
from lib.simulator.engine.engine import Engine
from lib.simulator.exchange import LocalExchange
from lib.simulator.feeds import Feed, identity, open_feed
from lib.simulator.market.live_feed import Upstream as Upstream
from lib.simulator.routes import Routes
from lib.simulator.store import Store
from lib.simulator.venue.venue import Venue

SHUTDOWN_SECONDS = 1.0

_log = log.get("simulator")


async def serve(
    config: SimulatorConfig,
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
    upstream: Upstream | None = None,
    on_ready: Callable[[int], None] | None = None,
) -> None:
    """
    Serve until *stop*; *on_ready* is called with the port once requests are answered.

    *Halt* with one line for an unsafe address, a busy port, an unusable file or a database of another feed. *upstream*
    is the venue a live feed listens to; the other feeds ignore it.
    """
    _refuse_exposure(config)
    clock = clock or SystemClock()
    store = Store(config.database, identity(config))
    try:
        feed = open_feed(config, store, clock, upstream)
        exchange = build(config, feed, store, clock)
        await _until(stop, *feed.work(), _listen(config, feed, exchange, clock, on_ready))
    finally:
        store.close()


def build(config: SimulatorConfig, feed: Feed, store: Store, clock: Clock) -> LocalExchange:
    """The exchange of *config*, before its stored state is loaded."""
    engine = Engine(feed.market, feed.instruments, config.engine)
    venue = Venue(engine, clock, config.venue)
    return LocalExchange(engine, venue, store, clock, feed=identity(config), seed=str(config.seed))


def application(config: SimulatorConfig, exchange: LocalExchange, clock: Clock) -> web.Application:
    """The HTTP application in front of *exchange*."""
    return Routes(exchange, Analyst(config.models, config.analyst_key), clock, config.token).application()


def _refuse_exposure(config: SimulatorConfig) -> None:
    if config.token or _is_loopback(config.host):
        return
    raise Halt(f"refusing to serve on {config.host} without SIMULATOR_TOKEN: set one, or use 127.0.0.1")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _listen(
    config: SimulatorConfig,
    feed: Feed,
    exchange: LocalExchange,
    clock: Clock,
    on_ready: Callable[[int], None] | None,
) -> None:
    """Wait for prices, catch up, then serve and tick once a second until cancelled."""
    await feed.ready()
    await exchange.resume()
    await exchange.prepare_day()
    runner = web.AppRunner(
        application(config, exchange, clock), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, keepalive_timeout=75
    )
    await runner.setup()
    try:
        port = await _bind(runner, config)
        _log.info("simulator.ready", host=config.host, port=port, feed=exchange.feed)
        if on_ready:
            on_ready(port)
        while True:
            await clock.sleep((1000 - clock.now_ms() % 1000) / 1000)
            await exchange.keep_up()
            exchange.tick()
    finally:
        await exchange.streams.close()
        await runner.cleanup()


async def _bind(runner: web.AppRunner, config: SimulatorConfig) -> int:
    """Open the port and return its number; *Halt* when it is taken or forbidden."""
    try:
        await web.TCPSite(runner, config.host, config.port).start()
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        reason = "is in use: stop what listens there or set SIMULATOR_PORT" if busy else f"cannot be opened: {error}"
        raise Halt(f"port {config.port} on {config.host} {reason}") from None
    port: int = runner.addresses[0][1]
    return port


async def _until(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Run *work* until *stop*, or until some of it fails, which is raised here."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in (stop.wait(), *work)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
