"""
The key checks' own small lane of the request budget that all processes share.

A check that heeds the lane has a place for one call: at most `CHECKS_A_SECOND` calls of all processes together and to
each address family, counted in the same window as the traders' calls, and only while that window has room the traders
do not need. Synchronous, for the threads of forms. Closed when in doubt: with Redis away no key is checked.

An HTTP 403 that a check meets silences the checks alone: it may be about what a person typed, and one person's form
must not keep the guardians from the exchange. A ban that a trader met is heeded.
"""

import time
from collections.abc import Callable
from typing import cast

import redis

from lib import log
from lib.adapters.bybit.limits.ban import OwnBan
from lib.adapters.bybit.limits.limiter import IP_WINDOW_MS
from lib.adapters.redis import scripts
from lib.adapters.redis.connection import translated
from lib.adapters.redis.limiter import AWAY, LANE_BURST, PACE_MS, SHARED, budget_key, budget_of
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry
from lib.ports.exchange import BudgetAway, NotNow

CHECKS_A_SECOND = 4
"""Calls of checks to one address family, of all processes: 20 of the 462 that may leave in 5 s."""
CHECK_CALLS = SHARED - 110
"""How full the address may be for one more call of a check: the rest is left free for the traders."""
PATIENCE_MS = 10_000
"""How long one call waits for its place."""
BUSY = codes.BUDGET_FULL()
_log = log.get("redis.checks")


class CheckLane(OwnBan):
    """A *Ban* whose heeding also takes a place in the budget of *address*; *pause* waits seconds."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Clock | None = None,
        pause: Callable[[float], None] = time.sleep,
        address: str = "",
    ) -> None:
        super().__init__(clock)
        self._address = address
        self._take = client.register_script(scripts.TAKE_CALLS)
        self._pause = pause

    def heed(self, url: str) -> None:
        """Return when one call to the family of *url* may be made, and count it; *NotNow* when there is no room."""
        super().heed(url)
        waited_ms = 0
        while wait_ms := self._wait_ms(url):
            waited_ms += wait_ms
            if waited_ms > PATIENCE_MS:
                raise NotNow(BUSY)
            self._pause(wait_ms / 1000)

    def _wait_ms(self, url: str) -> int:
        """The ms to wait; 0 = go, and the call is counted."""
        try:
            with translated():
                banned_ms, *waits = self._asked(budget_of(url, self._address))
        except (Retry, Halt) as away:  # Halt: Redis refuses us, which is no reason to end a process
            _log.error("checks.redis_away", why=str(away))
            raise BudgetAway(AWAY) from None
        if banned_ms:
            self.heard(url, banned_ms)
            super().heed(url)
        return -(-abs(waits[0]) // 1000)

    def _asked(self, budget: str) -> list[int]:
        names = ("calls", "pace", "ban", "checks", "checks:closed")
        spans = [IP_WINDOW_MS * 1000, PACE_MS * 1000, SHARED, LANE_BURST["guard"], 1_000_000]
        keys = [budget_key(budget, name) for name in names]
        return cast("list[int]", self._take(keys=keys, args=[*spans, CHECK_CALLS, 1, CHECKS_A_SECOND]))
