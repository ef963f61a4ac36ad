"""
What a stranger with a script does: each attack takes the web and a loopback address, and goes on until it is ended.

Raw sockets, because no honest client would send these bytes; a process of its own, so that whoever measures does not
wait for the attacker's work: `python -m tests.floods.attacks NAME PORT SOURCE TOKEN…`. It imports the standard library
alone: one is started for each flood.
"""

import asyncio
import base64
import contextlib
import os
import secrets
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.worlds.flooded import Web

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Door:
    """All that an attacker knows of a web: its port, and the sessions of people in it."""

    port: int
    tokens: tuple[str, ...]


Attack = Callable[[Door, str], Awaitable[None]]
STRANGER = "127.0.0.66"
RERUN = b"\x82\x82" + bytes(4) + b"\x5a\x00"
"""A page's wish to be drawn, in one frame."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def idle(web: Door, source: str) -> None:
    """More silent sockets than a process may usually open files."""
    await _each(1_300, lambda _: _hold(web, source, b""))


async def slow_headers(web: Door, source: str) -> None:
    """A header line a second, for ever."""
    await _each(600, lambda _: _drip(web, source, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-A: b\r\n"))


async def slow_bodies(web: Door, source: str) -> None:
    """A body that is promised and comes byte by byte."""
    head = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
    )
    await _each(600, lambda _: _drip(web, source, head % _host(web), b" "))


async def unfinished_frames(web: Door, source: str) -> None:
    """WebSocket frames of 19 MB of which the last byte never comes."""
    pieces = 19 * 16  # of 64 KiB
    await _each(25, lambda _: _talk(web, source, _frame_head(pieces * 65_536 + 1), bytes(65_536), times=pieces))


async def endless_message(web: Door, source: str) -> None:
    """A message of empty frames without a last one."""
    start, more = b"\x02\x80" + bytes(4), b"\x00\x80" + bytes(4)
    await _each(40, lambda _: _talk(web, source, start, more * 10_000))


async def tiny_messages(web: Door, source: str) -> None:
    """Empty messages as fast as they go."""
    await _each(40, lambda _: _talk(web, source, b"", (b"\x82\x80" + bytes(4)) * 10_000))


async def unread_pings(web: Door, source: str) -> None:
    """Pings whose answers are never read."""
    await _each(40, lambda _: _talk(web, source, b"", (b"\x89\xfd" + bytes(4) + bytes(125)) * 2_000, read=False))


async def unread_answers(web: Door, source: str) -> None:
    """The longest answer there is, asked for again and again and never read."""
    ask = b"GET /api/kline?count=5000 HTTP/1.1\r\nHost: %s\r\nCookie: maemae=%s\r\n\r\n"
    await _each(60, lambda n: _hold(web, source, ask % (_host(web), web.tokens[1 + n % 16].encode()) * 40, read=False))


async def candle_readers(web: Door, source: str) -> None:
    """Sixteen people who read 5,000 candles without a pause."""
    ask = b"GET /api/kline?count=5000 HTTP/1.1\r\nHost: %s\r\nCookie: maemae=%s\r\nConnection: close\r\n\r\n"
    await _each(16, lambda n: _again(web, source, ask % (_host(web), web.tokens[1 + n].encode())))


async def invented_tokens(web: Door, source: str) -> None:
    """Sessions that never were, looked up in the database each."""

    def ask(_: int) -> bytes:
        token = secrets.token_urlsafe(32).encode()
        return b"GET /api/standing HTTP/1.1\r\nHost: %s\r\nCookie: maemae=%s\r\nConnection: close\r\n\r\n" % (
            _host(web),
            token,
        )

    await _each(40, lambda n: _again(web, source, ask(n)))


async def open_pages(web: Door, source: str) -> None:
    """A page's socket opened hundreds of times by nobody in particular; each would run the script."""
    await _each(400, lambda _: _talk(web, source, RERUN))


async def restless_pages(web: Door, source: str) -> None:
    """Somebody signed in who has sixteen pages drawn again and again."""
    cookie = f"maemae={web.tokens[1]}".encode()
    await _each(16, lambda _: _talk(web, source, b"", RERUN, cookie=cookie, pause_s=0.01))


async def guessed_passwords(web: Door, source: str) -> None:
    """Sign-ins, each of which would cost a slow hash."""
    body = b'{"email":"%s@example.com","password":"wrong wrong"}'

    def ask(n: int) -> bytes:
        said = body % str(n).encode()
        return (
            b"POST /api/auth/login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (_host(web), len(said), said)
        )

    await _each(60, lambda n: _again(web, source, ask(n)))


ATTACKS: tuple[Attack, ...] = (
    idle,
    slow_headers,
    slow_bodies,
    unfinished_frames,
    endless_message,
    tiny_messages,
    unread_pings,
    unread_answers,
    candle_readers,
    invented_tokens,
    open_pages,
    restless_pages,
    guessed_passwords,
)


@contextmanager
def under(attack: Attack, web: "Web", source: str = STRANGER) -> Iterator[None]:
    """With *attack* going on from *source*, once it is seen to have begun."""
    command = [sys.executable, "-m", __name__, attack.__name__, str(web.port), source, *web.tokens]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            yield
        finally:
            process.kill()


async def _each(count: int, one: Callable[[int], Awaitable[None]]) -> None:
    """*count* attackers at once; one who is thrown out comes again."""
    await asyncio.gather(*(_for_ever(one, number) for number in range(count)))


async def _for_ever(one: Callable[[int], Awaitable[None]], number: int) -> None:
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            await one(number)
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _connected(web: Door, source: str) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port, local_addr=(source, 0))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _hold(web: Door, source: str, said: bytes, *, read: bool = True) -> None:
    async with _connected(web, source) as (reader, writer):
        if not read:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(said)
        await (_until_closed(reader) if read else asyncio.sleep(30))


async def _drip(web: Door, source: str, head: bytes, drop: bytes) -> None:
    async with _connected(web, source) as (_, writer):
        writer.write(head)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(1)


async def _again(web: Door, source: str, ask: bytes) -> None:
    while True:
        async with _connected(web, source) as (reader, writer):
            writer.write(ask)
            await _until_closed(reader)


async def _talk(
    web: Door,
    source: str,
    said: bytes,
    more: bytes = b"",
    *,
    times: int = 10**9,
    read: bool = True,
    cookie: bytes = b"a=b",
    pause_s: float = 0,
) -> None:
    """Open a page's socket, say *said*, then *more* so many times, as far as it is taken."""
    async with _connected(web, source) as (reader, writer):
        writer.write(_handshake(web, cookie))
        await reader.readuntil(b"\r\n\r\n")
        if not read:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(said)
        await writer.drain()
        for _ in range(times if more else 0):
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause_s)
        await _until_closed(reader)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


def _handshake(web: Door, cookie: bytes) -> bytes:
    key = base64.b64encode(os.urandom(16))
    return (
        b"GET /_stcore/stream HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nCookie: %s\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: streamlit\r\nSec-WebSocket-Key: %s\r\n\r\n"
        % (_host(web), _host(web), cookie, key)
    )


def _frame_head(length: int) -> bytes:
    return b"\x82\xff" + struct.pack("!Q", length) + bytes(4)


def _host(web: Door) -> bytes:
    return f"127.0.0.1:{web.port}".encode()


async def main(name: str, port: str, source: str, *tokens: str) -> None:
    """Begin, say so, and go on."""
    attack = next(one for one in ATTACKS if one.__name__ == name)
    task = asyncio.ensure_future(attack(Door(int(port), tokens), source))
    await asyncio.sleep(1)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await task


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
