"""
A process that calls as much as the limiter lets it, for tests of several: `python -m tests.hammer REDIS_URL SECONDS`.

Prints each admission as "lane epoch-ms"; what is refused is tried again at once.
"""

import asyncio
import sys
from typing import get_args

from lib.adapters.redis.connection import connect_async
from lib.adapters.redis.limiter import RedisLimits
from lib.clock import SystemClock
from lib.domain.errors import Retry
from lib.ports.exchange import Lane

URL = "http://127.0.0.1:18700"
TASKS = 12


async def hammer(redis_url: str, seconds: float) -> None:
    """Call until *seconds* have passed."""
    clock = SystemClock()
    client = connect_async(redis_url)
    limiter = RedisLimits(client, clock).at(URL)
    until = clock.now_ms() + round(seconds * 1000)
    admitted: list[tuple[Lane, int]] = []

    async def call(number: int, lane: Lane) -> None:
        while clock.now_ms() < until:
            try:
                await limiter.admit(f"a{number}", "/v5/order/realtime", lane=lane, max_wait_s=0.5)
            except Retry:
                await asyncio.sleep(0.01)
                continue
            admitted.append((lane, clock.now_ms()))
            limiter.finished(lane)
            if lane == "guard":
                await asyncio.sleep(0.2)

    lanes: list[Lane] = [*(lane for lane in get_args(Lane) if lane != "guard"), "trade", "trade"]
    await asyncio.gather(call(99, "guard"), *(call(n, lanes[n % len(lanes)]) for n in range(TASKS)))
    await client.aclose()
    sys.stdout.write("".join(f"{lane} {at_ms}\n" for lane, at_ms in admitted))


if __name__ == "__main__":
    asyncio.run(hammer(sys.argv[1], float(sys.argv[2])))
