"""
The web process: Streamlit's pages, the REST routes and the live WebSocket behind one security layer, in one process.

One worker only: page sessions live in its memory. The layer stands outside everything, so errors carry its headers too.
Unsafe server settings (foreign origins, the agent API, no XSRF check) are refused at start-up.
"""

import asyncio
import gc
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from streamlit import config

from app.addresses import Addresses
from app.api import (
    account,
    arena,
    auth,
    backtests,
    cockpit,
    compare,
    demo_step,
    market,
    models,
    operators,
    passkeys,
    plain,
    quarantine,
    real_money,
    records,
    results,
    safety,
    scores,
    shadows,
    stops,
    strategies,
    tokens,
)
from app.api.endpoints import Endpoint, routes_of
from app.api.openapi import described
from app.cockpit import Cockpit
from app.http.doorkeeper import Doorkeeper
from app.http.hosts import Hosts
from app.http.places import places
from app.http.protocols import BACKLOG, FRAME_BYTES, HEADER_BYTES, protocols
from app.http.traffic import Traffic
from app.kept_assets import KeptAssets
from app.left_pages import LeftPages
from app.live import Hub
from app.live_accounts import AccountHub
from app.policy import inline_hashes
from app.security import IDENTITY_HEADER, Security
from app.session import IDENTITY
from app.system import hand_over
from app.threads import in_thread
from app.ui.assets import FOLDER, FOLDERS, PATH, folder_address
from lib import bootstrap, log
from lib.bootstrap import WebSystem
from lib.domain.errors import Halt, Retry
from lib.domain.health import SAMPLE_MS
from lib.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "streamlit_app.py"
HEAVY = ("pandas", "pyarrow", "altair", "streamlit.elements.arrow", "streamlit.runtime.scriptrunner")
"""Imported before the freeze, so that the first visitor does not wait for them and no collection walks them."""
TIDY_S = 600.0
DRAIN_S = 3
_log = log.get("web")


def build(
    system: WebSystem, script: Path = SCRIPT, traffic: Traffic | None = None, *, packs_ahead: bool = True
) -> Security:
    """
    The whole web application over *system*, as ASGI; visitors are counted by the real clock unless told another.

    *packs_ahead*: what our pages name is made small before somebody asks for it, which takes seconds of a processor.
    """
    refuse_unsafe_server()
    config.set_option("server.trustedUserHeaders", {IDENTITY_HEADER: IDENTITY})
    hand_over(system)
    live = Live(system)
    # what the lifespan warms stands around it, and is there when it begins
    pages = st.App(script, routes=routes(live), lifespan=_lifespan(system, live, lambda: _packed(files, ahead())))
    files = KeptAssets(pages)
    known = Addresses(LeftPages(files), system.operators.room.admits)

    def ahead() -> Collection[str]:
        return known.files if packs_ahead else ()

    return Security(
        known,
        system.people.user_of,
        system.trusted_proxies,
        inline_hashes(),
        hosts=Hosts(system.hosts),
        traffic=traffic,
        bearer_of=system.tokens.user_of,
    )


class Live:
    """What is pushed to browsers: candles, and what people's screens show of their account."""

    def __init__(self, system: WebSystem) -> None:
        def still_in(tokens: set[str]) -> Awaitable[set[str]]:
            return in_thread(_still_in, system, tokens)

        self.candles = Hub(system.live, system.clock, still_in, system.draw)
        self.cockpit = Cockpit(system.readings, system.clock, system.symbols)
        self.accounts = AccountHub(self.cockpit, system.clock, still_in)

    def work(self) -> tuple[Coroutine[None, None, None], ...]:
        """What goes on beside the routes, for ever."""
        return self.candles.listen(), self.candles.guard(), self.accounts.keep(), self.accounts.guard()


def routes(live: Live) -> list[BaseRoute]:
    """Ours, before Streamlit's own."""
    folders = [Mount(folder_address(one), StaticFiles(directory=FOLDER / one)) for one in FOLDERS]
    acts = [*account.ENDPOINTS, *safety.ENDPOINTS, *passkeys.ENDPOINTS, *stops.ENDPOINTS]
    told = {(one.method, one.path) for one in acts}
    return [
        *cockpit.telling(live.accounts, routes_of(acts)),
        *routes_of(one for one in endpoints(live) if (one.method, one.path) not in told),
        *operators.ROUTES,
        records.PAGE,
        backtests.PAGE,
        market.stream(live.candles),
        cockpit.channel(live.cockpit, live.accounts),
        *plain.LAST,
        *folders,
        Mount(PATH, StaticFiles(directory=FOLDER)),
    ]


def endpoints(live: Live) -> tuple[Endpoint, ...]:
    """Everything the API answers, each with its description; the operators' room is told of to nobody."""
    people = (auth, account, safety, passkeys, tokens)
    past = (records, backtests, quarantine, results, scores, shadows, compare, arena)
    own = (plain, *people, strategies, models, *past, stops, demo_step, real_money)
    pushed = (*market.endpoints(live.candles), *cockpit.endpoints(live.cockpit))
    return described([*(one for module in own for one in module.ENDPOINTS), *pushed])


def refuse_unsafe_server() -> None:
    """*Halt* when Streamlit's own settings would open what the layer in front relies on."""
    wanted = {"server.enableCORS": True, "server.enableXsrfProtection": True, "server.enableAgentApi": False}
    for name, value in wanted.items():
        if config.get_option(name) is not value:
            raise Halt(f"Streamlit's {name} must be {str(value).lower()}: remove it from config and environment")


def _still_in(system: WebSystem, tokens: set[str]) -> set[str]:
    return {token for token in tokens if system.people.user_of(token) is not None}


def _lifespan(
    system: WebSystem, live: Live, warm: Callable[[], Coroutine[None, None, None]]
) -> Callable[[st.App], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        await in_thread(_warm_up)
        work = (*live.work(), _tidy(system), _watch(system), warm())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return lifespan


async def _packed(files: KeptAssets, ahead: Collection[str]) -> None:
    """Have the files at the addresses *ahead* ready; pack what else is asked for, until the server stops."""
    try:
        await files.warm(ahead)
        await asyncio.Event().wait()
    finally:
        files.close()


@cache
def _warm_up() -> None:
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


async def _tidy(system: WebSystem) -> None:
    while True:
        try:
            await in_thread(system.people.tidy)
        except Retry as away:
            _log.warning("web.not_tidied", why=str(away))
        await system.clock.sleep(TIDY_S)


async def _watch(system: WebSystem) -> None:
    """Take down every half minute how the system is, for the operators' day of it."""
    while True:
        try:
            await in_thread(system.operators.note)
        except Retry as away:
            _log.debug("web.health_not_noted", why=str(away))
        await system.clock.sleep(SAMPLE_MS / 1000)


def main(settings: Settings) -> None:
    """Entry point under `run_process`: serve until SIGTERM or Ctrl-C."""
    bootstrap.refuse_key_that_opens(settings)
    bootstrap.refuse_careless_web(settings)
    bootstrap.refuse_busy_port(settings.web_host, settings.web_port, "PORT")
    with bootstrap.measured("web", settings) as metrics:
        _serve(build(bootstrap.web_system(settings, metrics)), settings)


def _serve(application: Security, settings: Settings) -> None:
    _log.info("web.starting", url=f"http://{settings.web_host}:{settings.web_port}", feed=settings.feed_name)
    # no proxy_headers: whose word counts is decided in one place, app.visit
    uvicorn.run(
        application,
        host=settings.web_host,
        port=settings.web_port,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        **protocols(Doorkeeper(places(settings.trusted_proxies))),
        ws_max_size=FRAME_BYTES,
        h11_max_incomplete_event_size=HEADER_BYTES,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_S,
    )


if __name__ == "__main__":
    bootstrap.run_process("web", main)
