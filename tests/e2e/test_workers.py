"""
A trader and two workers as real processes over MariaDB, Redis and the simulator; one is killed in its cycle.

Its accounts are the others' within the lease; every account is served in that T, none twice, none not at all, and the
exchange's own books are what judges. Where it is killed there is nothing between a claim and the exchange: an order
claimed and never sent is proved absent, and that is no entry, rightly. Time is skipped only before T, and waits for
whoever is behind; from T on it is the machine's, because a second skipped between a signature and its claim is a
refusal, and one skipped while an order is under way makes it too old.
"""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any, Literal

import pytest
import pytest_asyncio

from lib.adapters.sql.tables.trading import orders, trade_logs
from lib.adapters.sql.tables.workers import account_leases, workers
from lib.domain.order import CYCLE_MS
from lib.trading.part import TTL_MS
from tests.torture import stores, trader
from tests.torture.failpoints import Trap
from tests.torture.ground import ended, eventually, fork, opened
from tests.torture.judge import Judge
from tests.worlds.killed import World, built

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

PEOPLE = 6
SHARE = PEOPLE // 3
BEFORE_T_MS = 75_000
"""When they start: long enough after the T before it for accounts to change hands."""
RENEW_MS = 3_000
"""How often each renews, and so the step in which time is skipped."""
BEHIND_MS = 5_000
"""How much later than its timetable a process on a busy machine may take an account over."""
LONG_S = 90.0
"""No entry is made later, however slow the machine: what has not happened by then does not."""


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

    async def until(self, what: str, holds: Callable[[], Any]) -> None:
        """Wait until *holds*; a failure says what became of each account."""
        try:
            await eventually(what, holds, LONG_S)
        except AssertionError as never:
            raise AssertionError(f"{never}\n{self.fates()}") from None

    async def skip_to(self, at_ms: int, holds: Callable[[], object] | None = None) -> None:
        """Let time pass until *at_ms*, or until *holds*, by steps: after each, all who live renew what they own."""
        while self.warp.now_ms() < at_ms and not (holds is not None and holds()):
            self.warp.jump(min(RENEW_MS, at_ms - self.warp.now_ms()))
            if self.warp.now_ms() < at_ms:
                await self.until("all who live are heard of", partial(self._are_heard_since, self.warp.now_ms()))

    def _are_heard_since(self, at_ms: int) -> bool:
        alive = sum(process.is_alive() for process in self.processes)
        return alive == sum(bool(row["holder"] and row["seen_ms"] >= at_ms) for row in self.world.rows(workers))

    def shares(self) -> Counter[str]:
        """How many accounts each process owns by leases that hold."""
        rows = self.world.rows(account_leases)
        return Counter(row["holder"] for row in rows if row["holder"] and row["until_ms"] > self.warp.now_ms())

    def is_shared(self, *parts: int) -> bool:
        return sorted(self.shares().values()) == list(parts)

    def fates(self) -> str:
        """What became of each account, who owns it, and the last of what the processes wrote."""
        world, told = self.world, []
        for row in world.rows(account_leases):
            told.append(f"account {row['account_id']}: {row['holder']}, epoch {row['epoch']}")
        for row in world.rows(trade_logs):
            why = f"{row['status']}, {row['planned_outcome']} -> {row['outcome']}: {row['error_message']}"
            told.append(f"account {row['account_id']} logged {row['t_ms'] - world.t_ms:+} ms of T: {why}")
        for row in world.rows(orders):
            sent = f"{row['attempts']} sent, signed {(row['signed_ts'] or 0) - world.t_ms} ms after T"
            told.append(
                f"account {row['account_id']} ordered {row['order_link_id']}: {row['state']}, {sent}: {row['why']}"
            )
        return "\n".join([f"{self.warp.now_ms() - world.t_ms} ms after T", *told, world.said()[-6000:]])


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


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(Trap("claim.before", "kill"), id="before it claimed anything"),
        pytest.param(Trap("send.after", "kill", SHARE), id="the exchange has its orders, and not every row knows"),
    ],
)
async def test_what_a_worker_killed_in_its_cycle_owned_is_served_by_the_others_once_and_within_the_lease(
    crew: Crew, trap: Trap
) -> None:
    world, warp = crew.world, crew.warp
    warp.jump_to(world.t_ms - BEFORE_T_MS)
    crew.start("trader")
    crew.start("worker")
    crew.start("worker", trap)
    await crew.until("three live", lambda: sum(bool(row["holder"]) for row in world.rows(workers)) == 3)
    await crew.skip_to(world.t_ms, lambda: crew.is_shared(SHARE, SHARE, SHARE))
    assert crew.is_shared(SHARE, SHARE, SHARE), crew.fates()
    await crew.skip_to(world.t_ms)
    await world.store_candles(world.t_ms)
    await crew.until("one is killed", lambda: world.was_hit() and not crew.processes[2].is_alive())
    killed_ms, owners = warp.now_ms(), {row["account_id"]: row["holder"] for row in world.rows(account_leases)}
    [dead] = [row["holder"] for row in world.rows(workers) if row["address"] == "127.0.0.12"]
    await crew.until("its accounts are the others'", lambda: crew.is_shared(PEOPLE // 2, PEOPLE // 2))
    taken_ms = warp.now_ms() - killed_ms
    await crew.until("everybody is served", lambda: world.logged(world.t_ms) and world.is_terminal())
    judge = Judge(world)
    assert await judge.look() == [], crew.fates()
    assert judge.entries == PEOPLE, crew.fates()
    assert dead not in crew.shares()
    moved = {row["account_id"] for row in world.rows(account_leases) if row["holder"] != owners[row["account_id"]]}
    assert moved == {account for account, holder in owners.items() if holder == dead}
    assert taken_ms <= TTL_MS + RENEW_MS + BEHIND_MS
    assert world.ground.views.asked == 1
    assert [await ended(process, signal.SIGTERM) for process in crew.processes[:2]] == [0, 0]
    crew.processes = crew.processes[2:]
    assert not crew.shares()
    assert [row["holder"] for row in world.rows(workers) if row["holder"]] == [dead]
