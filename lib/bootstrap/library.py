"""The candle library, wired: files under DATA_DIR, the feed's public REST behind them."""

from pathlib import Path
from urllib.parse import urlsplit

from lib.adapters.bybit.limits.steps import Steps
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.candle_shelf import ParquetShelf
from lib.bootstrap import stores
from lib.clock import SystemClock
from lib.domain.errors import Halt
from lib.market.library import Footage, Library, Span
from lib.settings import Settings
from lib.simulator.feeds import instrument_of
from lib.simulator.market.candle_files import read_candles

A_SECOND = 4
"""Pages a second: what order path and collector leave of an address' 120."""
FOLDER = "candles"


def candle_library(settings: Settings) -> Library:
    """The library of this deployment's feed. Nobody is asked before something is filled."""
    ban = stores.traders_ban(settings) if settings.redis_url else None
    market = BybitMarketData(settings.bybit_api_url, ban=ban, steps=Steps(A_SECOND))
    source = f"REST {urlsplit(settings.bybit_api_url).hostname}"
    return Library(ParquetShelf(settings.data_dir / FOLDER, settings.feed_name), market, source, SystemClock())


def taken_file(library: Library, symbol: str, path: Path) -> Footage:
    """The candles of the file at *path*, put into *library*; *Halt* in one line for a file that cannot be read."""
    found = read_candles(path, instrument_of(symbol)).candles
    library.take(symbol, found, f"file {path.name}"[:80].replace("; ", " "))
    return library.read(symbol, (found[0].open_time, found[-1].open_time + 60_000))


def kept_footage(library: Library, symbol: str, span: Span) -> Footage:
    """What *library* has of *span*; *Halt* when that is nothing."""
    footage = library.read(symbol, span)
    if not len(footage.candles):
        raise Halt(f"the library has no candle of {symbol} then: make candles SYMBOL={symbol} FROM=… TO=…")
    return footage
