"""
A WebSocket server on loopback whose every connection plays a script: what a kline stream must live through.

The last script is played for all later connections. Frames are in the shapes of Bybit's documentation.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import aiohttp
from aiohttp import web

from lib.domain.candle import MINUTE_MS, Candle


def kline(candle: Candle, *, confirm: bool, symbol: str = "BTCUSDT") -> str:
    """One push of `kline.1.{symbol}`."""
    at = candle.open_time + (MINUTE_MS if confirm else MINUTE_MS // 2)
    row = {
        "start": candle.open_time,
        "end": candle.open_time + MINUTE_MS - 1,
        "interval": "1",
        "open": str(candle.open),
        "close": str(candle.close),
        "high": str(candle.high),
        "low": str(candle.low),
        "volume": str(candle.volume),
        "turnover": str(candle.volume * Decimal(2)),
        "confirm": confirm,
        "timestamp": at,
    }
    return json.dumps({"topic": f"kline.1.{symbol}", "data": [row], "ts": at, "type": "snapshot"})


class Peer:
    """The server's end of one connection, as scripts see it."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._socket = socket
        self._request = request
        self.answer_pings = True

    async def hear(self) -> dict[str, object]:
        """The client's next request."""
        heard: dict[str, object] = json.loads(await self._socket.receive_str())
        return heard

    async def accept(self) -> None:
        """Read the subscription and acknowledge it."""
        asked = await self.hear()
        assert asked["op"] == "subscribe"
        await self.acknowledge()

    async def acknowledge(self, *, success: bool = True, text: str = "") -> None:
        """Answer a subscription as the public linear stream does: with an empty req_id."""
        answer = {"success": success, "ret_msg": text, "conn_id": "c", "req_id": "", "op": "subscribe"}
        await self._socket.send_str(json.dumps(answer))

    async def say(self, *frames: str | bytes) -> None:
        """Send frames as they are."""
        for frame in frames:
            if isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame)

    async def close(self, code: int) -> None:
        """A proper close frame."""
        await self._socket.close(code=code)

    def reset(self) -> None:
        """The connection is gone without a word."""
        assert self._request.transport is not None
        self._request.transport.abort()

    async def stay(self) -> None:
        """Answer pings until the client goes."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data)["op"] == "ping":
                self.pings += 1
                if self.answer_pings:
                    pong = {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "ping", "op": "ping"}
                    await self._socket.send_str(json.dumps(pong))

    pings = 0


Script = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """Address and history of the server."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self.url = ""
        self.peers: list[Peer] = []

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection: play its script."""
        socket = web.WebSocketResponse(timeout=0.2)
        await socket.prepare(request)
        peer = Peer(socket, request)
        script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
        self.peers.append(peer)
        await script(peer)
        return socket


@contextmanager
def serving(*scripts: Script) -> Iterator[ScriptedServer]:
    """Run the server in a thread of its own."""
    server = ScriptedServer(scripts)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    done = asyncio.Event()

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/v5/public/linear", server.handle)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        server.url = f"ws://127.0.0.1:{port}/v5/public/linear"
        ready.set()
        await done.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()
