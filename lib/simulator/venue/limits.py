"""
Request limits: rolling one-second windows per account and endpoint, and a rolling window with a ban per address.

Refused requests do not count against an account; every request counts against its address. Times in ms.
"""

from collections import defaultdict, deque
from dataclasses import dataclass

WINDOW_MS = 1_000


@dataclass(frozen=True, slots=True)
class Quota:
    """The requests left of an endpoint's limit; *reset_at* epoch ms."""

    limit: int
    left: int
    reset_at: int
    exceeded: bool = False

    def headers(self) -> dict[str, str]:
        """The quota as Bybit's headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_at),
        }


class AccountLimits:
    """One rolling second per (uid, endpoint)."""

    def __init__(self) -> None:
        self._times: defaultdict[tuple[int, str], deque[int]] = defaultdict(deque)

    def take(self, uid: int, path: str, limit: int, now: int) -> Quota:
        """Count one request, unless the limit is reached."""
        times = self._times[uid, path]
        while times and times[0] <= now - WINDOW_MS:
            times.popleft()
        if len(times) >= limit:
            return Quota(limit, 0, times[0] + WINDOW_MS, exceeded=True)
        times.append(now)
        return Quota(limit, limit - len(times), now)


class AddressLimits:
    """*limit* requests per *window_ms* and address, then a ban of *ban_ms*."""

    def __init__(self, limit: int | None, window_ms: int, ban_ms: int) -> None:
        self._limit, self._window_ms, self._ban_ms = limit, window_ms, ban_ms
        self._times: defaultdict[str, deque[int]] = defaultdict(deque)
        self._banned_until: dict[str, int] = {}

    def admits(self, remote: str, now: int) -> bool:
        """Count one request; False while the address is banned."""
        if self._limit is None:
            return True
        if now < self._banned_until.get(remote, 0):
            return False
        times = self._times[remote]
        while times and times[0] <= now - self._window_ms:
            times.popleft()
        if len(times) >= self._limit:
            self._banned_until[remote] = now + self._ban_ms
            return False
        times.append(now)
        return True
