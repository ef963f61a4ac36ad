"""
The two clocks.

*MarketClock* drives candles, cycles and orders; *WallClock* drives sessions, throttles, HTTP and backoff. In processes
both are the machine's clock; replay and simulation step the market's. Times are epoch ms (int), durations seconds.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What anything that needs the time asks for."""

    def now_ms(self) -> int:
        """Epoch ms, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once *seconds* have passed on this clock."""
        ...


class SystemClock:
    """The machine's own clock, at 1x."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SteppedClock:
    """
    A market clock that only moves when told, or when somebody sleeps on it.

    Sleepers that start together wake together: each fixes its target when it falls asleep and pulls the clock to
    it, so twenty accounts polling for 0.2 s cost 0.2 s of market time, not 4 s. Never moves backwards.
    """

    def __init__(self, start_ms: int) -> None:
        self._now = start_ms

    def now_ms(self) -> int:
        return self._now

    def advance_to(self, at_ms: int) -> None:
        """Move to *at_ms*; an earlier time is ignored."""
        self._now = max(self._now, at_ms)

    async def sleep(self, seconds: float) -> None:
        target = self._now + round(seconds * 1000)
        await asyncio.sleep(0)
        self.advance_to(target)
