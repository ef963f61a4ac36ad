"""
Candles in Redis: one list per symbol and interval, newest first, written by atomic scripts only.

Values read back are exactly the values written. Every write may be repeated. An unreachable server is *Retry*; contents
this package did not write are *CorruptCandles*, healed by `rebuild`. Which candles belong in a list is not decided here
beyond "no holes": that is `lib.market`.
"""

from collections.abc import Sequence
from typing import cast

import redis
import redis.asyncio

from lib.adapters.redis import scripts
from lib.adapters.redis.candle_wire import (
    decode_forming,
    decode_list,
    encode,
    encode_forming,
    forming_key,
    list_key,
)
from lib.adapters.redis.connection import translated
from lib.domain.candle import Candle, FormingCandle, first_gap, interval_ms
from lib.ports.market import AppendOutcome, AsyncCandleReader, CandleStore

STATUS_KEY = "system:status"
DEFAULT_CAPACITY = 5000


class RedisCandleStore(CandleStore):
    """
    `lib.ports.market.CandleStore` on one Redis; *capacity* is the length at which lists are cut. Safe for many threads.
    """

    def __init__(self, client: redis.Redis, *, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError("capacity is at least one candle")
        self._client = client
        self._capacity = capacity
        self._append = client.register_script(scripts.APPEND)
        self._rebuild = client.register_script(scripts.REBUILD)
        self._put_forming = client.register_script(scripts.PUT_FORMING)

    def append(self, symbol: str, interval: str, candles: Sequence[Candle]) -> AppendOutcome:
        if not candles:
            return "ignored"
        args: list[str | int] = [self._capacity, interval_ms(interval), *map(encode, candles)]
        with translated():
            outcome = cast("bytes", self._append(keys=[list_key(symbol, interval)], args=args))
        return cast("AppendOutcome", outcome.decode())

    def rebuild(self, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
        if first_gap(candles, interval_ms(interval)) is not None:
            raise ValueError("a list is rebuilt from consecutive candles only")
        key = list_key(symbol, interval)
        newest_first = [encode(candle) for candle in reversed(candles[-self._capacity :])]
        with translated():
            self._rebuild(keys=[key, f"{key}:fresh"], args=newest_first)

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        if count < 1:
            return []
        with translated():
            raw = cast("list[bytes]", self._client.lrange(list_key(symbol, interval), 0, count - 1))
        return decode_list(raw)

    def count(self, symbol: str, interval: str) -> int:
        with translated():
            return self._client.llen(list_key(symbol, interval))

    def put_forming(self, symbol: str, interval: str, forming: FormingCandle) -> None:
        keys = [forming_key(symbol, interval), list_key(symbol, interval)]
        with translated():
            self._put_forming(keys=keys, args=[encode_forming(forming)])

    def forming(self, symbol: str, interval: str) -> FormingCandle | None:
        with translated():
            raw = cast("bytes | None", self._client.get(forming_key(symbol, interval)))
        return None if raw is None else decode_forming(raw)

    def set_status(self, fields: dict[str, str]) -> None:
        if not fields:
            return
        with translated():
            self._client.hset(STATUS_KEY, items=[text for field in fields.items() for text in field])

    def status(self) -> dict[str, str]:
        with translated():
            raw = cast("dict[bytes, bytes]", self._client.hgetall(STATUS_KEY))
        return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in raw.items()}

    def clear(self) -> None:
        with translated():
            stale = list(self._client.scan_iter(match="kline:*", count=500))
            if stale:
                self._client.unlink(*stale)


class AsyncRedisCandleReader(AsyncCandleReader):
    """`lib.ports.market.AsyncCandleReader`: the candles the trader reads, and the trader's fields of the status."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        if count < 1:
            return []
        with translated():
            raw = cast("list[bytes]", await self._client.lrange(list_key(symbol, interval), 0, count - 1))
        return decode_list(raw)

    async def set_status(self, fields: dict[str, str]) -> None:
        if not fields:
            return
        with translated():
            await self._client.hset(STATUS_KEY, items=[text for field in fields.items() for text in field])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
