"""
The ban of `lib.adapters.bybit.ban`, shared with the traders' request budget through Redis.

Who meets HTTP 403 tells all, and nobody calls who has heard of it. Redis away: each process keeps to what it knows.
"""

import redis

from lib import log
from lib.adapters.bybit.ban import OwnBan
from lib.adapters.bybit.limiter import family_of
from lib.adapters.bybit.window import BAN_MS
from lib.adapters.redis import scripts
from lib.adapters.redis.connection import translated
from lib.adapters.redis.limiter import budget_key
from lib.clock import Clock
from lib.domain.errors import Halt, Retry

LOG = log.get("redis.ban")


class SharedBan(OwnBan):
    """A *Ban* for every process on one Redis."""

    def __init__(self, client: redis.Redis, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._client = client
        self._close = client.register_script(scripts.CLOSE_CALLS)

    def heed(self, url: str) -> None:
        """As `Ban.heed`."""
        super().heed(url)
        try:
            with translated():
                left = int(self._client.pttl(_key(url)))
        except (Retry, Halt):
            return
        if left > 0:
            self.heard(url, left)
            super().heed(url)

    def met(self, url: str) -> None:
        """As `Ban.met`."""
        super().met(url)
        try:
            with translated():
                self._close(keys=[_key(url)], args=[BAN_MS])
        except (Retry, Halt) as away:
            LOG.error("ban.untold", why=str(away))


def _key(url: str) -> str:
    return budget_key(family_of(url), "ban")
