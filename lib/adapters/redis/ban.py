"""
The traders' ban, heeded by every other process on the same Redis.

A ban that a collector meets stays the collector's: it may call from another address.
"""

import redis

from lib.adapters.bybit.limits.ban import OwnBan
from lib.adapters.redis.connection import translated
from lib.adapters.redis.limiter import budget_key, budget_of
from lib.clock import Clock
from lib.domain.errors import Halt, Retry


class TradersBan(OwnBan):
    """A *Ban* that hears of the ban of traders at its *address* too. With Redis away it knows its own alone."""

    def __init__(self, client: redis.Redis, clock: Clock | None = None, address: str = "") -> None:
        super().__init__(clock)
        self._address = address
        self._client = client

    def heed(self, url: str) -> None:
        """As `Ban.heed`."""
        super().heed(url)
        try:
            with translated():
                left = int(self._client.pttl(budget_key(budget_of(url, self._address), "ban")))
        except (Retry, Halt):
            return
        if left > 0:
            self.heard(url, left)
            super().heed(url)
