"""A Bybit over a loopback socket that knows the time and answers every other request as a test says."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.contract.exchange_worlds import serving

TIME = "/v5/market/time"
Body = bytes | dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.Response]]


def said(status: int, body: Body) -> Answer:
    """An answer that is the same for everything but the time, which is asked first."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == TIME:
            return web.json_response({"retCode": 0, "retMsg": "OK", "result": {}, "time": 1_700_000_000_000})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(status=status, body=raw, content_type="application/json")

    return answer


def by_path(answers: dict[str, Body]) -> Answer:
    """*answers* by path; the time, and a plain yes for every other path."""

    async def answer(request: web.Request) -> web.Response:
        yes: Body = {"retCode": 0, "retMsg": "OK", "result": {}, "time": 1_700_000_000_000}
        return await said(200, answers.get(request.path, yes))(request)

    return answer


@asynccontextmanager
async def bybit_that(answer: Answer) -> AsyncIterator[str]:
    """The URL of a venue whose every route is *answer*."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url:
        yield url
