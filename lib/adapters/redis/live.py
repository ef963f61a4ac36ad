"""
The collector's publications, as they happen: `lib.ports.market.LiveCandles`.

One subscription per call of `ticks`, to every candle channel. A silent connection is asked for a sign of life, so that
one that died without a word is noticed within fifteen seconds. Messages this package did not write are passed over, and
so are those whose candle cannot be true.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import redis.asyncio

from lib import log
from lib.adapters.redis.candle_wire import decode_message
from lib.adapters.redis.connection import translated
from lib.domain import reason_codes as codes
from lib.domain.candle import candle_problem, interval_ms
from lib.domain.errors import Retry
from lib.domain.quotes import CandleTick
from lib.ports.market import CorruptCandles, LiveCandles

SILENCE_S = 10.0
"""A feed moves about once a second; after this long without a message the connection itself is in doubt."""
PONG_S = 5.0

_log = log.get("live")


class RedisLiveCandles(LiveCandles):
    """
    `lib.ports.market.LiveCandles`; *connect* makes a client, one for each subscription, in the loop that will use it.
    """

    def __init__(self, connect: Callable[[], redis.asyncio.Redis]) -> None:
        self._connect = connect

    async def ticks(self) -> AsyncIterator[CandleTick]:
        client = self._connect()
        pubsub = client.pubsub()
        try:
            with translated():
                await pubsub.psubscribe("kline:*")
            async with aclosing(_messages(pubsub)) as messages:
                async for message in messages:
                    if (tick := _tick(message)) is not None:
                        yield tick
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            await client.aclose()


async def _messages(pubsub: Any) -> AsyncGenerator[dict[str, Any]]:
    asked = False
    while True:
        with translated():
            message = await pubsub.get_message(timeout=PONG_S if asked else SILENCE_S)
        if message is None and asked:
            raise Retry(codes.REDIS_SUBSCRIPTION_LOST())
        if message is None:
            with translated():
                await pubsub.ping()
            asked = True
            continue
        asked = False
        yield message


def _tick(message: dict[str, Any]) -> CandleTick | None:
    if message["type"] != "pmessage":
        return None
    channel: str = message["channel"].decode(errors="replace")
    symbol, _, interval = channel.removeprefix("kline:").partition(":")
    try:
        read = decode_message(message["data"])
        is_sound = candle_problem(read.candle, interval_ms(interval)) is None
    except (CorruptCandles, ValueError):  # also a channel of no interval of ours
        is_sound = False
    if not is_sound:
        _log.warning("live.unreadable", channel=f"{symbol}:{interval}"[:60])
        return None
    return CandleTick(symbol, interval, read.candle, read.closed, read.rebuilt)
