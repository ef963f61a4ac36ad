"""
Readings of the news in Redis: one short list, newest first, read back as of a moment as measurements are.
"""

from collections.abc import Sequence
from typing import Annotated, cast

import msgspec
import redis
import redis.asyncio

from lib.adapters.redis.connection import translated
from lib.domain.news import Headline, News
from lib.ports.news import AsyncNewsReader, NewsShelf

KEPT = 6
"""Readings: half an hour."""
_KEY = "news"


class _Line(msgspec.Struct):
    published_ms: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    source: str
    title: str


class _Stored(msgspec.Struct):
    seen_ms: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    headlines: list[_Line]


class RedisNews(NewsShelf):
    """`lib.ports.news.NewsShelf`; safe for many threads."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, news: News) -> None:
        lines = [_Line(one.published_ms, one.source, one.title) for one in news.headlines]
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.lpush(_KEY, msgspec.json.encode(_Stored(news.seen_ms, lines)))
            pipe.ltrim(_KEY, 0, KEPT - 1)
            pipe.execute()

    def as_of(self, at_ms: int) -> News | None:
        with translated():
            return _newest(cast("list[bytes]", self._client.lrange(_KEY, 0, KEPT - 1)), at_ms)


class AsyncRedisNews(AsyncNewsReader):
    """`lib.ports.news.AsyncNewsReader`."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def as_of(self, at_ms: int) -> News | None:
        with translated():
            return _newest(cast("list[bytes]", await self._client.lrange(_KEY, 0, KEPT - 1)), at_ms)


def _newest(rows: Sequence[bytes], at_ms: int) -> News | None:
    found = [one for one in map(_read, rows) if one is not None and one.seen_ms <= at_ms]
    newest = max(found, key=lambda one: one.seen_ms, default=None)
    if newest is None:
        return None
    return News(newest.seen_ms, tuple(Headline(one.published_ms, one.source, one.title) for one in newest.headlines))


def _read(raw: bytes) -> _Stored | None:
    try:
        return msgspec.json.decode(raw, type=_Stored)
    except (msgspec.DecodeError, ValueError):
        return None
