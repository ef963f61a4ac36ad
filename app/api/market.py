"""Candles for the chart: one snapshot over REST, then changes over the WebSocket; older ones when somebody scrolls."""

import contextlib
import json

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.api import endpoints as api
from app.api.account import LATEST_S
from app.api.endpoints import Endpoint
from app.api.exchange import for_people, whole
from app.http.fields import BadInput
from app.live import SIGNED_OUT, UNKNOWN_SERIES, Hub, Seat, Series, row_of
from app.snapshots import MOST_CANDLES, Snapshots
from app.system import system
from app.threads import in_past_thread, in_thread
from app.visit import visit_of
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.market.scrollback import INTERVALS, PAGE, Past

CLOSE_S = 5.0
"""A browser that takes longer than this for a goodbye is gone; who takes no text is ended by the doors' deadline."""


class Chart:
    """The snapshot route over what was written out already."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def kline(self, request: Request, user: SessionUser) -> Response:
        """`?symbol&interval&count&since` (*since* in seconds, inclusive): rows oldest first, the forming one last."""
        series = _series(request.query_params.get("symbol"), request.query_params.get("interval"))
        if series is None:
            raise BadInput(Refusal("refuse.field", field="symbol"), 404)
        count = whole(request, "count", 500, 1, MOST_CANDLES)
        since_s = whole(request, "since", 0, 0, LATEST_S)
        body = await in_thread(self._snapshots.body, series, count, since_s)
        return Response(body, media_type="application/json")


async def history(request: Request, user: SessionUser) -> Response:
    """
    `?symbol&interval&before&count` (*before* in seconds): closed rows that open earlier, oldest first, and *older*,
    the *before* to go on with, null at the very beginning. One answer costs the exchange two calls at most.
    """
    known, asked = system(), request.query_params
    symbol, interval = asked.get("symbol", known.symbols[0]), asked.get("interval", "1m")
    if symbol not in known.symbols or interval not in INTERVALS:
        raise BadInput(Refusal("refuse.field", field="symbol" if symbol not in known.symbols else "interval"), 404)
    before_s = whole(request, "before", LATEST_S, 0, LATEST_S)
    count = whole(request, "count", PAGE, 1, PAGE)
    past = await in_past_thread(known.scrollback.before, symbol, interval, before_s * 1000, count)
    return Response(_written(symbol, interval, past), media_type="application/json")


def _written(symbol: str, interval: str, past: Past) -> bytes:
    older = None if past.older_ms is None else past.older_ms // 1000
    body = {"symbol": symbol, "interval": interval, "older": older, "rows": [row_of(one) for one in past.candles]}
    return json.dumps(body, separators=(",", ":")).encode()


def _series(symbol: str | None, interval: str | None) -> Series | None:
    known = system()
    wanted = (symbol or known.symbols[0], interval or "1m")
    return wanted if wanted[0] in known.symbols and wanted[1] in known.intervals else None


class Stream:
    """The WebSocket route over one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def follow(self, socket: WebSocket) -> None:
        """`?symbol&interval`: `{"rows": [[s, o, h, l, c, v]]}` for every change until somebody leaves."""
        # accepted first: a browser cannot read the code of a connection that never opened
        await socket.accept()
        visit = visit_of(socket.scope)
        if visit.user is None or visit.token is None:
            await socket.close(SIGNED_OUT)
            return
        series = _series(socket.query_params.get("symbol"), socket.query_params.get("interval"))
        if series is None:
            await socket.close(UNKNOWN_SERIES)
            return
        with self._hub.seat(series, visit.token) as seat:
            await serve(socket, seat)


async def serve(socket: WebSocket, seat: Seat) -> None:
    """Send what *seat* is offered until its end, or until the browser leaves."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_hear, socket, tasks.cancel_scope)
        await _send(socket, seat)
        tasks.cancel_scope.cancel()


async def _send(socket: WebSocket, seat: Seat) -> None:
    with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
        while (text := await seat.next()) is not None:
            await socket.send_text(text)
        with anyio.fail_after(CLOSE_S):
            await socket.close(seat.code or 1000)


async def _hear(socket: WebSocket, serving: anyio.CancelScope) -> None:
    """Until the browser leaves, which ends the serving; nothing it says matters."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    serving.cancel()


def endpoints(hub: Hub) -> tuple[Endpoint, ...]:
    """Snapshot and older candles."""
    snapshots = Snapshots(lambda symbol, interval, count: system().readings.candles(symbol, interval, count))
    hub.when_rebuilt(snapshots.forget)
    newest, older = for_people(Chart(snapshots).kline), for_people(history)
    series = tuple(api.text(name, 20, required=False) for name in ("symbol", "interval"))
    since = (*series, api.whole("count", 1, MOST_CANDLES), api.whole("since", 0, LATEST_S))
    before = (*series, api.whole("count", 1, PAGE), api.whole("before", 0, LATEST_S))
    return (
        Endpoint("GET", "/api/kline", newest, "Candles, oldest first, the forming one last.", since, scope="read"),
        Endpoint("GET", "/api/kline/history", older, "Closed candles before a moment.", before, scope="read"),
    )


def stream(hub: Hub) -> BaseRoute:
    """The live candles."""
    return WebSocketRoute("/api/ws", Stream(hub).follow)
