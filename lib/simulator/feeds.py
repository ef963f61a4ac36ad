"""
Where a simulator's prices come from: invented, replayed from a file, or poured in from a real venue.

A feed has an identity, and books are kept per identity. A replay file's candles are moved in time so that the first
*replay_history* of them are the past when the file's books are first opened; the move is stored with the books.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lib import log
from lib.clock import Clock
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Halt
from lib.domain.instrument import Instrument
from lib.simulator.config import LIVE_FEEDS, SimulatorConfig
from lib.simulator.listing import KNOWN, listing
from lib.simulator.market.candle_files import read_candles
from lib.simulator.market.live_feed import LiveFeed, Upstream
from lib.simulator.market.market import LiveMarket, Market, ReplayMarket, SyntheticMarket
from lib.simulator.store import Store

LIVE_HISTORY_MS = 6_000 * MINUTE_MS
"""The least past, in ms, that a live market starts with."""


INSTRUMENTS = {symbol: KNOWN[symbol].rules for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")}
"""Trading rules of the symbols whose recorded candles can be replayed."""


@dataclass(frozen=True, slots=True)
class Feed:
    """An open feed: its market and rules, and for a live feed the task that has to run and be waited for."""

    market: Market
    instruments: Mapping[str, Instrument]
    live: LiveFeed | None = None

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """The coroutines that must run beside the server."""
        return [self.live.run()] if self.live else []

    async def ready(self) -> None:
        """Return once every symbol has a price."""
        if self.live:
            await self.live.ready.wait()


def identity(config: SimulatorConfig) -> str:
    """The identity of *config*'s books: feed and seed, or the file's name and digest. *Halt* for an unusable feed."""
    kind, _, file = config.feed.partition(":")
    if kind == "synthetic" and not file:
        return f"synthetic seed {config.seed}"
    if kind == "replay" and file:
        return f"replay {Path(file).name} {_digest(Path(file))}"
    if config.feed in LIVE_FEEDS:
        return config.feed
    raise Halt(f"unknown feed {config.feed!r}: use synthetic, replay:FILE, {' or '.join(sorted(LIVE_FEEDS))}")


def open_feed(config: SimulatorConfig, store: Store, clock: Clock, upstream: Upstream | None) -> Feed:
    """The feed of *config*; *Halt* when its file, symbols or upstream do not fit."""
    if config.feed in LIVE_FEEDS:
        return _live(config, store, clock, upstream)
    if config.feed == "synthetic":
        made_up = {symbol: _made_up(symbol) for symbol in config.symbols}
        return Feed(SyntheticMarket(config.seed, made_up), made_up)
    instruments = {symbol: instrument_of(symbol) for symbol in config.symbols}
    if len(config.symbols) != 1:
        raise Halt(f"a replay file holds the candles of one symbol, not of {len(config.symbols)}: set one symbol")
    return Feed(_replay(config, store, clock), instruments)


def instrument_of(symbol: str) -> Instrument:
    """The trading rules of *symbol*; *Halt* for a symbol of which only a real venue has any."""
    if symbol not in INSTRUMENTS:
        raise Halt(f"{symbol} cannot be simulated: this feed knows {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS[symbol]


def _made_up(symbol: str) -> Instrument:
    """The trading rules of *symbol* in an invented market."""
    if (found := listing(symbol)) is None:
        raise Halt(f"{symbol} cannot be simulated: a USDT perpetual's name is capitals and digits and ends in USDT")
    return found.rules


def _replay(config: SimulatorConfig, store: Store, clock: Clock) -> ReplayMarket:
    symbol = config.symbols[0]
    rules = instrument_of(symbol)
    file = read_candles(Path(config.feed.partition(":")[2]), rules)
    for note in file.notes:
        log.get("simulator").warning("replay.file", note=note)
    candles = file.candles
    kept = store.fact("replay_shift_ms")
    if kept is None:
        past = candles[: max(config.replay_history, 1)][-1]
        kept = str(clock.now_ms() // MINUTE_MS * MINUTE_MS - past.open_time - MINUTE_MS)
        store.keep_fact("replay_shift_ms", kept)
    shift = int(kept)
    return ReplayMarket(symbol, [_moved(candle, shift) for candle in candles], rules.tick_size)


def _moved(candle: Candle, shift: int) -> Candle:
    return Candle(candle.open_time + shift, candle.open, candle.high, candle.low, candle.close, candle.volume)


def _live(config: SimulatorConfig, store: Store, clock: Clock, upstream: Upstream | None) -> Feed:
    if upstream is None:
        raise Halt(f"feed {config.feed} needs a real venue to listen to")
    now = clock.now_ms()
    advanced = int(store.fact("advanced_ms") or now)
    market = LiveMarket(upstream.instruments, {i.symbol: i.tick_size for i in upstream.instruments.values()})
    feed = upstream.open_feed(min(advanced, now - LIVE_HISTORY_MS))
    return Feed(market, upstream.instruments, LiveFeed(feed, market))


def _digest(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise Halt(f"cannot read the candle file {path}: it is not a file")
    try:
        return sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise Halt(f"cannot read the candle file {path}: {error.strerror}") from None
