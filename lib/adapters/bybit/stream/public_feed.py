"""
A real venue's public prices as an endless stream of events, for paper trading on real prices.

Subscribes to one-minute klines and tickers over one WebSocket. After every (re)connect, and whenever a closed minute
is missing, the hole is filled by REST *before* newer closed minutes are passed on: per symbol, closed candles leave
here consecutive and once each, whatever the network does. A symbol the venue does not list (any more) is left out and
asked for again a while later; the others hear nothing of it. It keeps no candles and knows nothing of the simulator.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import aiohttp
import msgspec

from lib import log
from lib.adapters.bybit.kline_wire import parse_frame, updates
from lib.adapters.bybit.stream.supervisor import Line, Supervisor
from lib.adapters.bybit.stream.watchdog import Lost, StreamTimings
from lib.clock import Clock, SystemClock
from lib.domain.candle import MINUTE_MS, Candle, decimal_from_wire
from lib.domain.quotes import KlineUpdate, Ticker
from lib.ports.market import MarketData, NotListed, PublicFeed

TIMINGS = StreamTimings(stale_after=30.0)
PAGE = 1_000

_log = log.get("feed")


class BybitPublicFeed(PublicFeed):
    """
    `lib.ports.market.PublicFeed` over *ws_url* (…/v5/public/linear), with *market_data* for what a stream cannot
    replay.

    The first events are the closed candles from the minute of *since_ms* (epoch ms) on, oldest first. Without any
    kline or ticker for as long as *timings* say, a connection is dead.
    """

    def __init__(
        self,
        market_data: MarketData,
        ws_url: str,
        symbols: Sequence[str],
        *,
        since_ms: int,
        timings: StreamTimings = TIMINGS,
        clock: Clock | None = None,
    ) -> None:
        self._market_data = market_data
        self._url = ws_url
        self._symbols = tuple(symbols)
        self._newest = dict.fromkeys(symbols, since_ms - since_ms % MINUTE_MS - MINUTE_MS)
        self._timings = timings
        self._clock = clock or SystemClock()
        self._prices: dict[str, dict[str, str]] = {}
        self._queue: asyncio.Queue[KlineUpdate | Ticker | None] = asyncio.Queue()

    async def events(self) -> AsyncGenerator[KlineUpdate | Ticker, None]:
        """Klines and price changes as they happen; reconnects by itself, never ends."""
        worker = asyncio.create_task(self._keep_connected())
        worker.add_done_callback(lambda _: self._queue.put_nowait(None))
        try:
            while (event := await self._queue.get()) is not None:
                yield event
            await worker
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    async def _keep_connected(self) -> None:
        async with aiohttp.ClientSession() as session:
            supervisor = Supervisor(session, self._timings, self._clock, _tell)
            await supervisor.keep(lambda: self._url, self._talk)

    async def _talk(self, line: Line) -> None:
        self._prices.clear()  # deltas of the old connection mean nothing on the new one
        for symbol in self._symbols:  # one request each: the venue grants or refuses it as a whole
            await line.say(_subscription(symbol))
        line.watchdog.came_up()  # what counts here is data
        listed = [symbol for symbol in self._symbols if await self._is_filled(symbol, line)]
        if not listed:
            raise Lost("the venue lists none of the symbols")
        missing = len(self._symbols) - len(listed)
        if missing:
            line.watchdog.lacks_something(line.now())
        line.watchdog.data_arrived(line.now())  # nobody listened meanwhile
        line.watchdog.caught_up(line.now())
        async for frame in self._frames(line, refusals=missing):
            for event in self._parse(frame):
                await self._emit(event)

    async def _is_filled(self, symbol: str, line: Line) -> bool:
        """Pass on what was missed of *symbol*, while pushes wait in the socket; False when the venue has none."""
        await line.ping_if_due()
        try:
            await self._fill(symbol, None)
        except NotListed as gone:
            _log.alert("feed.symbol_left_out", symbol=symbol, why=str(gone))
            return False
        return True

    async def _frames(self, line: Line, *, refusals: int) -> AsyncIterator[str]:
        """Data frames only; *Lost* also once more is refused than the *refusals* that unlisted symbols explain."""
        async for text in line.texts():
            frame = _answer(text)
            if frame.success is False:
                _log.alert("feed.subscription_refused", why=frame.ret_msg[:120])
                refusals -= 1
                if refusals < 0:
                    raise Lost("the venue refuses the subscription")
            elif frame.topic:
                line.watchdog.data_arrived(line.now())
                yield text

    def _parse(self, text: str) -> Sequence[KlineUpdate | Ticker]:
        """The events in a data frame; a malformed one is logged and dropped."""
        try:
            if '"kline.' in text[:200]:
                return updates(parse_frame(text))
            return self._ticker(msgspec.json.decode(text, type=_TickerFrame))
        except ValueError as error:
            _log.warning("feed.unreadable_frame", reason=str(error))
            return []

    def _ticker(self, frame: "_TickerFrame") -> list[Ticker]:
        symbol = frame.topic.partition(".")[2]
        prices = self._prices.setdefault(symbol, {})
        prices.update({k: v for k, v in (("last", frame.data.lastPrice), ("mark", frame.data.markPrice)) if v})
        if len(prices) < 2:
            return []
        return [Ticker(symbol, decimal_from_wire(prices["last"]), decimal_from_wire(prices["mark"]), frame.ts)]

    async def _emit(self, event: KlineUpdate | Ticker) -> None:
        """Pass *event* on after the closed minutes missing before it; a minute known as closed is dropped."""
        if isinstance(event, KlineUpdate):
            known, opened = self._newest[event.symbol], event.candle.open_time
            if opened - MINUTE_MS > known:
                await self._fill(event.symbol, opened - MINUTE_MS)
            if opened <= known:
                return
            if event.closed:
                self._newest[event.symbol] = opened
        self._queue.put_nowait(event)

    async def _fill(self, symbol: str, until: int | None) -> None:
        """Pass on the closed minutes after the newest known one up to *until* (open time; None = now), by REST."""
        for candle in await self._closed_since(symbol, self._newest[symbol], until):
            self._newest[symbol] = candle.open_time
            self._queue.put_nowait(KlineUpdate(symbol, "1m", candle, True, candle.open_time + MINUTE_MS))

    async def _closed_since(self, symbol: str, known: int, end: int | None) -> list[Candle]:
        """Closed candles after *known* up to *end*, oldest first, in pages walked backwards."""
        found: list[Candle] = []
        while True:
            page = await asyncio.to_thread(self._market_data.closed_candles, symbol, "1m", end=end, limit=PAGE)
            fresh = [c for c in page if c.open_time > known]
            found[:0] = fresh
            if not fresh or fresh[0].open_time <= known + MINUTE_MS:
                return found
            end = fresh[0].open_time - MINUTE_MS


class _Any(msgspec.Struct):
    topic: str = ""
    success: bool | None = None
    ret_msg: str = ""


class _Prices(msgspec.Struct):
    lastPrice: str = ""  # noqa: N815 - the venue's spelling
    markPrice: str = ""  # noqa: N815


class _TickerFrame(msgspec.Struct):
    topic: str
    data: _Prices
    ts: int


def _answer(text: str) -> _Any:
    """What *text* is about; nothing for what cannot be read."""
    try:
        return msgspec.json.decode(text, type=_Any)
    except msgspec.DecodeError:
        return _Any()


def _subscription(symbol: str) -> str:
    topics = [f"{kind}.{symbol}" for kind in ("kline.1", "tickers")]
    return msgspec.json.encode({"req_id": symbol, "op": "subscribe", "args": topics}).decode()


def _tell(why: str, pause_s: float) -> None:
    _log.warning("feed.lost", reason=why, again_in_s=round(pause_s, 1))
