"""The transport carries exact bytes, follows nobody and says plainly when there is no reply."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from lib.adapters.bybit.rest import transport as module
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from tests.contract.exchange_worlds import serving

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def to(handler: Handler) -> AsyncIterator[AiohttpTransport]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    async with serving(app) as url, open_session() as session:
        yield AiohttpTransport(url + "/", session)


async def echo(request: web.Request) -> web.Response:
    text = f"{request.method} {request.raw_path} {request.headers.get('X-Mine')} {(await request.read()).decode()}"
    return web.Response(text=text, headers={"X-Theirs": "yes"})


async def test_the_query_travels_as_it_was_signed() -> None:
    query = "cursor=a%3A1%2C2&symbol=BTCUSDT&x=a,b:c"
    async with to(echo) as transport:
        status, headers, body = await transport.request("GET", "/v5/x", query, {"X-Mine": "1"}, b"")
    assert (status, headers["X-Theirs"]) == (200, "yes")
    assert body == f"GET /v5/x?{query} 1 ".encode()


async def test_the_body_travels_byte_for_byte() -> None:
    async with to(echo) as transport:
        _, _, body = await transport.request("POST", "/v5/x", "", {"X-Mine": "2"}, b'{"a": "1"}')
    assert body == b'POST /v5/x 2 {"a": "1"}'


async def test_a_redirect_is_an_answer_not_an_order() -> None:
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async with to(away) as transport:
        status, _, _ = await transport.request("GET", "/", "", {}, b"")
    assert status == 302


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with to(echo) as transport:
        assert (await transport.request("GET", "/", "", {}, b""))[0] == 200


async def test_a_cut_connection_is_an_os_error_and_a_post_is_sent_once() -> None:
    seen = 0

    async def cut(request: web.Request) -> web.Response:
        nonlocal seen
        seen += 1
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with to(cut) as transport:
        with pytest.raises(OSError, match="no reply"):
            await transport.request("POST", "/v5/order/create", "", {}, b"{}")
    assert seen == 1


async def test_a_silent_venue_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_S", 0.1)
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with to(silent) as transport:
        with pytest.raises(OSError, match="no reply"):
            await transport.request("GET", "/", "", {}, b"")
        over.set()


async def test_nobody_listening_is_an_os_error() -> None:
    async with open_session() as session:
        with pytest.raises(OSError, match="ClientConnector"):
            await AiohttpTransport("http://127.0.0.1:1", session).request("GET", "/", "", {}, b"")


async def test_an_endless_reply_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REPLY_BYTES", 1_000)

    async def long(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1_001)

    async with to(long) as transport:
        with pytest.raises(OSError, match="too long"):
            await transport.request("GET", "/", "", {}, b"")
