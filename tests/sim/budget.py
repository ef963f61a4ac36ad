"""
The Redis that holds the request budget of all traders of a world: real limiter, modelled server, seeded faults.

`BudgetServer` does by virtual time what the Lua of `lib.adapters.redis.scripts` does by Redis' own, to the microsecond
(held against a real one in `test_budget.py`). `BudgetClient` is one process's way there: slow, cut off, or without an
answer. What was granted is remembered for the referee, and no flush forgets it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import redis.exceptions

from lib.adapters.redis.limiter import LANE_CALLS
from lib.adapters.redis.scripts import CLOSE_CALLS, TAKE_CALLS
from tests.sim.ports import Border
from tests.sim.temper import CREATE, ELSEWHERE, Time

ANSWER_S = 1.0
"""The client's own time-out."""
KINDS = ("refused", "slow", "unanswered")
"""What may become of one call."""
BUDGET_FAULTS = tuple(f"budget {kind}" for kind in KINDS)
"""By the name they are counted under."""
Script = Callable[[Sequence[str], Sequence[int]], Any]


class BudgetServer:
    """Lists, numbers and their expiry; *time* is the true time."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._kept: dict[str, tuple[int, Any]] = {}
        """Key → (when it expires, epoch ms; a list of times, or a number)."""
        self.away_until = 0
        self.troubled_ms = 0
        """When a call to it last went wrong, epoch ms."""
        self.grants: dict[int, list[int]] = {}
        """uid → when (epoch ms) its sends of the trade lane were let through and not yet used."""
        self.scripts: dict[str, Script] = {TAKE_CALLS: self.take_calls, CLOSE_CALLS: self.close_calls}

    def flush(self) -> None:
        """FLUSHALL."""
        self._kept.clear()

    def use_grant(self, uid: int, since_ms: int) -> bool:
        """Whether a send of *uid* was let through at or after *since_ms*; each grant is good for one."""
        grants = self.grants.get(uid, [])
        while grants:
            if grants.pop(0) >= since_ms:
                return True
        return False

    # --- scripts ------------------------------------------------------------------------------------------------------

    def close_calls(self, keys: Sequence[str], args: Sequence[int]) -> int:
        """`CLOSE_CALLS`."""
        if self._pttl(keys[0]) < args[0]:
            self._set(keys[0], 1, args[0])
        return 1

    def take_calls(self, keys: Sequence[str], args: Sequence[int]) -> list[int]:
        """`TAKE_CALLS`."""
        if (ban := self._pttl(keys[2])) > 0:
            return [ban]
        now = self._time.now_ms() * 1000
        span, gap, _, at_once, _ = args[:5]
        next_at = self._get(keys[1])
        next_at = now + span * 2 if next_at is None else next_at
        if next_at > now + span:
            next_at = now + (at_once - 1) * gap
        next_at = max(next_at, now)
        answer = [0]
        for place in range((len(args) - 5) // 3):
            found = self._take_one(keys, args, place, now, next_at)
            answer.append(found)
            next_at += 0 if found else gap
        self._set(keys[1], next_at, span // 1000 * 2)
        return answer

    def _take_one(self, keys: Sequence[str], args: Sequence[int], place: int, now: int, next_at: int) -> int:
        span, gap, most, _, short = args[:5]
        calls, burst, own_calls = args[5 + place * 3 : 8 + place * 3]
        own, closure = keys[3 + place * 2 : 5 + place * 2]
        own_wait = max(0, self._pttl(closure)) * 1000
        if own_calls > 0:
            own_wait = max(own_wait, self._full_for(own, own_calls, short, now))
        wait = max(self._full_for(keys[0], calls, span, now), next_at - now - (burst - 1) * gap)
        if own_wait > 0:
            return -own_wait
        if wait > 0:
            return wait
        self._count(keys[0], most, span, now)
        if own_calls > 0:
            self._count(own, own_calls, short, now)
        self._remember(own, calls)
        return 0

    def _full_for(self, key: str, calls: int, within: int, now: int) -> int:
        times = self._get(key)
        if not times:
            return 0
        if times[-1] > now + within:
            del self._kept[key]
            return 0
        return max(0, times[-calls] + within - now) if len(times) >= calls else 0

    def _count(self, key: str, calls: int, within: int, now: int) -> None:
        times = self._get(key) or []
        times.append(now)
        del times[:-calls]
        self._set(key, times, within // 1000 * 2)

    def _remember(self, endpoint: str, calls: int) -> None:
        """*endpoint* is limit:{family}:venue:uid:path."""
        if calls == LANE_CALLS["trade"] and endpoint.endswith(CREATE):
            self.grants.setdefault(int(endpoint.split(":")[-2]), []).append(self._time.now_ms())

    # --- keys ---------------------------------------------------------------------------------------------------------

    def _pttl(self, key: str) -> int:
        found = self._kept.get(key)
        return -2 if found is None else max(found[0] - self._time.now_ms(), -2)

    def _get(self, key: str) -> Any:
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > self._time.now_ms() else None

    def _set(self, key: str, value: Any, for_ms: int) -> None:
        self._kept[key] = self._time.now_ms() + for_ms, value


class BudgetClient:
    """What `RedisLimits` asks of `redis.asyncio.Redis`, for one process."""

    def __init__(self, server: BudgetServer, border: Border) -> None:
        self._server, self._border = server, border

    def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
        """As redis-py's: a coroutine function of keys and args."""
        script = self._server.scripts[text]

        async def run(keys: Sequence[str], args: Sequence[int]) -> Any:
            before, after = self._border.fate(ELSEWHERE)
            await self._border.suffer(before)
            found = await self._asked(script, keys, args)
            await self._border.suffer(after)
            return found

        return run

    async def _asked(self, script: Script, keys: Sequence[str], args: Sequence[int]) -> Any:
        process, rng, trouble = self._border.process, self._border.rng, self._border.trouble
        kind = rng.choice(KINDS) if trouble.chance("budget") else ""
        if kind:
            trouble.note(f"budget {kind}")
        if kind or self._is_away():
            self._server.troubled_ms = self._border.time.now_ms()
        if kind == "refused" or self._is_away():
            await process.sleep(rng.choice((0.001, 2.0)))
            raise redis.exceptions.ConnectionError("nobody there")
        await process.sleep(rng.uniform(0.1, 0.9) if kind == "slow" else rng.random() * 0.002)
        found = script(keys, args)
        if kind == "unanswered":
            await process.sleep(ANSWER_S)
            raise redis.exceptions.TimeoutError("no answer")
        return found

    def _is_away(self) -> bool:
        return self._border.time.now_ms() < self._server.away_until and not self._border.trouble.healing
