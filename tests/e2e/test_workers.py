"""
A trader and two workers as real processes over MariaDB, Redis and the simulator; one is killed in its cycle.

Its accounts are the others' within the lease; every account is served in that T, none twice, none not at all, and the
exchange's own books are what judges.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Literal

import pytest
import pytest_asyncio

from lib.adapters.sql.tables.workers import account_leases, workers
from lib.domain.order import CYCLE_MS
from lib.trading.part import TTL_MS
from tests.torture import stores, trader
from tests.torture.failpoints import Trap
from tests.torture.ground import ended, eventually, fork, opened
from tests.torture.judge import Judge
from tests.worlds.killed import CYCLE_LAG_MS, World, built

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

PEOPLE = 6
BEFORE_T_MS = 75_000
"""When they start: long enough after the T before it for accounts to change hands."""
STEP_MS, STEP_S = 1_000, 0.15
RENEW_MS = 3_000
LATE_MS = 2 * RENEW_MS
"""Time goes fast, and waits for whoever was not heard of for longer: no lease of the living ends."""


class Crew:
    """Three processes over one world, each with an address of its own."""

    def __init__(self, world: World) -> None:
        self.world, self.warp = world, world.ground.warp
        self.processes: list[BaseProcess] = []

    def start(self, service: Literal["trader", "worker"], trap: Trap | None = None) -> None:
        number = len(self.processes)
        own = {"WORKER_ADDRESS": f"127.0.0.{10 + number}", "DATA_DIR": str(self.world.ground.folder / f"disk-{number}")}
        plan = self.world.plan(trap)
        plan = replace(plan, service=service, env={**plan.env, "WORKERS": "true", **own})
        self.processes.append(fork(trader.run, plan))

    async def until(self, what: str, holds: Callable[[], object], steps: int = 120) -> None:
        """Let time pass in steps until *holds*."""
        for _ in range(steps):
            if holds():
                return
            await asyncio.sleep(STEP_S)
            await eventually("all who live are heard of", self._are_heard)
            self.warp.jump(STEP_MS)
        raise AssertionError(f"never happened: {what}; {self.shares()}; {self.world.said()[-3000:]}")

    def _are_heard(self) -> bool:
        alive = sum(process.is_alive() for process in self.processes)
        newest = sorted(row["seen_ms"] for row in self.world.rows(workers) if row["holder"])[-alive:]
        return bool(min(newest) > self.warp.now_ms() - LATE_MS)

    def shares(self) -> Counter[str]:
        """How many accounts each process owns by leases that hold."""
        rows = self.world.rows(account_leases)
        return Counter(row["holder"] for row in rows if row["holder"] and row["until_ms"] > self.warp.now_ms())

    async def to_t(self) -> None:
        """The timetable's moment of the next T, by steps."""
        t_ms = self.world.t_ms
        await self.until("T comes", lambda: self.warp.now_ms() >= t_ms)
        await self.world.store_candles(t_ms)
        await self.until("the cycle's moment comes", lambda: self.warp.now_ms() >= t_ms + CYCLE_LAG_MS)


@pytest_asyncio.fixture
async def crew() -> AsyncIterator[Crew]:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; the workers did not run")
    async with opened() as ground:
        world = await built(ground, people=PEOPLE)
        world.t_ms = ground.warp.now_ms() // CYCLE_MS * CYCLE_MS + 2 * CYCLE_MS
        made = Crew(world)
        yield made
        for process in made.processes:
            await ended(process, signal.SIGKILL)
        await world.end()


async def test_what_a_worker_killed_in_its_cycle_owned_is_served_by_the_others_once_and_within_the_lease(
    crew: Crew,
) -> None:
    world, warp = crew.world, crew.warp
    warp.jump_to(world.t_ms - BEFORE_T_MS)
    crew.start("trader")
    for trap in (None, Trap("send.after", "kill")):  # the exchange has the order, and its row does not know
        crew.start("worker", trap)
    await eventually("three live", lambda: sum(bool(row["holder"]) for row in world.rows(workers)) == 3)
    await crew.until("each owns a third", lambda: sorted(crew.shares().values()) == [2, 2, 2], 50)
    await crew.to_t()
    await crew.until("one is killed", world.was_hit)
    killed_ms, owners = warp.now_ms(), {row["account_id"]: row["holder"] for row in world.rows(account_leases)}
    left = crew.shares()
    await crew.until("its accounts are the others'", lambda: sorted(crew.shares().values()) == [3, 3])
    taken_ms = warp.now_ms() - killed_ms
    await crew.until("everybody is served", lambda: world.logged(world.t_ms) and world.is_terminal())
    judge = Judge(world)
    assert await judge.look() == []
    assert judge.entries == PEOPLE
    [dead] = left.keys() - crew.shares().keys()
    moved = {row["account_id"] for row in world.rows(account_leases) if row["holder"] != owners[row["account_id"]]}
    assert moved == {account for account, holder in owners.items() if holder == dead}
    assert taken_ms <= TTL_MS + LATE_MS + 2 * STEP_MS
    assert world.ground.views.asked == 1
    assert [await ended(process, signal.SIGTERM) for process in crew.processes[:2]] == [0, 0]
    crew.processes = crew.processes[2:]
    assert not crew.shares()
    assert [row["holder"] for row in world.rows(workers) if row["holder"]] == [dead]
