"""A venue that hangs holds up nobody who trades on another."""

import asyncio
from collections.abc import Mapping

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket
from lib.clock import SteppedClock
from tests.adapters.scripted import NOW, Reply, ScriptedTransport, page
from tests.adapters.test_wire import INSTRUMENT
from tests.factories import SYMBOL


class Hanging:
    """A venue that takes the question and says nothing."""

    async def request(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        await asyncio.Event().wait()
        raise TimeoutError


async def test_rules_of_one_venue_are_read_while_another_hangs() -> None:
    clock = SteppedClock(NOW)
    over = {"http://demo": Hanging(), "http://paper": ScriptedTransport(page(INSTRUMENT)), "http://feed": Hanging()}
    urls = {"demo": "http://demo", "paper": "http://paper"}
    market = BybitAsyncMarket("http://feed", urls, over.__getitem__, clock, LocalLimiter(clock))  # type: ignore[arg-type]
    waiting = asyncio.create_task(market.instrument("demo", SYMBOL))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert (await market.instrument("paper", SYMBOL)).trading
    waiting.cancel()
