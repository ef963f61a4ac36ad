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
from lib.domain.measures import Measured, MeasureKind
from lib.domain.quotes import CandleTick, KlineUpdate, Ticker


class NotListed(Retry):
    """
    The venue does not list the symbol, now or any more: trouble of that symbol alone, which ends no process.

    The symbol may be listed again later.
    """


class MarketData(Protocol):
    """Public REST of one feed, synchronous (the collector is threads; async callers use a thread)."""

    def server_time(self) -> int:
        """The venue's clock, epoch ms. *Retry* when unreachable."""
        ...

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        """
        The newest *limit* (1..1000) closed candles that open at or before *end* (default: now), oldest first.

        The candle that is still open by the venue's clock is left out. An empty list means that the venue has no such
        candles; a failed query raises *Retry*.
        """
        ...

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules now. *NotListed* for an unknown symbol, *Retry* when the venue is unreachable."""
        ...

    def ticker(self, symbol: str) -> Ticker:
        """Last and mark price now. *Retry* when the venue is unreachable."""
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
        """Make `run` return within seconds; callable from any thread, idempotent."""
        ...

    @property
    def connected(self) -> bool:
        """True while subscribed."""
        ...


AppendOutcome = Literal["appended", "replaced", "ignored", "gap"]


class CorruptCandles(Retry):
    """The store's contents are not a list of candles: only `CandleStore.rebuild` repairs them."""


class MarketMeasures(Protocol):
    """Public REST of one feed about a market beside its candles, synchronous."""

    def measure(self, symbol: str, kind: MeasureKind) -> Measured:
        """One measurement now. *NotListed* for an unknown symbol, *Retry* when the venue is unreachable."""
        ...


class MeasureStore(Protocol):
    """The newest measurements of each symbol and kind. *Retry* when the store cannot be reached."""

    def put(self, symbol: str, measured: Measured) -> None:
        """Remember *measured*."""
        ...

    def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        """The newest measurement made at or before *at_ms* (epoch ms) that is still kept, or None."""
        ...


class AsyncMeasureReader(Protocol):
    """The part of a store of measurements that the trader uses, as a coroutine."""

    async def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        """As `MeasureStore.as_of`."""
        ...


class NothingMeasured(AsyncMeasureReader):
    """Where nobody measures: a replay, a rehearsal."""

    async def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        return None


class CandleStore(Protocol):
    """
    Closed candles per (symbol, interval), contiguous by construction, newest *capacity* kept; plus the forming candle
    and the status fields that readers follow.

    Raises *Retry* when the store cannot be reached; values read back are exactly the values written.
    """

    def append(self, symbol: str, interval: str, candles: Sequence[Candle]) -> AppendOutcome:
        """
        Add closed candles, oldest first and consecutive among themselves, atomically.

        Empty list or newest + one step → pushed; the same as the newest → replaced; older → ignored; a candle that
        would leave a hole → "gap": neither that candle nor any after it is written. The outcome is the last candle's.
        """
        ...

    def rebuild(self, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
        """Replace the whole list by *candles* (oldest first, consecutive) in one atomic step."""
        ...

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """At most *count* newest closed candles, oldest first; undecodable contents raise *CorruptCandles*."""
        ...

    def count(self, symbol: str, interval: str) -> int:
        """How many closed candles the store holds."""
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
        """Delete all candles (they may be another feed's), keep the status."""
        ...


class AsyncCandleReader(Protocol):
    """The part of a candle store that the trader uses, as coroutines."""

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
    """The trader's questions to feed and venue: the cross-check of candles, the price now, the trading rules."""

    async def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int) -> list[Candle]:
        """As `MarketData.closed_candles`."""
        ...

    async def maintenance(self, venue: Venue) -> tuple[Maintenance, ...]:
        """
        The maintenance *venue* announces for contract trading, without ended ones; *Retry* when it cannot be asked.
        """
        ...

    async def ticker(self, venue: Venue, symbol: str) -> Ticker:
        """The price at *venue*, where the order will be matched."""
        ...

    async def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """Trading rules at *venue*."""
        ...


class LiveCandles(Protocol):
    """The changes of candle lists that the collector publishes."""

    def ticks(self) -> AsyncIterator[CandleTick]:
        """Changes of every list as they happen; *Retry* when the connection is lost: call `ticks` again."""
        ...
