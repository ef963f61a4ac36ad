"""Over a real socket: what does not come in time ends the connection, and what is said whole is answered."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from app.http import protocols
from app.http.doorkeeper import Doorkeeper, Places

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

HELLO = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
AT_ONCE = 0.05
NEVER = 3_600.0
STAGES = ("HEADERS_S", "BODY_S", "FRAME_S", "READER_S")
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: %s\r\n\r\n" % base64.b64encode(os.urandom(16))
)
LONG = b"x" * 8_000_000
ROOMY = Places(50, 10)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads a body and answers at length; answers every message of a socket."""
    if scope["type"] == "websocket":
        await _echo(receive, send)
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    content = LONG if scope["path"] == "/long" else body or b"hello"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
    await send({"type": "http.response.body", "body": content})


async def _echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "bytes": message["bytes"]})


@pytest.fixture
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the stage that is asked for ends soon; the others never do."""
    for stage in STAGES:
        monkeypatch.setattr(protocols, stage, AT_ONCE if stage == request.param else NEVER)


@asynccontextmanager
async def served(places: Places = ROOMY) -> AsyncIterator[int]:
    """A server with our protocols; its port."""
    config = uvicorn.Config(
        application, port=0, log_config=None, lifespan="off", ws_max_size=protocols.FRAME_BYTES,
        **protocols.protocols(Doorkeeper(places)),
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What still came before the connection ended."""
    said = b""
    try:
        async with asyncio.timeout(20):
            while piece := await reader.read(65_536):
                said += piece
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize("quick", ["HEADERS_S"], indirect=True)
@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: here\r\n"])
async def test_headers_that_do_not_come_end_the_connection(quick: None, said: bytes) -> None:
    async with served() as port, connected(port) as (reader, writer):
        writer.write(said)
        assert await ended(reader) == b""


@pytest.mark.parametrize("quick", ["HEADERS_S"], indirect=True)
async def test_single_bytes_do_not_wind_the_clock_up_again(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n")
        dripping = asyncio.create_task(_drip(writer))
        assert await ended(reader) == b""
        dripping.cancel()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"A: b\r\n")
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("quick", ["BODY_S"], indirect=True)
async def test_a_body_that_is_promised_and_does_not_come_ends_the_connection(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 50\r\n\r\nhalf")
        assert await ended(reader) == b""


@pytest.mark.parametrize("quick", ["READER_S"], indirect=True)
async def test_a_peer_that_does_not_read_its_answer_is_let_go(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n")
        await asyncio.sleep(AT_ONCE * 4)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await ended(reader)) < len(LONG)


@pytest.mark.parametrize("quick", [""], indirect=True)
async def test_what_comes_whole_is_answered_and_the_connection_stays(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(HELLO)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n")
        writer.write(b"whole")
        assert (await reader.readuntil(b"whole")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("quick", [""], indirect=True)
@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"])
async def test_what_is_no_request_is_refused_in_our_form(quick: None, said: bytes) -> None:
    async with served() as port, connected(port) as (reader, writer):
        writer.write(said)
        head, _, body = (await ended(reader)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert b"x-content-type-options: nosniff" in head.lower()
        assert json.loads(body)["error"] == "refuse.request"


@pytest.mark.parametrize("quick", [""], indirect=True)
async def test_one_too_many_of_an_address_takes_the_place_of_the_longest_idler(quick: None) -> None:
    async with served(Places(50, 2)) as port, connected(port) as (first, _), connected(port) as (_, second):
        async with connected(port) as (reader, writer):
            assert await ended(first) == b""
            writer.write(HELLO)
            assert await reader.readuntil(b"hello")
        second.write(HELLO)


# --- WebSockets -------------------------------------------------------------------------------------------------------


async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(UPGRADE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")


def frame(opcode: int, content: bytes, *, last: bool = True) -> bytes:
    return bytes([opcode | (0x80 if last else 0), 0x80 | len(content)]) + bytes(4) + content


@pytest.mark.parametrize("quick", ["FRAME_S"], indirect=True)
@pytest.mark.parametrize(
    "said", [b"\x82", frame(2, b"half")[:-1], frame(2, b"part", last=False), frame(2, b"", last=False) + frame(9, b"")]
)
async def test_a_message_that_is_not_finished_ends_the_socket(quick: None, said: bytes) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        writer.write(said)
        await ended(reader)


@pytest.mark.parametrize("quick", ["FRAME_S"], indirect=True)
async def test_a_socket_that_says_nothing_stays(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        await asyncio.sleep(AT_ONCE * 2)
        writer.write(frame(2, b"whole"))
        assert await reader.readexactly(7) == b"\x82\x05whole"


@pytest.mark.parametrize("quick", [""], indirect=True)
async def test_a_message_longer_than_a_page_sends_is_refused_before_it_is_kept(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        writer.write(b"\x82\xff" + struct.pack("!Q", protocols.FRAME_BYTES + 1) + bytes(4))
        assert (await reader.readexactly(4))[2:4] == struct.pack("!H", 1009)


@pytest.mark.parametrize("quick", [""], indirect=True)
async def test_who_says_more_than_anybody_needs_to_is_cut_off(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        writer.write(frame(2, b"") * (protocols.MESSAGES.burst * 5))
        answered = await ended(reader)
        assert answered.count(b"\x82\x00") <= protocols.MESSAGES.burst


@pytest.mark.parametrize("quick", [""], indirect=True)
async def test_a_message_of_too_many_frames_is_cut_off(quick: None) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        writer.write(frame(2, b"", last=False) + frame(0, b"", last=False) * protocols.FRAMES)
        assert await ended(reader) == b""


@pytest.mark.parametrize("quick", [""], indirect=True)
@pytest.mark.parametrize("opcode", [9, 10])
async def test_who_pings_without_end_is_cut_off(quick: None, opcode: int) -> None:
    async with served() as port, connected(port) as (reader, writer):
        await upgraded(reader, writer)
        writer.write(frame(opcode, b"ping") * (protocols.MESSAGES.burst * 5))
        answered = await ended(reader)
        # a slice is parsed, and its pongs are written, before it is looked at
        assert answered.count(b"ping") <= protocols.MESSAGES.burst + protocols.SLICE
