"""
uvicorn's two protocols with deadlines: headers, a body, a frame and a reader each have seconds, then the socket ends.

The server reads whatever it is sent for as long as it takes; a thousand silent sockets were its end, and every
unfinished frame was kept whole. Here each stage has a clock that single bytes do not wind up again, every connection
holds a place at the doorkeeper, and a peer that does not read is not read from either. What an answer says is not
decided here, but for one: a request that is none is refused in the house's own form.
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import h11
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from app.http.addresses import network, written_address
from app.http.doorkeeper import Doorkeeper
from app.http.pace import Allowance, Pace
from app.http.refusals import refusal_body
from app.policy import ALWAYS

HEADERS_S = 10.0
"""From the connection, or the last answer, to the end of the next headers."""
BODY_S = 15.0
FRAME_S = 10.0
"""From the first byte of a message to its end, however many frames it has."""
READER_S = 20.0
"""How long an answer may wait for a peer that takes nothing."""
HEADER_BYTES = 16_384
FRAME_BYTES = 128 * 1024
"""Of one message from a browser; the longest honest one holds the states of a page's widgets."""
SLICE = 2_048
FRAMES = 256
"""Of one message: browsers send one."""
MESSAGES = Pace(burst=200, per_s=20)
"""Of one socket: a person who drags a slider sends a few a second."""
BACKLOG = 256
"""Connections the loop takes in one turn at most."""

Ends = Callable[[], None]


class Deadline:
    """One stage of one connection at a time, by the loop's clock; a stage that goes on is not wound up again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ends: Ends) -> None:
        self._loop = loop
        self._ends = ends
        self._stage = ""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, stage: str, seconds: float) -> None:
        """Give *stage* its *seconds* from now, unless it has begun."""
        if stage != self._stage:
            self.end()
            self._stage = stage
            self._timer = self._loop.call_later(seconds, self._ends)

    def end(self) -> None:
        """Nothing is waited for any more."""
        self._stage = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedHttp(H11Protocol):
    """HTTP/1.1 of one connection, until it ends or becomes a WebSocket."""

    def __init__(self, door: Doorkeeper, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._door = door
        self._request = Deadline(self.loop, self.send_away)
        self._reader = Deadline(self.loop, self.send_away)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = _peer(self.client)
        if self._door.may_come(peer, self.loop.time()) and self._door.enter(self, peer):
            self._watch()
        else:
            self.send_away()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._leave()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._door.waits(self)
        self._reader.begin("reader", READER_S)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.end()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Not a request at all: told in the house's form, and the connection ends."""
        body = json.dumps(refusal_body("refuse.request", {}, "en")).encode()
        headers = [*ALWAYS, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers.append((b"connection", b"close"))
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = h11.Response(status_code=400, headers=headers, reason=STATUS_PHRASES[400])
            for part in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def send_away(self) -> None:
        """End the connection without a word: its peer may never read one."""
        self.transport.abort()

    def _watch(self) -> None:
        """Give what the peer still owes us its time."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._request.end()
        elif self.conn.their_state is h11.IDLE:
            self._waits("headers", HEADERS_S)
        elif self.conn.their_state is h11.SEND_BODY:
            self._waits("body", BODY_S)
        else:
            self._request.end()
            self._door.is_served(self)

    def _waits(self, stage: str, seconds: float) -> None:
        self._door.waits(self)
        self._request.begin(stage, seconds)

    def _leave(self) -> None:
        self._request.end()
        self._reader.end()
        self._door.leave(self)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket from its handshake to its end."""

    def __init__(self, door: Doorkeeper, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._door = door
        self._frame = Deadline(self.loop, self.send_away)
        self._reader = Deadline(self.loop, self.send_away)
        self._allowance = Allowance(MESSAGES, self.loop.time())
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._door.enter(self, _peer(self.client)):
            self._door.is_served(self)
        else:
            self.send_away()

    def connection_lost(self, exc: Exception | None) -> None:
        self._frame.end()
        self._reader.end()
        self._door.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # in slices: what arrived at once may hold ten thousands of empty frames, and all are parsed before one is seen
        for start in range(0, len(data), SLICE):
            if self._is_over:
                return
            super().data_received(data[start : start + SLICE])
        if self.conn.current_size is not None or self.conn.reader.buffer:
            self._door.waits(self)
            self._frame.begin("message", FRAME_S)
        else:
            self._heard()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= FRAMES or self._is_over:
            self.send_away()
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        # no browser sends any, and each is answered
        if self._allowance.take(self.loop.time()):
            super().handle_ping()
        else:
            self.send_away()

    def handle_pong(self, event: Frame) -> None:
        if self._allowance.take(self.loop.time()):
            super().handle_pong(event)
        else:
            self.send_away()

    def send_receive_event_to_app(self) -> None:
        """A whole message: handed on, unless this socket has said more than anybody needs to."""
        if self._is_over:
            return
        if self._allowance.take(self.loop.time()):
            self._heard()
            super().send_receive_event_to_app()
        else:
            self.send_away()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.close_sent:
            # only the peer's goodbye is still to come
            self._door.waits(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        # pings are answered as they are read: who does not take the answers is not read from
        self.transport.pause_reading()
        self._door.waits(self)
        self._reader.begin("reader", READER_S)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.end()
        self._door.is_served(self)
        if not self.read_paused:
            self.transport.resume_reading()

    def send_away(self) -> None:
        """End the connection without a word."""
        self._is_over = True
        self.transport.abort()

    def _heard(self) -> None:
        self._frame.end()
        if not self.close_sent:
            self._door.is_served(self)


def protocols(door: Doorkeeper) -> dict[str, Any]:
    """uvicorn's arguments for both, over one door; uvicorn makes one of them a connection."""
    return {"http": partial(BoundedHttp, door), "ws": partial(BoundedWebSocket, door)}


def _peer(client: tuple[str, int] | None) -> str:
    return network(written_address(client[0] if client else "") or "unknown")
