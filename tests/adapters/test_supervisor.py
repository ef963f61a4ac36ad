"""The supervisor of the async streams: a venue on a script, its time and its jitter handed in, and no waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from lib.adapters.bybit.stream.supervisor import Line, Supervisor
from lib.adapters.bybit.stream.watchdog import PING, Lost, StreamTimings
from lib.clock import Clock
from lib.domain.backoff import Backoff
from lib.domain.errors import Pause, Retry

URL = "wss://venue.example/v5/private"
TIMINGS = StreamTimings(
    up_within=5, ping_every=20, pong_within=10, stale_after=75, steady_after=60, backoff=Backoff(1.0, 8.0, 1.0)
)
Heard = str | float | Exception
"""What a connection brings next: a text, silence of so many seconds, or its end."""


class Time(Clock):
    """Monotonic seconds that only move when somebody waits."""

    def __init__(self) -> None:
        self.s = 1_000.0
        self.pauses: list[float] = []

    def now_ms(self) -> int:
        return round(self.s * 1000)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.s += seconds
        await asyncio.sleep(0)


class Socket:
    """A connection that brings *script*; then the venue closes it."""

    def __init__(self, time: Time, script: list[Heard]) -> None:
        self._time, self._script = time, script
        self.said: list[str] = []
        self.close_code = 1006
        self.is_closed = False

    async def send_str(self, text: str) -> None:
        self.said.append(text)

    async def receive(self, timeout: float) -> Any:
        await asyncio.sleep(0)
        if not self._script:
            return SimpleNamespace(type=aiohttp.WSMsgType.CLOSED)
        heard = self._script.pop(0)
        if isinstance(heard, Exception):
            raise heard
        if isinstance(heard, str):
            return SimpleNamespace(type=aiohttp.WSMsgType.TEXT, data=heard)
        self._time.s += min(heard, timeout)
        if heard > timeout:
            self._script.insert(0, heard - timeout)
            raise TimeoutError
        return await self.receive(timeout - heard or 0.001)

    async def __aenter__(self) -> "Socket":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_closed = True


class Venue:
    """Gives a connection for each script, and then an end to the test."""

    def __init__(self, *scripts: list[Heard] | Exception) -> None:
        self.time = Time()
        self._scripts = list(scripts)
        self.sockets: list[Socket] = []
        self.told: list[str] = []

    async def ws_connect(self, url: str, **_: Any) -> Socket:
        assert url == URL
        script = self._scripts.pop(0) if self._scripts else Pause("the script is over")
        if isinstance(script, Exception):
            raise script
        self.sockets.append(Socket(self.time, script))
        return self.sockets[-1]

    async def supervise(self, talk: Callable[[Line], Awaitable[None]], **options: Any) -> None:
        """Until the scripts are over."""
        supervisor = Supervisor(
            cast("aiohttp.ClientSession", self),
            TIMINGS,
            self.time,
            lambda why, _: self.told.append(why),
            draw=lambda: 0.5,
            now=lambda: self.time.s,
        )
        with pytest.raises(Pause, match="over"):
            await supervisor.keep(lambda: URL, talk, **options)


class Listener:
    """A talk that comes up at its first text, takes every text that begins with "data" for data, and keeps all."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def talk(self, line: Line) -> None:
        await line.say("hello")
        async for text in line.texts():
            line.watchdog.came_up()
            if text.startswith("data"):
                line.watchdog.data_arrived(line.now())
            self.heard.append(text)


async def test_texts_come_in_order_and_the_next_connection_follows_a_closed_one() -> None:
    venue, listener = Venue(["up", "data 1"], ["up", "data 2"]), Listener()
    await venue.supervise(listener.talk)
    assert listener.heard == ["up", "data 1", "up", "data 2"]
    assert venue.told == ["the venue closed the connection (1006)"] * 2
    assert all(socket.is_closed for socket in venue.sockets)


async def test_failures_in_a_row_wait_longer_each_time_up_to_the_cap() -> None:
    venue = Venue(*([OSError()] * 5))
    await venue.supervise(Listener().talk)
    assert venue.time.pauses == [1.5, 3.0, 6.0, 6.0, 6.0]


async def test_a_connection_that_held_makes_the_next_pause_the_first_one() -> None:
    steady: list[Heard] = ["up", *(heard for _ in range(7) for heard in (9.1, "data"))]
    venue = Venue(OSError(), OSError(), steady, OSError())
    await venue.supervise(Listener().talk)
    assert venue.time.pauses == [1.5, 3.0, 1.5, 3.0]


async def test_one_that_does_not_come_up_is_given_up() -> None:
    venue = Venue([999.0])
    await venue.supervise(Listener().talk)
    assert venue.told == ["it does not come up"]
    assert venue.time.pauses == [1.5]
    assert venue.time.s == 1_000 + 5 + 1.5


async def test_a_quiet_one_is_pinged_and_lives_by_its_pongs_until_it_is_stale() -> None:
    venue = Venue(["up", 20.1, "pong", 20.1, "pong", 20.1, "pong", 999.0])
    await venue.supervise(Listener().talk)
    assert venue.told == ["no data for 75 s"]
    assert venue.sockets[0].said == ["hello", PING, PING, PING]


async def test_one_that_answers_no_ping_is_given_up() -> None:
    venue = Venue(["up", 999.0])
    await venue.supervise(Listener().talk)
    assert venue.told == ["nothing is said, not even a pong"]
    assert venue.time.s == 1_000 + 20 + 10 + 1.5


async def test_who_uses_a_text_for_long_finds_what_waited_meanwhile() -> None:
    venue, heard = Venue(["up", "data 1", "data 2"]), list[str]()

    async def slow(line: Line) -> None:
        line.watchdog.came_up()
        async for text in line.texts():
            venue.time.s += 500
            heard.append(text)

    await venue.supervise(slow)
    assert heard == ["up", "data 1", "data 2"]


async def test_who_does_something_long_before_it_listens_pings_meanwhile_and_hears_the_pong() -> None:
    async def busy(line: Line) -> None:
        line.watchdog.came_up()
        for _ in range(3):
            await line.ping_if_due()
            venue.time.s += 21
        line.watchdog.caught_up(line.now())
        async for text in line.texts():
            heard.append(text)

    venue, heard = Venue(["pong", "data"]), list[str]()
    await venue.supervise(busy)
    assert heard == ["pong", "data"]
    assert venue.sockets[0].said.count(PING) >= 2


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (aiohttp.ClientError("https://user:secret@venue"), "ClientError"),
        (TimeoutError(), "TimeoutError"),
        (ConnectionResetError("peer 10.0.0.1"), "ConnectionResetError"),
        (Lost("refused"), "refused"),
        (Retry("the venue is away"), "the venue is away"),
    ],
)
async def test_trouble_is_told_in_a_word_and_lived_through(ended: Exception, told: str) -> None:
    async def fail(line: Line) -> None:
        raise ended

    venue = Venue(["up"])
    await venue.supervise(fail)
    assert venue.told == [told]
    assert venue.sockets[0].is_closed


async def test_a_talk_that_ends_by_itself_is_followed_by_another() -> None:
    async def brief(line: Line) -> None:
        await line.say("bye")

    venue = Venue([], [])
    await venue.supervise(brief)
    assert venue.told == ["of no more use"] * 2


async def test_a_bug_of_the_talk_is_raised_and_closes_the_connection() -> None:
    async def broken(line: Line) -> None:
        raise ZeroDivisionError

    venue = Venue(["up"])
    with pytest.raises(ZeroDivisionError):
        await venue.supervise(broken)
    assert venue.sockets[0].is_closed


async def test_every_connection_waits_for_its_place() -> None:
    admitted: list[int] = []

    async def admit() -> None:
        admitted.append(len(venue.sockets))

    venue = Venue(["up"], ["up"])
    await venue.supervise(Listener().talk, admit=admit)
    assert admitted == [0, 1, 2]
