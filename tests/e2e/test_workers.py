"""
A trader and two workers as real processes over MariaDB, Redis and the simulator; one is killed in its cycle.

Its accounts are the others' within the lease; every account is served in that T, none twice, none not at all, and the
exchange's own books are what judges. Where it is killed there is nothing between a claim and the exchange: an order
claimed and never sent is proved absent, and that is no entry, rightly. Time is skipped only before T, and waits for
whoever is behind; from T on it is the machine's (`tests.torture.crew`).
"""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lib.adapters.sql.tables.workers import account_leases, workers
from lib.domain.order import CYCLE_MS
from lib.trading.part import TTL_MS
from tests.torture import stores
from tests.torture.crew import RENEW_MS, Crew
from tests.torture.failpoints import Trap
from tests.torture.ground import ended, opened
from tests.torture.judge import Judge
from tests.worlds.killed import built

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

PEOPLE = 6
SHARE = PEOPLE // 3
BEFORE_T_MS = 75_000
"""When they start: long enough after the T before it for accounts to change hands."""
BEHIND_MS = 5_000
"""How much later than its timetable a process on a busy machine may take an account over."""


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
