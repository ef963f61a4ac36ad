"""
The outside heartbeat: a URL of another server is called each minute, while trader and collector give signs of life.

Who watches outside (healthchecks.io and the like) then notices a machine that is gone, which nothing here could tell.
It is called by a task of its own with a bounded time: whether it answers delays nothing and is only logged.
"""

import asyncio
from collections.abc import Awaitable, Callable

from lib import log
from lib.clock import Clock
from lib.domain.errors import Retry
from lib.telling.silence import SILENT_S, Signs

EVERY_S = 60.0
MOST_S = 10.0
"""For one call, whatever the other server does."""
_log = log.get("heartbeat")


class Heartbeat:
    """Over a reading and the way out; *ping* is cut off after `MOST_S`."""

    def __init__(self, signs: Callable[[int], Signs], ping: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self._signs = signs
        self._ping = ping
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until *stop*."""
        while not stop.is_set():
            await self.beat()
            try:
                await asyncio.wait_for(stop.wait(), EVERY_S)
            except TimeoutError:
                continue

    async def beat(self) -> bool:
        """Call it if trader and collector are alive; whether it answered."""
        try:
            seen = await asyncio.to_thread(self._signs, self._clock.now_ms())
            if any(age is None or age > SILENT_S for age in (seen.trader_age_s, seen.collector_age_s)):
                _log.warning("heartbeat.held_back", trader=seen.trader_age_s, collector=seen.collector_age_s)
                return False
            async with asyncio.timeout(MOST_S):
                await self._ping()
        except Retry as away:
            _log.warning("heartbeat.unread", why=str(away))
            return False
        except Exception as failed:  # noqa: BLE001 - whatever another server does is no trouble of ours
            _log.warning("heartbeat.unanswered", type=type(failed).__name__)
            return False
        return True
