"""
Measurements of markets in Redis: one short list per feed, symbol and kind, newest first.

Read back as of a moment, so that two readers of one T read the same, whenever they come. What cannot be read is passed
over: it is made anew within minutes.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, cast

import msgspec
import redis
import redis.asyncio

from lib.adapters.redis.connection import translated
from lib.domain.measures import Measured, MeasureKind
from lib.ports.market import AsyncMeasureReader, MeasureStore

KEPT = 30
"""Measurements of a kind: half an hour of what is measured every minute."""


class _Stored(msgspec.Struct):
    seen_ms: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    figures: dict[str, Decimal]


class RedisMeasures(MeasureStore):
    """`lib.ports.market.MeasureStore` of *feed*; safe for many threads."""

    def __init__(self, client: redis.Redis, feed: str) -> None:
        self._client = client
        self._feed = feed

    def put(self, symbol: str, measured: Measured) -> None:
        key = _key(self._feed, symbol, measured.kind)
        text = msgspec.json.encode(_Stored(measured.seen_ms, dict(measured.figures)))
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.lpush(key, text)
            pipe.ltrim(key, 0, KEPT - 1)
            pipe.execute()

    def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        with translated():
            rows = cast("list[bytes]", self._client.lrange(_key(self._feed, symbol, kind), 0, KEPT - 1))
        return _newest(kind, rows, at_ms)


class AsyncRedisMeasures(AsyncMeasureReader):
    """`lib.ports.market.AsyncMeasureReader` of *feed*."""

    def __init__(self, client: redis.asyncio.Redis, feed: str) -> None:
        self._client = client
        self._feed = feed

    async def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        with translated():
            rows = cast("list[bytes]", await self._client.lrange(_key(self._feed, symbol, kind), 0, KEPT - 1))
        return _newest(kind, rows, at_ms)


def _key(feed: str, symbol: str, kind: MeasureKind) -> str:
    return f"measured:{feed}:{symbol}:{kind}"


def _newest(kind: MeasureKind, rows: Sequence[bytes], at_ms: int) -> Measured | None:
    found = [one for one in map(_read, rows) if one is not None and one.seen_ms <= at_ms]
    newest = max(found, key=lambda one: one.seen_ms, default=None)
    return None if newest is None else Measured(kind, newest.seen_ms, newest.figures)


def _read(raw: bytes) -> _Stored | None:
    try:
        return msgspec.json.decode(raw, type=_Stored)
    except (msgspec.DecodeError, ValueError, ArithmeticError):
        return None
