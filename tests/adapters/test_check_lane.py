"""The key checks' lane on a real Redis: small, behind the traders, closed when in doubt. Nobody sleeps here."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis
import redis.asyncio

from lib.adapters.bybit.limits.turnstile import Answer, Ask
from lib.adapters.redis.check_lane import CHECKS_A_SECOND, PATIENCE_MS, CheckLane
from lib.adapters.redis.connection import connect, connect_async
from lib.adapters.redis.limiter import RedisBudget, RedisLimits, budget_key
from lib.clock import SystemClock
from lib.domain.errors import Retry
from lib.ports.exchange import BudgetAway, Lane, NotNow

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PAPER, BYBIT, DEMO = "http://127.0.0.1:18700", "https://api.bybit.com", "https://api-demo.bybit.com"
READ = "/v5/order/realtime"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A Redis nobody has called by yet; its pace is not that of an empty one, which begins slowly."""
    client = connect(redis_url)
    client.flushdb()
    for family in ("bybit", "127.0.0.1:18700"):
        client.set(budget_key(family, "pace"), 0)
    yield client
    client.close()


@pytest.fixture
async def shared(redis_url: str, client: redis.Redis) -> AsyncIterator[redis.asyncio.Redis]:
    """The same Redis as the traders speak to it."""
    mine = connect_async(redis_url)
    yield mine
    await mine.aclose()


def impatient(client: redis.Redis) -> tuple[CheckLane, list[float]]:
    """A lane that does not wait, and what it would have waited (seconds)."""
    pauses: list[float] = []
    return CheckLane(client, pause=pauses.append), pauses


def granted(lane: CheckLane, url: str, tries: int) -> int:
    """How many of *tries* calls found a place."""
    count = 0
    for _ in range(tries):
        try:
            lane.heed(url)
        except NotNow:
            continue
        count += 1
    return count


def second_of(client: redis.Redis) -> int:
    return int(client.time()[0])


def test_a_flood_of_several_processes_gets_a_few_calls_a_second(client: redis.Redis) -> None:
    began = second_of(client)
    lanes = [impatient(client)[0] for _ in range(3)]
    found = sum(granted(lane, BYBIT, 60) for lane in lanes)
    seconds = second_of(client) - began + 1
    assert CHECKS_A_SECOND <= found <= CHECKS_A_SECOND * (seconds + 1)
    assert client.llen(budget_key("bybit", "calls")) == found, "counted where the traders' calls are"


def test_hosts_that_count_together_share_the_lane_and_others_have_their_own(client: redis.Redis) -> None:
    lane, _ = impatient(client)
    began = second_of(client)
    together = granted(lane, BYBIT, 40) + granted(lane, DEMO, 40)
    assert together <= CHECKS_A_SECOND * (second_of(client) - began + 2)
    lane.heed(PAPER)


def test_a_call_waits_for_its_place_but_not_for_ever(client: redis.Redis) -> None:
    lane, pauses = impatient(client)
    client.set(budget_key("bybit", "checks:closed"), "1", px=3_000)
    with pytest.raises(NotNow, match="budget_full"):
        lane.heed(BYBIT)
    assert 0 < max(pauses) <= 3
    assert sum(pauses) <= PATIENCE_MS / 1000


async def test_the_traders_do_not_notice_a_flood(client: redis.Redis, shared: redis.asyncio.Redis) -> None:
    granted(impatient(client)[0], BYBIT, 200)
    budget = RedisBudget(shared, SystemClock(), "bybit")
    lanes: list[Lane] = ["guard", "guard", "guard", "trade", "trade"]
    assert await budget.take([Ask(f"u{n}", READ, lane) for n, lane in enumerate(lanes)]) == [Answer()] * len(lanes)


async def test_what_the_traders_fill_is_not_taken_from_them(client: redis.Redis, shared: redis.asyncio.Redis) -> None:
    now_us = int(client.time()[0]) * 1_000_000
    client.rpush(budget_key("bybit", "calls"), *[str(now_us)] * 352)
    assert granted(impatient(client)[0], BYBIT, 5) == 0
    assert await RedisBudget(shared, SystemClock(), "bybit").take([Ask("u", READ, "resolve")]) == [Answer()]


@pytest.mark.enable_socket
def test_without_redis_no_key_is_checked() -> None:
    lane = CheckLane(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(BudgetAway, match="budget_away"):
        lane.heed(BYBIT)


async def test_what_a_trader_met_a_check_heeds_and_not_the_other_way(
    client: redis.Redis, shared: redis.asyncio.Redis
) -> None:
    lane, other = impatient(client)[0], impatient(client)[0]
    lane.met(BYBIT)
    with pytest.raises(Retry, match="address_blocked"):
        lane.heed(BYBIT)
    other.heed(BYBIT)
    limits = RedisLimits(shared, SystemClock())
    await limits.at(BYBIT).admit("a", READ, lane="guard")
    limits.at(DEMO).banned()
    await limits.told()
    with pytest.raises(Retry, match="address_blocked"):
        other.heed(BYBIT)
    client.flushdb()
    with pytest.raises(Retry, match="address_blocked"):
        other.heed(BYBIT)  # heard once is enough
