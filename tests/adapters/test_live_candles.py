"""What the collector publishes reaches subscribers as it was written, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lib.adapters.redis import live
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect, connect_async
from lib.adapters.redis.live import RedisLiveCandles
from lib.domain.candle import FormingCandle
from lib.domain.errors import Retry
from lib.domain.quotes import CandleTick
from tests.fakes.market import run_of

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


async def subscribed(url: str) -> tuple[AsyncIterator[CandleTick], "asyncio.Future[CandleTick]"]:
    """Ticks of *url*, already subscribed, and the first of them to come."""
    ticks = RedisLiveCandles(lambda: connect_async(url)).ticks()
    first = asyncio.ensure_future(anext(ticks))
    client = connect(url)
    while not await asyncio.to_thread(client.pubsub_numpat):
        assert not first.done()
    client.close()
    return ticks, first


async def test_closed_forming_and_rebuilt_candles_arrive_as_such(redis_url: str) -> None:
    client = connect(redis_url)
    client.flushdb()
    store = RedisCandleStore(client)
    candles = run_of(4)
    ticks, first = await subscribed(redis_url)
    store.append("BTCUSDT", "1m", candles[:1])
    client.publish("kline:BTCUSDT:1m", "not ours")
    store.put_forming("BTCUSDT", "1m", FormingCandle(candles[1], 7))
    store.rebuild("ETHUSDT", "15m", [])
    store.rebuild("BTCUSDT", "1m", candles)
    got = [await first, await anext(ticks), await anext(ticks)]
    assert got == [
        CandleTick("BTCUSDT", "1m", candles[0], True, False),
        CandleTick("BTCUSDT", "1m", candles[1], False, False),
        CandleTick("BTCUSDT", "1m", candles[3], True, True),
    ]
    await ticks.aclose()  # type: ignore[attr-defined]
    client.close()


async def test_silence_is_asked_for_a_sign_of_life_and_goes_on(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SILENCE_S", 0.01)
    client = connect(redis_url)
    client.flushdb()
    ticks, first = await subscribed(redis_url)
    done, _ = await asyncio.wait({first}, timeout=0.1)
    assert not done
    RedisCandleStore(client).append("BTCUSDT", "1m", run_of(1))
    assert (await first).candle == run_of(1)[0]
    await ticks.aclose()  # type: ignore[attr-defined]
    client.close()


async def test_a_redis_that_is_away_is_a_retry() -> None:
    ticks = RedisLiveCandles(lambda: connect_async("redis://127.0.0.1:1/0")).ticks()
    with pytest.raises(Retry):
        await anext(ticks)
