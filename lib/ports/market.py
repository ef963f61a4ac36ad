"""
Market data: a feed's REST and streams, and the store of candles.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal, Protocol

from lib.domain.account import Venue
from lib.domain.candle import Candle, FormingCandle
from lib.domain.errors import Retry
from lib.domain.instrument import Instrument
from lib.domain.maintenance import Maintenance
from lib.domain.quotes import CandleTick, KlineUpdate, Ticker


class NotListed(Retry):
    """
    The venue does not list the symbol, now or any more: trouble of that symbol alone, and no process ends by it.

    Asked again later it may be listed again.
    """


class MarketData(Protocol):
    """Public REST of one feed, synchronous (the collector is threads; async callers use a thread)."""

    def server_time(self) -> int:
        """The venue's clock, epoch ms. *Retry* when unreachable."""
        ...

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        """
        The newest *limit* (1..1000) closed candles that open at or before *end* (default: now), oldest first.

        The still-open row is dropped by the venue's clock. An empty list means there are none; failure raises *Retry*.
        """
        ...

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules now. *NotListed* for an unknown symbol, *Retry* when unreachable."""
        ...

    def ticker(self, symbol: str) -> Ticker:
        """Last and mark price now. *Retry* when unreachable."""
        ...


class KlineStream(Protocol):
    """A live kline subscription. Supervision (ping, watchdog, backoff, reconnect) is the implementation's."""

    def run(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        """
        Block until `stop()`; call *on_connect* after each (re)subscription and *on_update* for every push, in order.

        Never raises for network trouble; an exception out of a callback ends the run and propagates.
        """
        ...

    def stop(self) -> None:
        """Make `run` return soon; callable from any thread, idempotent."""
        ...

    @property
    def connected(self) -> bool:
        """True while subscribed."""
        ...


AppendOutcome = Literal["appended", "replaced", "ignored", "gap"]


class CorruptCandles(Retry):
    """A store holds something that is not a list of candles: only `CandleStore.rebuild` helps."""


class CandleStore(Protocol):
    """
    Closed candles per (symbol, interval), contiguous by construction, newest *capacity* kept; plus what readers watch.

    Raises *Retry* when the store cannot be reached; values read back are exactly the values written.
    """

    def append(self, symbol: str, interval: str, candles: Sequence[Candle]) -> AppendOutcome:
        """
        Add closed candles, oldest first and consecutive among themselves, atomically.

        Empty list or newest + one step → pushed; already there and newest → replaced; older → ignored; anything
        that would leave a hole → "gap" and nothing of that candle on is written. The outcome is the last candle's.
        """
        ...

    def rebuild(self, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
        """Replace the whole list by *candles* (oldest first, consecutive) in one atomic step."""
        ...

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """At most *count* newest closed candles, oldest first; undecodable contents raise *CorruptCandles*."""
        ...

    def count(self, symbol: str, interval: str) -> int:
        """How many closed candles are held."""
        ...

    def put_forming(self, symbol: str, interval: str, forming: FormingCandle) -> None:
        """Remember and publish the forming candle."""
        ...

    def forming(self, symbol: str, interval: str) -> FormingCandle | None:
        """The forming candle last put, or None."""
        ...

    def set_status(self, fields: dict[str, str]) -> None:
        """Merge *fields* into the hash `system:status`."""
        ...

    def status(self) -> dict[str, str]:
        """The hash `system:status`; empty when never written."""
        ...

    def clear(self) -> None:
        """Forget all candles (another feed's leftovers), keep the status."""
        ...


class AsyncCandleReader(Protocol):
    """What the trader needs of a candle store, as coroutines."""

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """As `CandleStore.newest`."""
        ...

    async def set_status(self, fields: dict[str, str]) -> None:
        """As `CandleStore.set_status`."""
        ...


class PublicFeed(Protocol):
    """A real venue's public stream handed to the simulator for paper trading on real prices."""

    def events(self) -> AsyncIterator[KlineUpdate | Ticker]:
        """Kline pushes and price changes as they happen, for ever; reconnects by itself."""
        ...


class AsyncMarket(Protocol):
    """What the trader asks of the feed itself: the cross-check, the price now, the rules."""

    async def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int) -> list[Candle]:
        """As `MarketData.closed_candles`."""
        ...

    async def maintenance(self, venue: Venue) -> tuple[Maintenance, ...]:
        """What *venue* announces for contract trading, over ones left out; *Retry* when it cannot be asked."""
        ...

    async def ticker(self, venue: Venue, symbol: str) -> Ticker:
        """The price at *venue*, where the order will meet it."""
        ...

    async def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """Trading rules at *venue*."""
        ...


class LiveCandles(Protocol):
    """The publications of the collector."""

    def ticks(self) -> AsyncIterator[CandleTick]:
        """Changes of every list as they happen; raises *Retry* when the connection is lost: ask again."""
        ...
