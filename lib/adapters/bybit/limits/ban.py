"""
The ten minutes of silence after HTTP 403, for processes that call without the traders' request budget.

A blocked address must not go on calling. `OwnBan` lives in one process; the collector's ban (`lib.adapters.redis.ban`)
hears of the traders' ban too, and the key checks' ban also counts calls (`check_lane` beside it).
https://bybit-exchange.github.io/docs/v5/rate-limit
"""

import threading
from typing import Protocol

from lib import log
from lib.adapters.bybit.limits.limiter import blocked, family_of
from lib.adapters.bybit.limits.window import Silence
from lib.clock import Clock, SystemClock

_log = log.get("bybit")


class Ban(Protocol):
    """Whether an address family may be called; safe to share between threads."""

    def heed(self, url: str) -> None:
        """
        Called before every single call to *url*: *Retry* while the url's family wants silence.

        Where a request budget stands behind the ban, wait for a place and count the call; *NotNow* without a place.
        """
        ...

    def met(self, url: str) -> None:
        """The venue behind *url* said HTTP 403: silence for ten minutes."""
        ...


class OwnBan(Ban):
    """A *Ban* for one process, by *clock*."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._silences: dict[str, Silence] = {}
        self._turn = threading.Lock()

    def heed(self, url: str) -> None:
        """As `Ban.heed`."""
        with self._turn:
            left = self._silence(url).left_ms(self._clock.now_ms())
        if left:
            raise blocked(left)

    def met(self, url: str) -> None:
        """As `Ban.met`."""
        with self._turn:
            self._silence(url).begin(self._clock.now_ms())
        _log.alert("bybit.address_blocked", family=family_of(url))

    def heard(self, url: str, left_ms: int) -> None:
        """Another process met HTTP 403 at *url*, and *left_ms* of its silence are left."""
        with self._turn:
            self._silence(url).begin(self._clock.now_ms(), left_ms)

    def _silence(self, url: str) -> Silence:
        return self._silences.setdefault(family_of(url), Silence())
