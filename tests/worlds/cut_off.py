"""
A whole deployment for outages: collector and trader beside each other, through the cables, over real servers.

Short runs jump over the time in which nothing happens and wait where processes need the machine's own seconds; long
runs wait for everything. Nothing is restarted by hand: a process that ends is started again, as a supervisor would, and
counted.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from multiprocessing.process import BaseProcess
from typing import Any

import sqlalchemy as sa

from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.tables.trading import trade_logs
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Retry
from lib.ports.market import CandleStore
from tests.torture import collector
from tests.torture.forks import fork
from tests.torture.ground import Ground, ended, eventually
from tests.torture.judge import Judge, is_protected
from tests.worlds.killed import SYMBOL, Person, World, built

BEFORE_T_MS = 2_500
STEP_MS = 4_500
STEP_REST_S = 0.5
"""In short runs five seconds pass as a jump and this rest."""
WATCH_S = 0.5
TRADED_S = 40.0


@dataclass
class Found:
    """What an outage showed. Times in ms of the deployment's clock."""

    name: str
    lasted_ms: int = 0
    recovered_ms: int = 0
    terminal_ms: int = 0
    """From the end of the outage until every row had its verdict."""
    repaired_ms: int | None = None
    """How long a stop taken away during the outage was missing; None where none was taken."""
    restarts: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = [
            f"{self.name}: lasted {self.lasted_ms / 1000:.0f} s",
            f"recovered {self.recovered_ms / 1000:.1f} s after it",
            f"rows terminal {self.terminal_ms / 1000:.1f} s after it",
            f"restarts {self.restarts}",
            f"cycles {self.outcomes}",
            f"violations {len(self.problems)}",
        ]
        if self.repaired_ms is not None:
            told.insert(3, f"a lost stop back after {self.repaired_ms / 1000:.1f} s")
        return ", ".join(told)


@dataclass
class Stage:
    """The deployment and what a test does to it."""

    ground: Ground
    world: World
    found: Found
    store: CandleStore
    is_long: bool
    collecting: BaseProcess | None = None
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)
    is_watched: bool = True
    """Off while the exchange is away and cannot be asked."""

    @property
    def now(self) -> int:
        return self.ground.warp.now_ms()

    # --- processes ----------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        plan = replace(self.world.plan(), log=str(self.ground.folder / f"{self.world.name}.collector.log"))
        self.collecting = fork(collector.run, plan)

    async def supervise(self) -> None:
        """Start again what ended."""
        while True:
            if not self.world.is_up():
                await self.world.stop()
                self.found.restarts += 1
                self.world.start()
            if self.collecting is not None and not self.collecting.is_alive():
                await ended(self.collecting, signal.SIGKILL)
                self.found.restarts += 1
                self.collect()
            await asyncio.sleep(WATCH_S)

    async def watch_stops(self) -> None:
        """Note every position seen without a stop for longer than the guardian may take."""
        naked_since: dict[str, int] = {}
        while True:
            for person in self.world.people if self.is_watched else ():
                with suppress(OSError, AssertionError, ValueError):
                    position = await self.judge.position(person)
                    if is_protected(position):
                        naked_since.pop(person.uid, None)
                    elif self.now - naked_since.setdefault(person.uid, self.now) > 30_000:
                        self.problem(f"P5: uid {person.uid} has no stop for more than 30 s")
            await asyncio.sleep(WATCH_S)

    @property
    def judge(self) -> Judge:
        return Judge(self.world)

    def problem(self, said: str) -> None:
        if said not in self.found.problems:
            self.found.problems.append(said)

    # --- time ---------------------------------------------------------------------------------------------------------

    async def rest(self, seconds: float) -> None:
        """Let *seconds* of the deployment's time pass."""
        if self.is_long:
            await asyncio.sleep(seconds)
            return
        end = self.now + round(seconds * 1000)
        while self.now < end:
            self.ground.warp.jump(min(STEP_MS, end - self.now))
            await asyncio.sleep(STEP_REST_S)

    async def come(self, action: str) -> int:
        """Let the next boundary come, with the analyst saying *action*; its T."""
        self.ground.views.action = action
        t_ms = self.ground.next_t()
        if not self.is_long:
            self.ground.warp.jump_to(t_ms - BEFORE_T_MS)
        await eventually("T has come", lambda: self.now >= t_ms, 400)
        self.world.t_ms = t_ms
        return t_ms

    async def until(self, what: str, holds: Callable[[], Any], seconds: float = TRADED_S, *, jumps: bool = True) -> int:
        """Wait until *holds*, in short runs jumping a little whenever it does not; how long it took, in ms."""
        began, jumps = self.now, jumps and not self.is_long
        loop = asyncio.get_running_loop()
        since = loop.time()

        async def seen() -> bool:
            nonlocal since
            answer = await asyncio.to_thread(holds)
            if not answer and jumps and loop.time() - since > STEP_REST_S:
                since = loop.time()
                self.ground.warp.jump(2_000)
            return bool(answer)

        await eventually(what, seen, seconds if not self.is_long else 600)
        return self.now - began

    # --- what is asked ------------------------------------------------------------------------------------------------

    def is_fresh(self) -> bool:
        """Whether a whole window is stored that ends with the minute before now."""
        try:
            newest = self.store.newest(SYMBOL, "1m", 30)
        except Retry:
            return False
        return len(newest) == 30 and self.now - newest[-1].open_time < 2 * MINUTE_MS + 1_000

    def heard(self) -> dict[str, str]:
        """The status hash, empty while it cannot be read."""
        try:
            return self.store.status()
        except Retry:
            return {}

    def outcomes(self, t_ms: int) -> list[str]:
        rows = self.world.rows(sa.select(trade_logs).where(trade_logs.c.t_ms == t_ms))
        return [row["outcome"] for row in rows if row["status"] != "pending"]

    def served(self, t_ms: int) -> bool:
        """Whether everybody's cycle of *t_ms* has ended."""
        return len(self.outcomes(t_ms)) == len(self.world.people) and self.world.is_terminal()

    async def strip(self, person: Person) -> None:
        """Take a stop away by hand, and time how long it is missing; nothing for a position closed at that moment."""
        answer = await person.key.post("/v5/position/trading-stop", stopLoss="0", tpslMode="Full", positionIdx=0)
        if answer["retCode"] != 0:
            if Decimal((await self.judge.position(person))["size"]) == 0:
                return
            raise AssertionError(f"the stop could not be taken away: {answer}")
        stripped = self.now
        loop = asyncio.get_running_loop()
        give_up = loop.time() + (60 if self.is_long else 15)
        while not is_protected(await self.judge.position(person)):
            if loop.time() > give_up:
                self.problem(f"P5: a stop lost during the outage was not put back in {self.now - stripped} ms")
                return
            if not self.is_long:
                self.ground.warp.jump(1_000)
            await asyncio.sleep(STEP_REST_S)
        self.found.repaired_ms = self.now - stripped

    async def trade(self, action: str) -> int:
        """
        One ordinary boundary at which everybody trades; its T.

        Time runs as it does: a jump while an order is on its way is two seconds for which the process that sends it was
        frozen, and such an order may rightly not be sent any more.
        """
        t_ms = await self.come(action)
        await self.until(f"everybody was served at {t_ms}", lambda: self.served(t_ms), jumps=False)
        self.count(t_ms)
        wanted = "bought" if action == "buy" else "sold"
        if set(self.outcomes(t_ms)) - {wanted, "kept"}:
            self.problem(f"an ordinary cycle ended {self.outcomes(t_ms)}: {self.reasons(t_ms)}")
        return t_ms

    async def turning(self) -> str:
        """The action that makes the first person trade."""
        return "sell" if (await self.judge.position(self.world.people[0]))["side"] == "Buy" else "buy"

    def count(self, t_ms: int) -> None:
        for outcome in self.outcomes(t_ms):
            self.found.outcomes[outcome] = self.found.outcomes.get(outcome, 0) + 1

    def reasons(self, t_ms: int) -> list[str]:
        rows = self.world.rows(sa.select(trade_logs).where(trade_logs.c.t_ms == t_ms))
        return [str(row["error_message"] or row["reason"]) for row in rows]

    async def verdict(self) -> Found:
        """A last hold, so that the books are checked; then every promise."""
        t_ms = await self.come("hold")
        await self.until("the books are checked", lambda: self.served(t_ms) and self.world.checked(t_ms))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        status = await self.world.stop()
        if status:
            self.problem(f"the trader ended with {status}")
        for problem in await self.judge.look():
            self.problem(problem)
        for person in self.world.people:
            if Decimal((await self.judge.position(person))["size"]) == 0:
                self.problem(f"uid {person.uid} is flat after an ordinary cycle")
        return self.found


@asynccontextmanager
async def staged(ground: Ground, name: str, *, is_long: bool, **more: str) -> AsyncIterator[Stage]:
    """Everybody long with a stop, everything running, the next boundary minutes away; *more* is environment."""
    world = await built(ground)
    world.env |= {"STALE_AFTER_S": "75" if is_long else "5"} | more
    client = connect(ground.redis_url)
    stage = Stage(ground, world, Found(name), RedisCandleStore(client), is_long)
    try:
        t_ms = ground.next_t()
        ground.warp.jump_to(t_ms - 20_000)
        stage.collect()
        await eventually("candles are stored", stage.is_fresh, 60)
        world.start()
        await eventually("the trader is ready", lambda: "trader.reconciled" in world.said())
        stage.tasks += [asyncio.create_task(stage.supervise()), asyncio.create_task(stage.watch_stops())]
        await stage.trade("buy")
        yield stage
    finally:
        for task in stage.tasks:
            task.cancel()
        await asyncio.gather(*stage.tasks, return_exceptions=True)
        if stage.collecting is not None:
            await ended(stage.collecting, signal.SIGKILL)
        client.close()
        ground.net_cable.mend()
        ground.database_cable.mend()
        await world.end()
