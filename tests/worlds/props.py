"""
What stands around the real code in `tests.worlds.one_process`: prices, candles, the analyst, keys, the wire and a
clock.

Each is the smallest thing that keeps its port's contract and lets a test say what happens. None decides anything.
"""

import asyncio
import heapq
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lib.adapters.bybit.rest.transport import Transport
from lib.clock import SteppedClock
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Abstained, Decision
from lib.domain.price_path import FOR_EVER, Path
from lib.domain.reason import text
from lib.ports.analyst import Analyst
from lib.ports.market import AsyncCandleReader
from lib.ports.secrets import Opener
from lib.simulator.market.market import MergingMarket
from lib.simulator.venue.venue import Request
from tests.factories import REF, SYMBOL, T, decision
from tests.worlds.inprocess import VenueTransport

START = T - MINUTE_MS
CREATE = "/v5/order/create"
A_MINUTE = Decimal(5)
"""What is traded in a minute, in coins."""


class PricedMarket(MergingMarket):
    """One print a second at the price last set; flat for ever before that. A `MergingMarket` of the simulator."""

    symbols = (SYMBOL, "ETHUSDT")

    def __init__(self, price: Decimal = REF) -> None:
        self._steps: list[tuple[int, Decimal]] = [(0, price)]

    def set_price(self, price: Decimal, from_ms: int) -> None:
        """Trade at *price* from *from_ms* on, which nobody has seen yet."""
        self._steps.append((from_ms, price))

    def span(self, symbol: str) -> tuple[int, int]:
        return 0, FOR_EVER

    def price_at(self, symbol: str, at_ms: int) -> Decimal:
        return next(price for start, price in reversed(self._steps) if start <= at_ms)

    def path(self, symbol: str, open_time: int) -> Path:
        return tuple((offset, self.price_at(symbol, open_time + offset)) for offset in range(0, MINUTE_MS, 1000))

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        if flat := self.merged(symbol, open_time, 1):
            return flat
        prices = [price for _, price in self.path(symbol, open_time)]
        return Candle(open_time, prices[0], max(prices), min(prices), prices[-1], A_MINUTE)

    def merged(self, symbol: str, open_time: int, minutes: int) -> Candle | None:
        """Minutes of one price at once, half a year of which a world looks at; None where the price was set anew."""
        last_print = open_time + minutes * MINUTE_MS - 1000
        if any(open_time < start <= last_print for start, _ in self._steps):
            return None
        price = self.price_at(symbol, open_time)
        return Candle(open_time, price, price, price, price, minutes * A_MINUTE)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        return self.candle(symbol, at_ms - at_ms % MINUTE_MS)


class MarketCandles(AsyncCandleReader):
    """An `AsyncCandleReader` that has what the market traded, *lag_ms* late; *spoil* may change what is read."""

    def __init__(self, market: PricedMarket, clock: SteppedClock) -> None:
        self._market, self._clock = market, clock
        self.lag_ms = 500
        self.spoil: Callable[[list[Candle]], list[Candle]] = lambda window: window
        self.status: dict[str, str] = {}

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        if interval != "1m":
            return []
        end = self._clock.now_ms() - self.lag_ms
        closed = end - end % MINUTE_MS
        found = (self._market.candle(symbol, closed - n * MINUTE_MS) for n in range(count, 0, -1))
        return self.spoil([candle for candle in found if candle is not None])

    async def set_status(self, fields: dict[str, str]) -> None:
        self.status |= fields


@dataclass
class FakeAnalyst(Analyst):
    """An `Analyst` that answers *view* to everybody and remembers what it was asked."""

    view: Decision | Abstained = field(default_factory=lambda: decision("hold"))
    failed: bool = False
    asked: list[Prompt] = field(default_factory=list)

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        self.asked.append(prompt)
        await asyncio.sleep(0)
        view = Abstained(text("no answer within the time allowed")) if self.failed else self.view
        return AnalystAnswer(view, "", prompt.model, 900, 60, 300, self.failed)


class OpenSeals(Opener):
    """An `Opener` for keys that were only wrapped as JSON."""

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        return ApiKey(*json.loads(sealed))


class WatchedTransport(Transport):
    """Carries requests to the venue; remembers what left, and lets a test stand in one key's way."""

    def __init__(self, inner: VenueTransport) -> None:
        self._inner = inner
        self.sent: list[tuple[str, str, bytes]] = []
        self.is_sending = False
        """Whether the exchange is looking at a request of ours now."""
        self.hanging: dict[str, asyncio.Event] = {}
        """API key → the event its requests wait for before they time out."""
        self.before: Callable[[Request], None] = lambda request: None
        """Called with each request before it leaves; what it raises, the caller meets."""
        self.after: Callable[[Request], None] = lambda request: None
        """The same once the exchange has answered."""

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        await asyncio.sleep(0)
        key = headers.get("X-BAPI-API-KEY", "")
        if key in self.hanging:
            await self.hanging[key].wait()
            raise TimeoutError
        request = Request(method, path, query, headers, body, "127.0.0.1")
        self.before(request)
        self.sent.append((key, path, body))
        self.is_sending = True
        try:
            answer = await self._inner.request(method, path, query, headers, body)
        finally:
            self.is_sending = False
        self.after(request)
        return answer

    def orders(self) -> list[dict[str, Any]]:
        """The body of every create that left."""
        return [json.loads(body) for _, path, body in self.sent if path == CREATE]


class Killed(BaseException):
    """The process died here: nothing after this line runs. Not an Exception, so nothing contains it."""


class HeldClock(SteppedClock):
    """A market clock on which sleepers wait until `run` brings the time, earliest first."""

    def __init__(self, start_ms: int = START) -> None:
        super().__init__(start_ms)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_ms() + round(seconds * 1000), self._count, wake))
        await wake

    async def run(self, seconds: float) -> None:
        """Let *seconds* pass, everybody doing their work at their time."""
        end = self.now_ms() + round(seconds * 1000)
        await _settled()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, wake = heapq.heappop(self._sleepers)
            self.advance_to(at)
            if not wake.done():
                wake.set_result(None)
                await _settled()
        self.advance_to(end)


async def _settled() -> None:
    """Turns of the loop until nobody has anything left to do in the next one."""
    ready = vars(asyncio.get_running_loop())["_ready"]
    for _ in range(400):  # more than any step here takes without sleeping
        await asyncio.sleep(0)
        if not ready:
            return
