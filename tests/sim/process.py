"""
A trader process that can be killed, frozen, have a wrong clock, and be started again.

From a kill on, whatever the process still has running hangs at its next touch of the outside: no reply reaches it, no
effect leaves it, no cleanup runs. A frozen process is the same for a while. Nothing in `lib` knows of this: clock and
ports are wrapped.
"""

import asyncio
from collections.abc import Callable

from lib.domain.errors import Halt
from lib.domain.order import CYCLE_MS
from lib.trading.clock_check import CHECK_EVERY_S
from lib.trading.trader import Trader
from tests.sim.loop import VirtualLoop
from tests.sim.temper import Time

CYCLE_OFFSET_MS = 2_000
RECONCILE_S, HEARTBEAT_S, COMMANDS_S, STOPS_S, SWEEP_S, SHARE_S = 5.0, 10.0, 2.0, 2.0, 60.0, 3.0


class Process:
    """One life of a trader; *on_end* is called once, when it is over, with the reason."""

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        time: Time,
        skew_ms: int,
        on_end: Callable[["Process", str], None],
    ) -> None:
        self.name, self.skew_ms = name, skew_ms
        self.is_dead = False
        self.frozen_until = 0
        self.stopped = False
        """Dead or frozen: whoever touches the outside must `halt` first."""
        self.up_since_ms: int | None = None
        self.clear_since_ms = time.now_ms()
        """Since when no fault has hit this process."""
        self._time, self._on_end = time, on_end
        self._loop = loop
        self._graves: list[asyncio.Future[None]] = []

    def now_ms(self) -> int:
        """By the process's own clock."""
        return self._time.now_ms() + self.skew_ms

    async def sleep(self, seconds: float) -> None:
        # asyncio.sleep costs twice as much, and this is most of what a world does
        woken: asyncio.Future[None] = self._loop.create_future()
        self._loop.wake_later(max(seconds, 0), woken)
        await woken
        if self.stopped:
            await self.halt()

    async def halt(self) -> None:
        """Return when the process runs (again); never, when it is dead."""
        while self.stopped:
            if self.is_dead:
                # kept, or the collector would run the cleanup of tasks nobody waits for
                self._graves.append(self._loop.create_future())
                await self._graves[-1]
            if (left := self.frozen_until - self._time.now_ms()) <= 0:
                self.stopped = False
                return
            await asyncio.sleep(left / 1000)

    def kill(self, why: str = "killed") -> None:
        """SIGKILL."""
        if not self.is_dead:
            self.is_dead = self.stopped = True
            self._on_end(self, why)

    def freeze(self, ms: int) -> None:
        """SIGSTOP, or a host that moves the machine, for *ms*."""
        self.frozen_until = max(self.frozen_until, self._time.now_ms() + ms)
        self.stopped = True
        self.disturbed(ms)

    def disturbed(self, ms: int = 0) -> None:
        """A fault has hit the process; what it sets off ends *ms* from now."""
        self.clear_since_ms = max(self.clear_since_ms, self._time.now_ms() + ms)


async def live(process: Process, trader: Trader) -> None:
    """The life of one trader on the timetable of the service: start, then its jobs, until killed or halted."""
    await trader.start()
    process.up_since_ms = process.now_ms() - process.skew_ms
    jobs = _timetable(process, trader)
    while trader.halted is None and trader.ready:
        now = process.now_ms()
        for job in sorted([job for job in jobs if job.at_ms <= now], key=lambda job: job.at_ms):
            job.run(now)
        await process.sleep(max(min([job.at_ms for job in jobs]) - process.now_ms(), 1) / 1000)
    if isinstance(trader.halted, Halt):
        process.kill(f"halted: {trader.halted}")


def _timetable(process: Process, trader: Trader) -> list["_Job"]:
    now = process.now_ms()
    cycles = _Job(trader.cycle, next_cycle, next_cycle(now))
    every = [(trader.reconcile, RECONCILE_S), (trader.heartbeat, HEARTBEAT_S), (trader.sweep, SWEEP_S)]
    every.append((trader.check_clocks, CHECK_EVERY_S))
    if trader.share is not None:
        every.append((trader.hold_share, SHARE_S))
    if trader.stopper is not None:
        every.append((trader.enforce_stops, STOPS_S))
    if trader.command_runner is not None:
        every.append((trader.take_commands, COMMANDS_S))
    return [cycles, *(_Job(act, _in(seconds), _in(seconds)(now)) for act, seconds in every)]


def next_cycle(now_ms: int) -> int:
    """The first cycle start after *now_ms*: two seconds past a boundary."""
    return (now_ms - CYCLE_OFFSET_MS) // CYCLE_MS * CYCLE_MS + CYCLE_MS + CYCLE_OFFSET_MS


def _in(seconds: float) -> Callable[[int], int]:
    return lambda now_ms: now_ms + round(seconds * 1000)


class _Job:
    def __init__(self, act: Callable[[], None], then: Callable[[int], int], at_ms: int) -> None:
        self._act, self._then, self.at_ms = act, then, at_ms

    def run(self, now_ms: int) -> None:
        """However often it was missed, it runs once."""
        self.at_ms = self._then(now_ms)
        self._act()
