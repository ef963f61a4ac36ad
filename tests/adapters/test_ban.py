"""HTTP 403: who meets it is silent for ten minutes, and when a trader did, so is everybody on this Redis."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis
import redis.asyncio

from lib.adapters.bybit.limits.ban import OwnBan
from lib.adapters.bybit.limits.window import BAN_MS
from lib.adapters.redis.ban import TradersBan
from lib.adapters.redis.connection import connect, connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.clock import SteppedClock, SystemClock
from lib.domain.errors import Retry
from tests.factories import T

PAPER, BYBIT, DEMO = "http://127.0.0.1:18700", "https://api.bybit.com", "https://api-demo.bybit.com"
READ = "/v5/order/realtime"


def test_a_ban_is_ten_minutes_of_one_family_and_no_other() -> None:
    clock = SteppedClock(T)
    ban = OwnBan(clock)
    ban.heed(BYBIT)
    ban.met(BYBIT)
    for url in (BYBIT, DEMO):
        with pytest.raises(Retry, match="address_blocked seconds=600"):
            ban.heed(url)
    ban.heed(PAPER)
    clock.advance_to(T + BAN_MS - 1)
    with pytest.raises(Retry, match="address_blocked seconds=1"):
        ban.heed(BYBIT)
    clock.advance_to(T + BAN_MS)
    ban.heed(BYBIT)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
async def traders(redis_url: str, client: redis.Redis) -> AsyncIterator[RedisLimits]:
    """The traders' request budget on the same Redis."""
    mine = connect_async(redis_url)
    limits = RedisLimits(mine, SystemClock())
    yield limits
    await limits.told()
    await mine.aclose()


@pytest.mark.server
@pytest.mark.enable_socket
async def test_what_a_key_check_meets_keeps_no_trader_from_the_venue(client: redis.Redis, traders: RedisLimits) -> None:
    ban = TradersBan(client)
    ban.met(BYBIT)
    with pytest.raises(Retry, match="address_blocked"):
        ban.heed(BYBIT)
    await traders.at(BYBIT).admit("a", READ, lane="guard")
    TradersBan(client).heed(BYBIT)


@pytest.mark.server
@pytest.mark.enable_socket
async def test_what_a_trader_meets_everybody_heeds(client: redis.Redis, traders: RedisLimits) -> None:
    ban = TradersBan(client)
    ban.heed(BYBIT)
    traders.at(DEMO).banned()
    await traders.told()
    with pytest.raises(Retry, match="address_blocked"):
        ban.heed(BYBIT)
    client.flushdb()
    with pytest.raises(Retry, match="address_blocked"):
        ban.heed(BYBIT)  # heard once is enough
    ban.heed(PAPER)


@pytest.mark.enable_socket
def test_with_redis_away_each_keeps_to_what_it_knows() -> None:
    away = connect("redis://127.0.0.1:1/0")
    ban = TradersBan(away)
    ban.heed(BYBIT)
    ban.met(BYBIT)
    with pytest.raises(Retry, match="address_blocked"):
        ban.heed(BYBIT)
