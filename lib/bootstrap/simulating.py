"""The local Bybit and the local analyst, wired; with FEED naming a real market, over its prices."""

import asyncio

from lib import log
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.stream.public_feed import BybitPublicFeed
from lib.adapters.private_files import private_folder
from lib.domain.bybit_sites import FEEDS
from lib.domain.errors import Halt, Retry
from lib.domain.instrument import Instrument
from lib.ports.market import NotListed
from lib.reason_text import told
from lib.settings import Settings
from lib.simulator.analyst.completions import MODELS
from lib.simulator.server import SimulatorConfig, Upstream, serve


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
