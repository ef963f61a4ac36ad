"""The embedded stores of `make run`."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from lib.adapters.redis.embedded import EmbeddedRedis, ensure, running
from lib.supervision import lifeline
from lib.supervision.child import Running


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
    """The embedded Redis as the supervisor keeps it."""

    server: EmbeddedRedis

    @property
    def pid(self) -> int:
        return self.server.process.pid if self.server.process else 0

    async def ended(self) -> int:
        return await asyncio.to_thread(self.server.process.wait) if self.server.process else 0

    def send(self, number: int) -> None:
        if self.server.process:
            self.server.process.send_signal(number)
