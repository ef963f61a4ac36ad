"""
The venue's request limits, shared by every process of a deployment through one Redis.

Two locks hold an address, both by Redis' own clock in one atomic script: a rolling window of what may leave in 5 s, and
a pace, so that calls leave evenly and an order never waits for a window to empty. What is held for the case that Redis
is away is never handed out through it: 6 calls per 5 s for each of at most three processes, for the guard alone. So:

    Redis up            462 calls in 5 s, all processes together; guard before trade before resolve, whatever process
    Redis away          no call but the guard's, 6 in 5 s a process (3 x 6 + 462 = 480 = 80 % of the venue's 600)
    Redis flushed       the window is forgotten, the pace is not: an empty Redis begins without a burst. 512 in the
                        worst 5 s, and 470 by one process alone, because it counts what it was granted itself
    Redis' clock jumps  as flushed

Each address that calls leave from has a budget of its own; who names none shares the one without a name.

A ban (HTTP 403) is kept in Redis and by the process that met it, which tells Redis again until that worked; other
address families go on. Key checks take theirs in `lib.adapters.redis.check_lane`. Not counted: the collector's
REST calls and the operator's questions, a few that the last 20 % are for. The collector keeps the silence of a ban too
(`lib.adapters.redis.ban`); the operator must do without Redis.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

import redis.asyncio

from lib import log
from lib.adapters.bybit.limits.limiter import (
    IP_CALLS,
    IP_WINDOW_MS,
    LANE_WAIT_S,
    SHARE,
    Endpoints,
    Limiter,
    Limits,
    blocked,
    calls_a_second,
    family_of,
)
from lib.adapters.bybit.limits.turnstile import BATCH, Answer, Ask, Budget, Turnstile
from lib.adapters.bybit.limits.window import BAN_MS, Silence, Window
from lib.adapters.redis import scripts
from lib.adapters.redis.connection import translated
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry
from lib.ports.exchange import Lane

PROCESSES = 3
"""How many may trade or stand by at once at one address; each holds a share of its own."""
RESERVED = 6
"""Calls in 5 s of one process for its guard, while Redis is away."""
SHARED = int(IP_CALLS * SHARE) - PROCESSES * RESERVED
PACE_MS = 10
UNDER_WAY = 28
"""Calls of one process not answered yet, the guard's aside: a venue that halts counts these at once when it goes on."""
LANE_CALLS: Mapping[Lane, int] = {"guard": SHARED, "trade": SHARED - 10, "resolve": SHARED - 60}
"""In any 5 s. A lane that always waits keeps out the ones after it, in every process; resolve too while trade rests."""
LANE_BURST: Mapping[Lane, int] = {"guard": BATCH + 4, "trade": BATCH + 2, "resolve": BATCH}
"""Calls at once after a while of silence."""
LONGEST_PACE_MS = LANE_BURST["guard"] * PACE_MS
"""A guard's call that waits no longer than this waits for its turn; only past it the address is full."""
AWAY_MS = 3_000
"""How long Redis is not asked again after it could not be reached."""
AWAY = codes.BUDGET_AWAY()

LOG = log.get("redis.limiter")


def budget_key(budget: str, name: str) -> str:
    """Where a *budget* (`budget_of`) keeps *name*: braces keep them together in a cluster."""
    return f"limit:{{{budget}}}:{name}"


def budget_of(url: str, address: str) -> str:
    """The budget that a call to *url* takes from where it leaves from *address*, "" = the one nobody named."""
    return f"{family_of(url)}@{address}" if address else family_of(url)


class RedisLimits(Limits):
    """
    `lib.adapters.bybit.limits.limiter.Limits` on one Redis; *clock* is the one HTTP waits by, *address* where calls
    leave from.
    """

    def __init__(self, client: redis.asyncio.Redis, clock: Clock, address: str = "") -> None:
        self._client = client
        self._clock = clock
        self._address = address
        self._limiters: dict[str, RedisLimiter] = {}

    def at(self, url: str) -> Limiter:
        """As `Limits.at`."""
        budget = budget_of(url, self._address)
        if budget not in self._limiters:
            self._limiters[budget] = RedisLimiter(self._client, self._clock, budget)
        return self._limiters[budget]

    async def told(self) -> None:
        """Return once Redis knows what the venue said so far, or cannot be told now."""
        await asyncio.gather(*(limiter.told() for limiter in self._limiters.values()))


class RedisLimiter(Limiter):
    """`Limiter` of one budget."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock, budget: str) -> None:
        self._clock = clock
        self._budget = RedisBudget(client, clock, budget)
        self._turnstile = Turnstile(clock, self._budget, most_under_way=UNDER_WAY)
        self._telling: set[asyncio.Task[None]] = set()

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        """As `Limiter.admit`."""
        wait_s = LANE_WAIT_S[lane] if max_wait_s is None else max_wait_s
        await self._turnstile.enter(Ask(account, path, lane), urgent=urgent, max_wait_s=wait_s)

    def finished(self, lane: Lane) -> None:
        """As `Limiter.finished`."""
        self._turnstile.left(lane)

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        """As `Limiter.throttled`."""
        self._budget.close_endpoint(account, path, for_ms)
        self._tell()

    def banned(self) -> None:
        """As `Limiter.banned`."""
        self._budget.close_all()
        self._tell()

    async def told(self) -> None:
        """As `RedisLimits.told`, for this address."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._budget.tell(), name="limiter tells")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


class RedisBudget(Budget):
    """`Budget` through Redis, with this process' own share and memory beside it."""

    def __init__(self, client: redis.asyncio.Redis, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name
        self._take = client.register_script(scripts.TAKE_CALLS)
        self._close = client.register_script(scripts.CLOSE_CALLS)
        self._granted = Window(SHARED + BATCH, IP_WINDOW_MS)
        """What Redis gave this process, with room for a batch more: a flush does not forget it."""
        self._reserve = Window(RESERVED, IP_WINDOW_MS)
        self._reserved_endpoints = Endpoints(1 - SHARE)
        self._silence = Silence()
        self._away_until = 0
        self._untold: dict[str, int] = {}
        """Key → until when it is closed, epoch ms by our clock, where Redis does not know yet."""

    # --- what the venue said -------------------------------------------------------------------------------------

    def close_all(self) -> None:
        """The venue said HTTP 403."""
        now = self._clock.now_ms()
        self._silence.begin(now)
        self._untold[self._key("ban")] = now + BAN_MS

    def close_endpoint(self, account: str, path: str, for_ms: int) -> None:
        """The venue had too many calls of *account* at *path*."""
        self._untold[self._closure(account, path)] = self._clock.now_ms() + for_ms

    async def tell(self) -> None:
        """Let the other processes know; what cannot be told now is told before the next calls."""
        for key, until in list(self._untold.items()):
            left = until - self._clock.now_ms()
            try:
                if left > 0:
                    with translated():
                        await self._close(keys=[key], args=[left])
            except (Retry, Halt) as away:
                self._lose_redis(away)
                return
            if self._untold.get(key) == until:
                del self._untold[key]

    # --- what may leave ------------------------------------------------------------------------------------------

    async def take(self, asks: Sequence[Ask]) -> list[Answer]:
        """As `Budget.take`."""
        if self._untold and not self._is_away():
            await self.tell()
        if left := self._silence.left_ms(self._clock.now_ms()):
            return [Answer(refusal=blocked(left)) for _ in asks]
        if self._is_away():
            return [self._without_redis(ask) for ask in asks]
        return await self._ask_redis(asks, self._clock.now_ms())

    def _is_away(self) -> bool:
        now = self._clock.now_ms()
        return now < self._away_until <= now + AWAY_MS

    def _lose_redis(self, why: Exception) -> None:
        LOG.error("limiter.redis_away", why=str(why))
        self._away_until = self._clock.now_ms() + AWAY_MS

    async def _ask_redis(self, asks: Sequence[Ask], now: int) -> list[Answer]:
        if wait := self._granted.wait_ms(now, calls=SHARED + BATCH - len(asks) + 1):
            return [self._or_reserve(ask, Answer(wait)) for ask in asks]
        try:
            found = await self._asked(asks)
        except (Retry, Halt) as away:  # Halt: Redis refuses us, which ends no process that guards positions
            self._lose_redis(away)
            return [self._without_redis(ask) for ask in asks]
        if found[0]:
            self._silence.begin(self._clock.now_ms(), found[0])
            return [Answer(refusal=blocked(found[0])) for _ in asks]
        return [self._or_reserve(ask, self._read(wait)) for ask, wait in zip(asks, found[1:], strict=True)]

    async def _asked(self, asks: Sequence[Ask]) -> list[int]:
        keys = [self._key(name) for name in ("calls", "pace", "ban")]
        args = [IP_WINDOW_MS * 1000, PACE_MS * 1000, SHARED, LANE_BURST["guard"], 1_000_000]
        for ask in asks:
            keys += [self._key(f"{ask.account}:{ask.path}"), self._closure(ask.account, ask.path)]
            own = calls_a_second(ask.path) if ask.account else 0
            args += [LANE_CALLS[ask.lane], LANE_BURST[ask.lane], own]
        with translated():
            return cast("list[int]", await self._take(keys=keys, args=args))

    def _read(self, wait_us: int) -> Answer:
        if wait_us == 0:
            self._granted.take(self._clock.now_ms())
        return Answer(-(-abs(wait_us) // 1000), own=wait_us < 0)

    def _or_reserve(self, ask: Ask, answer: Answer) -> Answer:
        """*answer*, unless the guard would have to wait for a window and its own share lets it go sooner."""
        is_held_up = ask.lane == "guard" and answer.wait_ms > LONGEST_PACE_MS and not answer.own
        if not is_held_up:
            return answer
        reserved = self._from_reserve(ask)
        return answer if reserved.own or reserved.wait_ms >= answer.wait_ms else reserved

    def _without_redis(self, ask: Ask) -> Answer:
        if ask.lane == "guard":
            return self._from_reserve(ask)
        return Answer(refusal=Retry(AWAY))

    def _from_reserve(self, ask: Ask) -> Answer:
        now = self._clock.now_ms()
        own = self._reserved_endpoints.of(ask.account, ask.path) if ask.account else None
        if own is not None and (wait := own.wait_ms(now)):
            return Answer(wait, own=True)
        if wait := self._reserve.wait_ms(now):
            return Answer(wait)
        self._reserve.take(now)
        if own is not None:
            own.take(now)
        return Answer()

    def _key(self, name: str) -> str:
        return budget_key(self._name, name)

    def _closure(self, account: str, path: str) -> str:
        return self._key(f"{account}:{path}:closed")
