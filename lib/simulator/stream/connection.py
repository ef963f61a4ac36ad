"""
One WebSocket peer of the simulator: a queue of frames so that no task waits for a slow reader, and ways to lose a peer.

Frames leave in the order they were sent. A peer that lets a thousand frames pile up is cut off, as by a venue.
The contents of frames are the business of `lib.simulator.stream.streams`.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

OUTBOX_FRAMES = 1_000
MAX_FRAME_BYTES = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER that makes the kernel send RST instead of FIN."""


class Connection:
    """A prepared WebSocket with its topics; *uid* is set once authenticated, a *silent* one never sends anything."""

    def __init__(self, request: web.Request, socket_: web.WebSocketResponse, name: str) -> None:
        self.name = name
        self.uid: int | None = None
        self.silent = False
        self.topics: set[str] = set()
        self._request = request
        self._socket = socket_
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_FRAMES)

    @property
    def response(self) -> web.WebSocketResponse:
        """The response that the request handler has to return."""
        return self._socket

    def send(self, document: dict[str, Any]) -> None:
        """Queue one JSON frame."""
        if self.silent:
            return
        try:
            self._outbox.put_nowait(msgspec.json.encode(document).decode())
        except asyncio.QueueFull:
            self.reset()

    def reset(self) -> None:
        """Cut the TCP connection without a close frame."""
        transport = self._request.transport
        if transport is None:
            return
        if raw := transport.get_extra_info("socket"):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()

    async def close(self, code: int) -> None:
        """Close the connection with *code*."""
        await self._socket.close(code=code, drain=False)

    async def talk(self, on_text: Callable[["Connection", str], None]) -> None:
        """Pass every text frame to *on_text* until the peer is gone."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    on_text(self, message.data)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self._socket.send_str(await self._outbox.get())


async def accept(request: web.Request, name: str) -> Connection:
    """Complete the WebSocket handshake of *request*."""
    socket_ = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, timeout=1.0)
    await socket_.prepare(request)
    return Connection(request, socket_, name)
