"""The shared limiter on a real redis-server: several processes, flushes, outages, bans, clocks."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import redis.asyncio

from lib.adapters.bybit.limits.limiter import Limiter
from lib.adapters.bybit.limits.turnstile import Ask
from lib.adapters.bybit.limits.window import BAN_MS
from lib.adapters.redis import embedded
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import (
    AWAY,
    AWAY_MS,
    LANE_CALLS,
    LONGEST_PACE_MS,
    PACE_MS,
    RESERVED,
    SHARED,
    RedisBudget,
    RedisLimits,
    budget_key,
)
from lib.clock import SteppedClock, SystemClock
from lib.domain.errors import Retry
from lib.ports.exchange import Lane
from tests.factories import T

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PAPER, BYBIT, DEMO = "http://127.0.0.1:18700", "https://api.bybit.com", "https://api-demo.bybit.com"
READ, CREATE = "/v5/order/realtime", "/v5/order/create"
VENUE_LIMIT, WINDOW_MS = 600, 5_000


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """An empty Redis."""
    client = connect_async(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


async def hammered(redis_url: str, processes: int, seconds: float) -> list[tuple[str, int]]:
    """Every admission of *processes* that call all they can, by time."""
    command = (sys.executable, "-m", "tests.hammer", redis_url, str(seconds))
    root = Path(__file__).parents[2]
    started = [
        await asyncio.create_subprocess_exec(*command, cwd=root, stdout=asyncio.subprocess.PIPE)
        for _ in range(processes)
    ]
    outputs = [(await process.communicate())[0].decode().split("\n") for process in started]
    found = [line.split() for output in outputs for line in output if line]
    return sorted(((lane, int(at_ms)) for lane, at_ms in found), key=lambda call: call[1])


def peak(times: list[int]) -> int:
    """The most that fell into any window of the venue's."""
    return max(sum(first <= at < first + WINDOW_MS for at in times) for first in times)


async def test_three_processes_together_stay_within_eighty_per_cent(redis_url: str, client: object) -> None:
    calls = await hammered(redis_url, 3, 6.5)
    times = [at for _, at in calls]
    assert SHARED * 0.8 <= peak(times) <= SHARED + 3 * RESERVED
    per_second = len([at for lane, at in calls if lane == "resolve"])
    assert per_second < len([at for lane, at in calls if lane == "trade"]) / 4  # a lane that waits keeps the next out
    guards = [at for lane, at in calls if lane == "guard"]
    assert len(guards) > 3 * 6.5 * 3  # five a second each are wanted, and nobody is before them


async def test_a_redis_flushed_all_the_time_never_lets_the_venues_limit_be_met(
    redis_url: str, client: redis.asyncio.Redis
) -> None:
    hammering = asyncio.create_task(hammered(redis_url, 2, 5.8))
    while not hammering.done():
        await client.flushall()
        await asyncio.sleep(0.4)
    times = [at for _, at in await hammering]
    assert SHARED * 0.8 <= peak(times) < VENUE_LIMIT


async def admitted(limiter: Limiter, count: int, lane: Lane) -> int:
    """How many of *count* calls of as many accounts are admitted within 50 ms."""
    calls = (limiter.admit(f"u{n}", READ, lane=lane, max_wait_s=0.05) for n in range(count))
    done = await asyncio.gather(*calls, return_exceptions=True)
    return sum(result is None for result in done)


async def test_without_redis_only_the_guard_calls_and_only_from_its_reserve(tmp_path: Path) -> None:
    client = connect_async(f"unix://{tmp_path}/nobody.sock")
    limiter = RedisLimits(client, SystemClock()).at(PAPER)
    with pytest.raises(Retry, match=AWAY.code):
        await limiter.admit("a", READ)
    with pytest.raises(Retry, match=AWAY.code):
        await limiter.admit("a", CREATE, urgent=True, max_wait_s=2)
    with pytest.raises(Retry, match=AWAY.code):
        await limiter.admit("a", READ, lane="resolve")
    assert await admitted(limiter, 30, "guard") == RESERVED
    await client.aclose()


async def test_a_guards_turn_in_the_pace_is_no_full_address_and_leaves_its_reserve_for_one(
    client: redis.asyncio.Redis,
) -> None:
    budget, asks = RedisBudget(client, SteppedClock(T), "x"), [Ask(f"u{n}", READ, "guard") for n in range(30)]
    paced = [answer.wait_ms for answer in await budget.take(asks)]
    assert 0 < max(paced) <= LONGEST_PACE_MS  # whoever waits longer holds up every lane of the process
    seconds, micros = await client.time()
    await client.rpush(budget_key("x", "calls"), *[seconds * 1_000_000 + micros] * SHARED)
    held_up = [answer.wait_ms for answer in await budget.take(asks)]
    assert held_up.count(0) == RESERVED
    assert min(filter(None, held_up)) > 1_000


async def test_a_redis_that_dies_and_comes_back_is_used_again_without_a_hand(tmp_path: Path) -> None:
    server = embedded.ensure(tmp_path)
    clock = SteppedClock(T)
    client = connect_async(server.url)
    budget = RedisBudget(client, clock, "x")
    ask = [Ask("a", READ, "trade")]
    assert (await budget.take(ask))[0].refusal is None
    assert server.process
    server.process.kill()
    server.process.wait()
    assert (await budget.take(ask))[0].refusal is not None
    server = embedded.ensure(tmp_path)
    assert (await budget.take(ask))[0].refusal is not None  # not asked again so soon
    clock.advance_to(T + AWAY_MS)
    assert (await budget.take(ask))[0].refusal is None
    await client.aclose()
    server.stop()


async def test_a_lost_script_is_loaded_again(client: redis.asyncio.Redis) -> None:
    limits = RedisLimits(client, SystemClock())
    limiter = limits.at(PAPER)
    await limiter.admit("a", READ)
    await client.script_flush()
    await limiter.admit("a", READ)
    limiter.banned()
    await client.script_flush()
    with pytest.raises(Retry, match="address_blocked"):
        await limiter.admit("a", READ)
    await limits.told()


async def test_a_ban_met_by_one_process_holds_for_another_and_one_started_later(client: redis.asyncio.Redis) -> None:
    first, second = RedisLimits(client, SystemClock()), RedisLimits(client, SystemClock())
    await second.at(DEMO).admit("b", READ)
    first.at(BYBIT).banned()
    with pytest.raises(Retry):
        await first.at(BYBIT).admit("a", READ)
    await first.told()
    for limits in (second, RedisLimits(client, SystemClock())):
        with pytest.raises(Retry, match=r"address_blocked seconds=[56]\d\d"):
            await limits.at(DEMO).admit("b", READ, lane="guard")
        await limits.at(PAPER).admit("c", READ)  # another address is not meant


async def test_each_address_has_a_budget_of_its_own_and_processes_at_one_share_it(client: redis.asyncio.Redis) -> None:
    first, other, none = (RedisLimits(client, SystemClock(), address) for address in ("10.0.0.7", "10.0.0.8", ""))
    first.at(BYBIT).banned()
    await first.told()
    with pytest.raises(Retry, match="address_blocked"):
        await RedisLimits(client, SystemClock(), "10.0.0.7").at(DEMO).admit("a", READ)
    for limits in (other, none):
        await limits.at(BYBIT).admit("a", READ)
    found = cast("list[bytes]", await client.keys("limit:*"))
    names = {key.decode().partition("}")[0] for key in found}
    assert names == {"limit:{bybit@10.0.0.7", "limit:{bybit@10.0.0.8", "limit:{bybit"}


async def test_a_ban_is_told_again_to_a_redis_that_was_away(client: redis.asyncio.Redis) -> None:
    clock = SteppedClock(T)
    budget = RedisBudget(client, clock, "x")
    other = RedisBudget(client, SteppedClock(T), "x")
    await client.client_pause(1_500, all=True)
    budget.close_all()
    await budget.tell()  # times out
    clock.advance_to(T + AWAY_MS)
    assert (await budget.take([Ask("a", READ, "guard")]))[0].refusal is not None
    answer = (await other.take([Ask("b", READ, "guard")]))[0]
    assert "address_blocked" in str(answer.refusal)
    assert 0 < await client.pttl("limit:{x}:ban") <= BAN_MS


async def test_a_throttled_endpoint_holds_for_the_other_process_too(client: redis.asyncio.Redis) -> None:
    first, second = (RedisBudget(client, SteppedClock(T), "x") for _ in range(2))
    first.close_endpoint("a", CREATE, 3_000)
    await first.tell()
    answer = (await second.take([Ask("a", CREATE, "trade"), Ask("b", CREATE, "trade")]))[0]
    assert answer.own
    assert 2_000 < answer.wait_ms <= 3_000


@pytest.mark.parametrize("years", [-1, 1])
async def test_counters_from_another_time_hold_nobody_up(client: redis.asyncio.Redis, years: int) -> None:
    seconds, micros = await client.time()
    elsewhere = (seconds + years * 31_536_000) * 1_000_000 + micros
    for key in ("limit:{x}:calls", f"limit:{{x}}:a:{READ}"):
        await client.rpush(key, *[elsewhere] * SHARED)
    await client.set("limit:{x}:pace", elsewhere)
    budget = RedisBudget(client, SystemClock(), "x")
    assert (await budget.take([Ask("a", READ, "trade")]))[0].wait_ms <= 2 * PACE_MS


@pytest.mark.parametrize(("lane", "before"), [("resolve", "trade"), ("trade", "guard")])
async def test_each_lane_leaves_room_for_the_one_before_it(
    client: redis.asyncio.Redis, lane: Lane, before: Lane
) -> None:
    seconds, micros = await client.time()
    await client.rpush("limit:{x}:calls", *[seconds * 1_000_000 + micros] * LANE_CALLS[lane])
    budget = RedisBudget(client, SteppedClock(T), "x")
    await client.set("limit:{x}:pace", seconds * 1_000_000)
    held, goes = await budget.take([Ask("u", READ, lane), Ask("v", READ, before)])
    assert 4_000 < held.wait_ms <= WINDOW_MS
    assert not goes.wait_ms
