"""
What scenarios share: MariaDB, Redis, the simulator, the scripted analyst, the cables between them, one clock.

Started once; each scenario gets a database, accounts and an installation of its own on it. Traders and simulators are
real processes, forked from one that has imported everything, so that starting one costs milliseconds.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp

from lib.adapters.vault import generate_keys
from lib.domain.order import CYCLE_MS
from tests.simulator.running import Running
from tests.torture import stores, trader, venue
from tests.torture.cable import Cable
from tests.torture.forks import fork
from tests.torture.views import Views
from tests.torture.warp import Warp

POLL_S = 0.02
STOP_S = 25.0
JUDGE = "127.0.0.2"
"""Where the driver asks the exchange from: its questions are not counted against the trader's address."""
VENUE_AGE = 40
"""Scenarios one simulator serves: positions left behind cost it time at every jump of the clock."""


async def eventually(what: str, holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask until *holds* gives something true; the deadline is a failure, not a rhythm."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        answer = holds()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"never happened: {what}")


async def ended(process: BaseProcess, number: int) -> int:
    """Send *number*, wait until it is gone (by force in the end); its exit status."""
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, number)
    try:
        await eventually("the process ends", lambda: not process.is_alive(), STOP_S)
    except AssertionError:
        process.kill()
        await eventually("the killed process ends", lambda: not process.is_alive(), STOP_S)
    process.join()
    status = process.exitcode
    process.close()
    return 0 if status is None else status


def is_frozen(pid: int) -> bool:
    """Whether the kernel has frozen it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False


@dataclass
class Ground:
    """The servers, running."""

    folder: Path
    database: stores.Server
    redis: stores.Server
    template: stores.Template
    warp: Warp
    views: Views
    database_cable: Cable
    net_cable: Cable
    session: aiohttp.ClientSession
    keys: tuple[str, str] = field(default_factory=generate_keys)
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    _venue: BaseProcess | None = None
    _books: Path = Path()
    _served: int = 0

    @property
    def exchange(self) -> Running:
        """The simulator, straight, past the cable."""
        return Running(f"http://127.0.0.1:{self.net_cable.target}", self.session)

    @property
    def stops(self) -> Path:
        """What the simulator wrote of every stop it accepted, since its books are empty."""
        return self._books.with_suffix(".stops")

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis.socket}"

    async def fresh_venue(self) -> None:
        """A simulator with empty books, unless the running one has not served long yet."""
        self._served += 1
        if self._venue is not None and self._served % VENUE_AGE:
            return
        await self.stop_venue(signal.SIGTERM)
        self._books = self.folder / f"venue-{next(self.numbers)}.db"
        await self.start_venue()

    async def start_venue(self) -> None:
        """Start the simulator on its books, on the port it had if it had one."""
        told = self.folder / "venue.port"
        told.unlink(missing_ok=True)
        path, log = self.folder / "warp", self.folder / "venue.log"
        port = self.net_cable.target if isinstance(self.net_cable.target, int) else 0
        plan = venue.VenuePlan(str(self._books), str(path), str(log), str(told), str(self.stops), port)
        self._venue = fork(venue.run, plan)
        await eventually("the simulator listens", told.exists)
        self.net_cable.target = int(told.read_text())

    async def stop_venue(self, number: int = signal.SIGKILL) -> None:
        if self._venue is not None:
            await ended(self._venue, number)
            self._venue = None

    def next_t(self) -> int:
        """The next five-minute boundary that lies a moment ahead."""
        return (self.warp.now_ms() + 2_000) // CYCLE_MS * CYCLE_MS + CYCLE_MS

    def start_trader(self, plan: trader.TraderPlan) -> BaseProcess:
        return fork(trader.run, plan)


@asynccontextmanager
async def opened() -> AsyncIterator[Ground]:
    """Everything started, and ended with the block."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - tmpfs: a flush costs nothing there
    with tempfile.TemporaryDirectory(prefix="maemae-torture-", dir=base, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        database, redis = stores.mariadb(folder), stores.redis_server(folder)
        try:
            await asyncio.gather(asyncio.to_thread(database.start), asyncio.to_thread(redis.start))
            template = await asyncio.to_thread(stores.migrated, database.socket)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(JUDGE, 0))) as session:
                ground = Ground(
                    folder,
                    database,
                    redis,
                    template,
                    Warp(folder / "warp"),
                    Views(),
                    Cable(str(database.socket)),
                    Cable(0),
                    session,
                )
                async with _working(ground):
                    yield ground
        finally:
            redis.end()
            database.end()


@asynccontextmanager
async def _working(ground: Ground) -> AsyncIterator[None]:
    await asyncio.gather(ground.views.serve(), ground.database_cable.lay(), ground.net_cable.lay())
    try:
        await ground.fresh_venue()
        yield
    finally:
        await ground.stop_venue()
        await asyncio.gather(ground.views.close(), ground.database_cable.close(), ground.net_cable.close())
        ground.warp.close()
