"""The embedded stores of `make run`."""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lib.adapters.redis.embedded import EmbeddedRedis, ensure, running
from lib.supervision import lifeline
from lib.supervision.child import Running

LOOK_S = 1.0
"""How often it is seen whether a joined server is still there."""


def embedded_redis(data_dir: Path) -> EmbeddedRedis:
    """
    A real redis-server on a private socket under *data_dir*, started here or joined; *Halt* when none can be had. One
    that was started here ends with this process, however that ends (Linux).
    """
    return ensure(data_dir, by=(sys.executable, "-m", lifeline.__name__, str(os.getpid())))


def running_redis(data_dir: Path) -> str:
    """The URL of the server `embedded_redis` started under *data_dir* and that still runs, "" for none."""
    return running(data_dir)


@dataclass(frozen=True, slots=True)
class KeptRedis(Running):
    """
    The embedded Redis as the supervisor keeps it. One that was joined is somebody else's to end: told to end, it is
    left; and when it is gone a start of our own follows.
    """

    server: EmbeddedRedis
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int:
        return self.server.pid

    async def ended(self) -> int:
        if self.server.process:
            return await asyncio.to_thread(self.server.process.wait)
        while not self.left.is_set() and await asyncio.to_thread(self.server.answers):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.left.wait(), LOOK_S)
        return 0

    def send(self, number: int) -> None:
        if self.server.process:
            self.server.process.send_signal(number)
        self.left.set()
