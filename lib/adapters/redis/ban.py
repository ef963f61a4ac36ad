"""
The traders' ban, heeded by everybody else on the same Redis.

What a collector meets itself it keeps to itself: it may leave from another address.
"""

import redis

from lib.adapters.bybit.limits.ban import OwnBan
from lib.adapters.bybit.limits.limiter import family_of
from lib.adapters.redis.connection import translated
from lib.adapters.redis.limiter import budget_key
from lib.clock import Clock
from lib.domain.errors import Halt, Retry


class TradersBan(OwnBan):
    """A *Ban* that hears of the traders' too. Redis away: it keeps to what it knows."""

    def __init__(self, client: redis.Redis, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._client = client

    def heed(self, url: str) -> None:
        """As `Ban.heed`."""
        super().heed(url)
        try:
            with translated():
                left = int(self._client.pttl(budget_key(family_of(url), "ban")))
        except (Retry, Halt):
            return
        if left > 0:
            self.heard(url, left)
            super().heed(url)
