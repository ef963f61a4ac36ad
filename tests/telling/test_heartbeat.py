"""Whoever watches from outside hears that trader and collector live, and only then; what they do delays nothing."""

import asyncio
from dataclasses import dataclass

import pytest

from lib.adapters.heartbeat import HeartbeatUrl
from lib.clock import SteppedClock
from lib.domain.errors import Retry
from lib.telling import heartbeat
from lib.telling.heartbeat import Heartbeat
from lib.telling.silence import SILENT_S, Signs
from tests.factories import T


@dataclass(frozen=True)
class Seen:
    trader_age_s: float | None = 1.0
    collector_age_s: float | None = 1.0


class Outside:
    def __init__(self) -> None:
        self.pings = 0

    async def __call__(self) -> None:
        self.pings += 1


def beating(outside: Outside, seen: Signs) -> Heartbeat:
    return Heartbeat(lambda _: seen, outside, SteppedClock(T))


@pytest.mark.parametrize(
    ("seen", "is_called"),
    [
        (Seen(), True),
        (Seen(trader_age_s=SILENT_S), True),
        (Seen(trader_age_s=SILENT_S + 1.0), False),
        (Seen(collector_age_s=SILENT_S + 1.0), False),
        (Seen(trader_age_s=None), False),
        (Seen(collector_age_s=None), False),
    ],
)
async def test_it_is_called_while_trader_and_collector_live(seen: Seen, is_called: bool) -> None:
    outside = Outside()
    assert await beating(outside, seen).beat() is is_called
    assert outside.pings == is_called


async def test_what_fails_outside_or_cannot_be_read_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses() -> None:
        raise OSError("https://hc.example/canary")

    async def hangs() -> None:
        await asyncio.Event().wait()

    def away(_: int) -> Signs:
        raise Retry("Redis is away")

    assert not await Heartbeat(lambda _: Seen(), refuses, SteppedClock(T)).beat()
    assert not await Heartbeat(away, refuses, SteppedClock(T)).beat()
    monkeypatch.setattr(heartbeat, "MOST_S", 0.01)
    assert not await Heartbeat(lambda _: Seen(), hangs, SteppedClock(T)).beat()


@pytest.mark.enable_socket
@pytest.mark.parametrize(("status", "is_fine"), [(b"200 OK", True), (b"302 Found", False), (b"500 Oops", False)])
async def test_the_url_is_asked_for_once_and_nothing_else_is_followed(status: bytes, is_fine: bool) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 " + status + b"\r\nLocation: http://127.0.0.1:9/\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        url = HeartbeatUrl(f"http://127.0.0.1:{port}/ping/uuid?a=b")
        assert await Heartbeat(lambda _: Seen(), url, SteppedClock(T)).beat() is is_fine
    assert asked == [b"GET /ping/uuid?a=b HTTP/1.1\r\n"]
