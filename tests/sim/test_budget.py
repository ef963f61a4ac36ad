"""The simulation's Redis against a real one: the same calls get the same answers, to the microsecond."""

import random
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from lib.adapters.bybit.limits.limiter import IP_WINDOW_MS
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import LANE_BURST, LANE_CALLS, PACE_MS, SHARED
from lib.adapters.redis.scripts import CLOSE_CALLS, TAKE_CALLS
from tests.factories import T
from tests.sim.budget import BudgetServer
from tests.sim.temper import CREATE

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

BY_TOLD_TIME = TAKE_CALLS.replace("redis.call('TIME')", "redis.call('LRANGE', 'told', 0, 1)")
"""The script by a time it is told. Keys still expire by the real clock, so the moments tried lie within their lives."""
LANES = tuple(LANE_CALLS)


class Told:
    """A time that is told."""

    def __init__(self) -> None:
        self.ms = T

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """An empty Redis."""
    client = connect_async(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


def asked(rng: random.Random) -> tuple[list[str], list[int]]:
    """Keys and arguments as the limiter would send them, for one to eight calls."""
    keys = ["limit:{x}:calls", "limit:{x}:pace", "limit:{x}:ban"]
    args = [IP_WINDOW_MS * 1000, PACE_MS * 1000, SHARED, LANE_BURST["guard"], 1_000_000]
    for _ in range(rng.randint(1, 8)):
        lane, uid = rng.choice(LANES), rng.randint(1, 3)
        keys += [f"limit:{{x}}:paper:{uid}:{CREATE}", f"limit:{{x}}:paper:{uid}:{CREATE}:closed"]
        args += [LANE_CALLS[lane], LANE_BURST[lane], rng.choice((0, 4, 8))]
    return keys, args


@pytest.mark.parametrize("seed", range(3))
async def test_the_model_answers_as_the_script_does(client: redis.asyncio.Redis, seed: int) -> None:
    rng, time = random.Random(seed), Told()
    server, take = BudgetServer(time), client.register_script(BY_TOLD_TIME)
    waits = 0
    for _ in range(400):
        # back at times: Redis' clock may jump
        time.ms += rng.choice((0, 0, 1, 7, 10, 25, -3, 60))
        await client.delete("told")
        await client.rpush("told", time.ms // 1000, time.ms % 1000 * 1000)
        keys, args = asked(rng)
        found = server.take_calls(keys, args)
        assert found == await take(keys=keys, args=args)
        waits += sum(wait != 0 for wait in found)
    assert waits > 300


async def test_a_ban_stands_as_long_as_the_script_lets_it(client: redis.asyncio.Redis) -> None:
    time = Told()
    server, close = BudgetServer(time), client.register_script(CLOSE_CALLS)
    for ms in (500_000, 600_000, 1_000):
        server.close_calls(["limit:{x}:ban"], [ms])
        await close(keys=["limit:{x}:ban"], args=[ms])
    keys, args = asked(random.Random(0))
    left = (await client.register_script(TAKE_CALLS)(keys=keys, args=args))[0]
    assert server.take_calls(keys, args) == [600_000]
    assert 595_000 < left <= 600_000
    time.ms += 600_001
    assert server.take_calls(keys, args)[0] == 0


async def test_what_expires_is_forgotten_and_a_flush_forgets_all_but_the_grants() -> None:
    time = Told()
    server = BudgetServer(time)
    keys = [f"limit:{{x}}:{name}" for name in ("calls", "pace", "ban", f"paper:7:{CREATE}", f"paper:7:{CREATE}:closed")]
    args = [5_000_000, 10_000, SHARED, LANE_BURST["guard"], 1_000_000, LANE_CALLS["trade"], LANE_BURST["trade"], 2]
    # an empty Redis begins without a burst
    assert server.take_calls(keys, args)[1] > 0
    time.ms += 200
    assert [server.take_calls(keys, args)[1] for _ in range(2)] == [0, 0]
    assert server.take_calls(keys, args)[1] == -1_000_000
    server.flush()
    assert server.take_calls(keys, args)[1] > 0
    assert [server.use_grant(7, time.ms - 1) for _ in range(3)] == [True, True, False]
