"""
One clock for the processes of a deployment: the machine's, plus a lead that a test moves while they run.

The lead lives in eight bytes of a file every process maps, so that simulator, trader and database jump together, as if
all had been asleep: what waits by the clock (a sleep, the timetable) is over when its moment was jumped past. The
database's own clock is moved by rewriting the one question asked of it. Timeouts of sockets and locks stay the
machine's; nothing ever goes back.
"""

import asyncio
import datetime
import mmap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import schedule
import sqlalchemy as sa
from sqlalchemy import event

from lib.clock import SystemClock

BYTES = 8
STEP_S = 0.05
"""How often a sleeper looks whether its moment was jumped past."""


class Warp:
    """The lead kept in *path*; the file is made when it is not there."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(BYTES))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), BYTES)

    @property
    def lead_ms(self) -> int:
        return int.from_bytes(self._shared[:BYTES], "little", signed=True)

    def now_ms(self) -> int:
        """The deployment's time, epoch ms."""
        return time.time_ns() // 1_000_000 + self.lead_ms

    def jump(self, ms: int) -> None:
        """Let *ms* pass at once."""
        if ms > 0:
            self._shared[:BYTES] = (self.lead_ms + ms).to_bytes(BYTES, "little", signed=True)

    def jump_to(self, at_ms: int) -> None:
        """Let it be *at_ms*; a moment already past is ignored."""
        self.jump(at_ms - self.now_ms())

    async def sleep(self, seconds: float) -> None:
        """Return once *seconds* have passed, jumps included."""
        end = self.now_ms() + round(seconds * 1000)
        await asyncio.sleep(0)
        while (left := (end - self.now_ms()) / 1000) > 0:  # noqa: ASYNC110 - another process moves the clock
            await asyncio.sleep(min(left, STEP_S))

    def close(self) -> None:
        self._shared.close()

    def install(self) -> None:
        """Make this process live by the warped clock, and what it asks the database's clock too."""

        def warped(_: SystemClock) -> int:
            return self.now_ms()

        async def slept(_: SystemClock, seconds: float) -> None:
            await self.sleep(seconds)

        SystemClock.now_ms = warped  # type: ignore[assignment, method-assign]
        SystemClock.sleep = slept  # type: ignore[assignment, method-assign]
        schedule.datetime = self._dates()  # type: ignore[assignment, attr-defined]
        self.attend(sa.engine.Engine)

    def attend(self, engine: sa.Engine | type[sa.Engine]) -> None:
        """Whatever *engine* asks the database's clock, it is told the warped time."""
        event.listen(engine, "before_cursor_execute", self._rewrite, retval=True)

    def _dates(self) -> SimpleNamespace:
        """The module `datetime` as the timetable sees it."""
        warp = self

        class Warped(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> "Warped":
                return cls.fromtimestamp(warp.now_ms() / 1000, tz)

        return SimpleNamespace(datetime=Warped, timedelta=datetime.timedelta, time=datetime.time)

    def _rewrite(  # the signature is SQLAlchemy's
        self, connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        moved = f"(SYSDATE(6) + INTERVAL {self.lead_ms * 1000} MICROSECOND)"
        return statement.replace("SYSDATE(6)", moved), parameters


class WarpedClock(SystemClock):
    """As `SystemClock`, by a warp; for a process that is handed its clock."""

    def __init__(self, warp: Warp) -> None:
        self._warp = warp

    def now_ms(self) -> int:
        return self._warp.now_ms()

    async def sleep(self, seconds: float) -> None:
        await self._warp.sleep(seconds)
