"""
The two clocks.

*MarketClock* drives candles, cycles and orders; *WallClock* drives sessions, throttles, HTTP and backoff. In processes
both are the machine's clock; replay and simulation step the market's. Times are epoch ms (int), durations seconds.
"""

import asyncio
import heapq
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Clock(Protocol):
    """What anything that needs the time asks for."""

    def now_ms(self) -> int:
        """Epoch ms, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once *seconds* have passed on this clock."""
        ...


class SystemClock(Clock):
    """The machine's own clock, at 1x."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SteadyClock:
    """
    Epoch ms by *clock*, but never backwards: for turns, pauses and deadlines of one process.

    A clock that is set back an hour would hold up for that hour whatever was due by the old time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = self._ahead = 0

    def now_ms(self) -> int:
        """At least what was said last."""
        now = self._clock.now_ms()
        self._ahead = max(self._ahead, self._latest - now)
        self._latest = now + self._ahead
        return self._latest


QUIET_ROUNDS = 24
"""Event-loop rounds without anybody at work before a stepped clock moves: enough for any chain of wake-ups."""


class SteppedClock(Clock):
    """
    A market clock that moves when told, or when everybody who could act is asleep on it.

    Work that waits for the outside (a database thread, a socket) is wrapped in `hold`, and time stands still until it
    is done; then the earliest sleeper wakes at its own moment. So twenty accounts polling for 0.2 s cost 0.2 s of
    market time, and a slow disk costs none. Never moves backwards.
    """

    def __init__(self, start_ms: int) -> None:
        self._now = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._asleep = 0
        self._held = 0
        self._quiet = 0
        self._ticking = False

    def now_ms(self) -> int:
        return self._now

    def advance_to(self, at_ms: int) -> None:
        """Move to *at_ms*; an earlier time is ignored."""
        self._now = max(self._now, at_ms)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Time stands still inside."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._start()

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep += 1
        heapq.heappush(self._sleepers, (self._now + round(seconds * 1000), self._asleep, woken))
        self._start()
        await woken

    def _start(self) -> None:
        self._quiet = 0
        if self._sleepers and not self._held and not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        if self._held or not self._sleepers:
            self._ticking = False
            return
        self._quiet += 1
        if self._quiet > QUIET_ROUNDS:
            self._wake_earliest()
        asyncio.get_running_loop().call_soon(self._tick)

    def _wake_earliest(self) -> None:
        self._quiet = 0
        target, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():  # a cancelled sleeper moves no time
            self.advance_to(target)
            woken.set_result(None)
