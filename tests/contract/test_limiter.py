"""One contract for every limiter: in one process by a stepped clock, and through a real Redis by the real one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from lib.adapters.bybit.limits.limiter import Limits, LocalLimiter
from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.clock import Clock, SteppedClock, SystemClock
from lib.domain.errors import Retry
from lib.ports.exchange import Lane
from tests.factories import T

PAPER, BYBIT = "http://127.0.0.1:18700", "https://api.bybit.com"
CREATE, READ = "/v5/order/create", "/v5/order/realtime"
TOLERANCE_MS = 250
"""How late a real clock may wake anybody on a busy machine, before it counts against a limit: never early."""


@dataclass
class Made:
    """Limits under test and the clock they wait by."""

    limits: Limits
    clock: Clock

    async def call(self, account: str, path: str, lane: Lane = "trade") -> int:
        """Make a call; when it was admitted, epoch ms."""
        await self.limits.at(PAPER).admit(account, path, lane=lane)
        return self.clock.now_ms()


@pytest.fixture(params=["local", pytest.param("redis", marks=[pytest.mark.server, pytest.mark.enable_socket])])
async def made(request: pytest.FixtureRequest) -> AsyncIterator[Made]:
    """Each implementation, nothing counted yet."""
    if request.param == "local":
        clock = SteppedClock(T)
        yield Made(LocalLimiter(clock), clock)
        return
    client = connect_async(request.getfixturevalue("redis_url"))
    await client.flushdb()
    limits = RedisLimits(client, SystemClock())
    yield Made(limits, SystemClock())
    await limits.told()
    await client.aclose()


async def test_an_account_makes_eight_creates_in_any_second(made: Made) -> None:
    times = sorted(await asyncio.gather(*(made.call("a", CREATE) for _ in range(18))))
    assert all(later - first >= 1_000 - TOLERANCE_MS for first, later in zip(times, times[8:], strict=False))
    assert 2_000 - TOLERANCE_MS <= times[-1] - times[0] <= 4_000


async def test_one_accounts_queue_does_not_delay_another(made: Made) -> None:
    queue = [asyncio.create_task(made.call("a", CREATE)) for _ in range(16)]
    began = await made.call("b", READ)
    alone = await made.call("b", CREATE)
    assert alone - began < 500
    assert not queue[-1].done()
    await asyncio.gather(*queue)
    assert await queue[-1] > alone


async def test_a_call_that_cannot_be_made_in_time_is_retry(made: Made) -> None:
    made.limits.at(PAPER).throttled("a", CREATE, 5_000)
    with pytest.raises(Retry, match="too_many_calls"):
        await made.limits.at(PAPER).admit("a", CREATE, max_wait_s=0.3)
    await made.call("a", READ)


async def test_an_endpoint_opens_again_when_the_venue_said(made: Made) -> None:
    began = made.clock.now_ms()
    made.limits.at(PAPER).throttled("a", CREATE, 400)
    await made.limits.at(PAPER).admit("b", CREATE, max_wait_s=0.3)  # another account does not wait
    assert await made.call("a", CREATE) - began >= 400


@pytest.mark.parametrize("lane", ["guard", "trade", "resolve"])
async def test_a_ban_stops_every_lane_of_that_address(made: Made, lane: Lane) -> None:
    limiter = made.limits.at(PAPER)
    limiter.banned()
    with pytest.raises(Retry, match="address_blocked"):
        await limiter.admit("a", READ, lane=lane)
    with pytest.raises(Retry, match="address_blocked"):
        await limiter.admit("", "/v5/market/time", lane=lane)
