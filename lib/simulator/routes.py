"""
The simulator's HTTP surface: Bybit's REST under /v5, its WebSockets, OpenAI's under /v1, and the switches under /sim.

Handlers only translate between aiohttp and pure answers. The switches are open to every client that reaches the port
unless a token is set (`X-Simulator-Token`); without a token `lib.simulator.server` binds to the loopback only.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from lib.clock import Clock
from lib.simulator.analyst.completions import FAULTS as ANSWERS
from lib.simulator.analyst.completions import Analyst, Reply
from lib.simulator.engine import faults as kinds
from lib.simulator.engine.faults import Fault
from lib.simulator.exchange import LocalExchange
from lib.simulator.stream.streams import PRIVATE, PUBLIC
from lib.simulator.venue.delivery import ReplyLost, deliver
from lib.simulator.venue.venue import Request

TOKEN_HEADER = "X-Simulator-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 2 * 1024 * 1024
HANG_SECONDS = 600.0
KNOWN_KINDS = kinds.VENUE_KINDS | kinds.TRANSPORT_KINDS | kinds.SOCKET_KINDS | kinds.ANALYST_KINDS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /sim/faults`; *params* as the kind says (`lib.simulator.engine.faults`)."""

    kind: str
    path: str | None = None
    count: int = 1
    uid: int | None = None
    params: dict[str, Any] = {}


class Routes:
    """The handlers of one simulator."""

    def __init__(self, exchange: LocalExchange, analyst: Analyst, clock: Clock, token: str | None = None) -> None:
        self._exchange, self._analyst, self._clock, self._token = exchange, analyst, clock, token

    def application(self) -> web.Application:
        """The application with every route, ready for a runner."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get(PUBLIC, self._exchange.streams.public),
                web.get(PRIVATE, self._exchange.streams.private),
                web.post("/v1/chat/completions", self._complete),
                web.get("/v1/models", self._models),
                web.post("/sim/accounts", self._guarded(self._rest)),
                web.post("/sim/faults", self._guarded(self._arm)),
                web.delete("/sim/faults", self._guarded(self._disarm)),
                web.get("/sim/state", self._guarded(self._state)),
                web.route("*", "/{tail:.*}", self._rest),
            ]
        )
        return app

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        body = await request.read()
        asked = Request(request.method, path, query, request.headers, body, request.remote or "")
        await self._exchange.prepare(asked)
        try:
            answer = await deliver(self._exchange, self._exchange.faults, self._clock, asked)
        except ReplyLost:
            return _cut(request)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    # --- the analyst --------------------------------------------------------------------------------------------------

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self._exchange.faults.take("analyst")
        answer = fault.text("answer", "500") if fault else None
        if answer == "hang":
            await asyncio.sleep(HANG_SECONDS)
            return _cut(request)
        return _response(self._analyst.reply(request.headers, body, answer))

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return _response(self._analyst.models(request.headers))

    # --- switches -----------------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if "Origin" in request.headers:
                return _problem(403, "a web page may not turn these switches")
            given = request.headers.get(TOKEN_HEADER, "")
            if self._token and not hmac.compare_digest(given.encode(), self._token.encode()):
                return _problem(401, f"the header {TOKEN_HEADER} is missing or wrong")
            return await handler(request)

        return guarded

    async def _arm(self, request: web.Request) -> web.StreamResponse:
        try:
            order = msgspec.json.decode(await request.read(), type=FaultOrder)
            if order.kind not in KNOWN_KINDS:
                raise ValueError(f"unknown kind {order.kind!r}")
            if order.kind == "analyst" and order.params.get("answer") not in ANSWERS:
                raise ValueError(f"an analyst fault needs params.answer, one of {', '.join(sorted(ANSWERS))}")
            self._exchange.faults.push(Fault(order.kind, order.path, order.count, order.uid, order.params))
        except ValueError as error:
            return _problem(400, str(error))
        return web.json_response({"armed": len(self._exchange.faults.waiting())})

    async def _disarm(self, request: web.Request) -> web.StreamResponse:
        self._exchange.faults.clear()
        return web.json_response({"armed": 0})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._exchange.state(), dumps=json.dumps)


def _cut(request: web.Request) -> web.Response:
    """Cut the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type, charset="utf-8")


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
