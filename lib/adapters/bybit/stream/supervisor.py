"""
One WebSocket at a time, kept for ever: connect, talk, ping, watch, close, pause, and again.

The frames are the stream's own (*Talk*); the supervisor decides when a connection is given up (`watchdog`) and how soon
the next one follows (`lib.domain.backoff`). Trouble on the way ends a connection and is logged in a word; any other
exception of a talk ends the supervision and propagates. The threaded kline stream follows the same rules by itself.

Source: https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn

import aiohttp

from lib.adapters.bybit.stream.watchdog import PING, Lost, StreamTimings, Watchdog
from lib.clock import Clock
from lib.domain.errors import Retry

MAX_FRAME_BYTES = 1024 * 1024
CLOSE_S = 1.0
"""How long a peer may take to answer our close."""

Draw = Callable[[], float]
"""A source of jitter: at least 0 and below 1, another one each time."""


class Line:
    """One connection as its stream sees it; the stream tells *watchdog* (its watchdog) what the frames mean."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, timings: StreamTimings, now: Callable[[], float]
    ) -> None:
        self._socket, self._now = socket, now
        self.watchdog = Watchdog(timings, now())

    def now(self) -> float:
        """Monotonic seconds, for *watchdog*."""
        return self._now()

    async def say(self, text: str) -> None:
        """Send *text*."""
        await self._socket.send_str(text)

    async def ping_if_due(self) -> None:
        """Keep the connection alive, also while the stream does not listen because other work takes long."""
        if self.watchdog.is_ping_due(self._now()):
            await self.say(PING)

    async def texts(self) -> AsyncIterator[str]:
        """
        The texts received, in order, each a sign of life; pings meanwhile. *Lost* when the connection is given up.
        """
        while True:
            if why := self.watchdog.why_lost(self._now()):
                raise Lost(why)
            await self.ping_if_due()
            try:
                message = await self._socket.receive(timeout=max(self.watchdog.next_s(self._now()), 0.001))
            except TimeoutError:
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise Lost(f"the venue closed the connection ({self._socket.close_code})")
            self.watchdog.answered()
            yield message.data
            self.watchdog.caught_up(self._now())


Talk = Callable[[Line], Awaitable[None]]
"""A stream's work on one connection; returns or raises *Lost* when the connection is of no more use."""


async def nobody_waits() -> None:
    """Every connection may be made at once."""


class Supervisor:
    """
    Keeps connections of one kind by *timings*; pauses by *clock*. *tell* is called with why one was lost, and the
    pause.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        timings: StreamTimings,
        clock: Clock,
        tell: Callable[[str, float], None],
        *,
        draw: Draw = random.random,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._timings, self._clock, self._tell = session, timings, clock, tell
        self._draw, self._now = draw, now

    async def keep(
        self, url: Callable[[], str], talk: Talk, *, admit: Callable[[], Awaitable[None]] = nobody_waits
    ) -> NoReturn:
        """Run *talk* over one connection to *url* after another, each once *admit* returns; never ends by itself."""
        failures = 0
        while True:
            await admit()
            began = self._now()
            why = await self._once(url(), talk)
            failures = self._timings.failures_after(failures, self._now() - began)
            pause_s = self._timings.backoff.pause_s(failures, self._draw())
            self._tell(why, pause_s)
            await self._clock.sleep(pause_s)

    async def _once(self, url: str, talk: Talk) -> str:
        """Why the connection ended."""
        close = aiohttp.ClientWSTimeout(ws_close=CLOSE_S)
        try:
            async with asyncio.timeout(self._timings.connect):
                socket = await self._session.ws_connect(url, timeout=close, max_msg_size=MAX_FRAME_BYTES)
            async with socket:
                await talk(Line(socket, self._timings, self._now))
        except (Lost, Retry) as lost:
            return str(lost)
        except (aiohttp.ClientError, OSError) as lost:  # TimeoutError included
            # the class only: a client error's text may hold more than a log should
            return type(lost).__name__
        return "of no more use"
