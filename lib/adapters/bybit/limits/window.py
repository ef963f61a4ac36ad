"""
Counting calls over time: pure, times are the caller's. A clock that jumps back costs a wait, never a call too many.
"""

from collections import deque

BAN_MS = 600_000
"""How long the venue wants silence after HTTP 403."""


class Window:
    """At most *calls* in any *span_ms*. After a clock that jumps back the next call waits one span at most."""

    def __init__(self, calls: int, span_ms: int) -> None:
        self._times: deque[int] = deque(maxlen=max(calls, 1))
        self._calls = max(calls, 1)
        self._span_ms = span_ms
        self._closed: tuple[int, int] = (0, 0)
        """(since, until)."""

    def wait_ms(self, now: int, *, calls: int | None = None) -> int:
        """The ms until one more call fits, or fits among *calls* (fewer than all); 0 = now."""
        if self._times and self._times[-1] > now:
            self._times = deque([now] * len(self._times), maxlen=self._calls)
        allowed = min(calls or self._calls, self._calls)
        full = len(self._times) >= allowed
        return max(self._closed_ms(now), self._times[-allowed] + self._span_ms - now if full else 0, 0)

    def _closed_ms(self, now: int) -> int:
        since, until = self._closed
        return until - now if since <= now else 0

    def take(self, now: int) -> None:
        """Count one call at *now*."""
        self._times.append(now)

    def close(self, now: int, until: int) -> None:
        """Let no call through before *until*."""
        self._closed = now, max(self._closed[1], until)


class Silence:
    """The ten minutes after an HTTP 403. A clock that jumps back begins them again."""

    def __init__(self) -> None:
        self._since = self._until = 0

    def begin(self, now: int, for_ms: int = BAN_MS) -> None:
        """Begin a silence of *for_ms*."""
        self._since, self._until = now, max(self._until, now + for_ms)

    def left_ms(self, now: int) -> int:
        """The ms that are left of the silence; 0 = over."""
        if now < self._since:
            self._since, self._until = now, now + BAN_MS
        return max(self._until - now, 0)
