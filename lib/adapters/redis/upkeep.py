"""
The system's health over a day, and the use of the request budget, in Redis: `lib.ports.upkeep`.

The ring is a list of short lines, newest first. It may be lost with the rest of Redis: nothing is decided from it.
"""

from collections.abc import Iterable
from typing import cast

import redis

from lib.adapters.bybit.limits.limiter import IP_WINDOW_MS
from lib.adapters.redis.connection import translated
from lib.adapters.redis.limiter import SHARED, budget_key, budget_of
from lib.domain.health import KEPT, PARTS, STATES, HealthPoint, State
from lib.ports.upkeep import BudgetReading, BudgetUse, HealthRing

RING_KEY = "health:points"


class RedisHealthRing(HealthRing):
    """`lib.ports.upkeep.HealthRing`; safe for many threads."""

    def __init__(self, client: redis.Redis, *, kept: int = KEPT) -> None:
        self._client = client
        self._kept = kept

    def add(self, point: HealthPoint) -> None:
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.lpush(RING_KEY, _line(point))
            pipe.ltrim(RING_KEY, 0, self._kept - 1)
            pipe.execute()

    def points(self) -> list[HealthPoint]:
        with translated():
            raw = cast("list[bytes]", self._client.lrange(RING_KEY, 0, self._kept - 1))
        found = (_point(line.decode(errors="replace")) for line in reversed(raw))
        return [point for point in found if point is not None]


class RedisBudgetReading(BudgetReading):
    """`lib.ports.upkeep.BudgetReading` of what is called at *urls* from *address*."""

    def __init__(self, client: redis.Redis, urls: Iterable[str], address: str = "") -> None:
        self._client = client
        self._budgets = tuple(dict.fromkeys(budget_of(url, address) for url in urls))

    def uses(self) -> list[BudgetUse]:
        return [self._use(budget) for budget in self._budgets]

    def _use(self, budget: str) -> BudgetUse:
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.lrange(budget_key(budget, "calls"), 0, -1)
            pipe.pttl(budget_key(budget, "ban"))
            (seconds, micros), stamps, ban = pipe.execute()
        since = seconds * 1_000_000 + micros - IP_WINDOW_MS * 1000
        used = sum(stamp.isdigit() and int(stamp) > since for stamp in stamps)
        return BudgetUse(budget, used, SHARED, IP_WINDOW_MS, max(0, ban))


def _line(point: HealthPoint) -> str:
    return f"{point.at_ms} {' '.join(point.states)}"


def _point(line: str) -> HealthPoint | None:
    at_ms, *words = line.split(" ")
    states = tuple(state for word in words if (state := _state(word)))
    if not at_ms.isdigit() or len(states) != len(PARTS):
        return None
    return HealthPoint(int(at_ms), states)


def _state(word: str) -> State | None:
    return next((state for state in STATES if state == word), None)
