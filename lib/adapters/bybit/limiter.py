"""
Our own request limits, in front of every call, so that the venue's are never met.

Rolling windows at 80 % of Bybit's: one per account and endpoint, one for our address over everything, of which reads
may take five sixths, so that an order or a stop never queues behind a crowd of queries. A 10006 closes that account's
endpoint until the venue's reset; an HTTP 403 closes everything for ten minutes. This one lives in one process; several
processes share theirs by another *Limiter*.
https://bybit-exchange.github.io/docs/v5/rate-limit
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from lib.clock import Clock
from lib.domain.errors import Retry

BAN_MS = 600_000
"""How long the venue wants silence after HTTP 403."""
SHARE = 0.8
IP_CALLS, IP_WINDOW_MS = 600, 5_000
DEFAULT_PER_SECOND = 5
PER_SECOND = {
    "/v5/order/create": 10,
    "/v5/order/cancel-all": 10,
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/execution/list": 50,
    "/v5/position/list": 50,
    "/v5/position/set-leverage": 10,
    "/v5/position/trading-stop": 10,
    "/v5/account/wallet-balance": 50,
}
"""What Bybit allows an ordinary account per endpoint and second."""


class Limiter(Protocol):
    """Who may call now. *account* is empty for public calls."""

    async def admit(self, account: str, path: str, *, urgent: bool = False, max_wait_s: float = 20.0) -> None:
        """Return when the call may be made; *Retry* when that would take more than *max_wait_s* seconds."""
        ...

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        """The venue said 10006: hold that account's endpoint for *for_ms*."""
        ...

    def banned(self) -> None:
        """The venue said HTTP 403: hold everything for ten minutes."""
        ...


class Window:
    """At most *calls* in any *span_ms*."""

    def __init__(self, calls: int, span_ms: int) -> None:
        self._times: deque[int] = deque(maxlen=max(calls, 1))
        self._span_ms = span_ms
        self._closed_until = 0

    def wait_ms(self, now: int) -> int:
        """How long until one more call fits; 0 = now."""
        full = len(self._times) == self._times.maxlen
        return max(self._closed_until - now, self._times[0] + self._span_ms - now if full else 0, 0)

    def take(self, now: int) -> None:
        """Count one call at *now*."""
        self._times.append(now)

    def close(self, until: int) -> None:
        """Let nothing through before *until*."""
        self._closed_until = max(self._closed_until, until)


class LocalLimiter:
    """A *Limiter* for one process, by *clock* (the one HTTP waits by). *ip_calls* = 0 lifts the address limit."""

    def __init__(self, clock: Clock, *, ip_calls: int = IP_CALLS, share: float = SHARE) -> None:
        self._clock = clock
        self._share = share
        allowed = int(ip_calls * share)
        self._all = Window(allowed, IP_WINDOW_MS) if ip_calls else None
        self._reads = Window(allowed * 5 // 6, IP_WINDOW_MS) if ip_calls else None
        self._endpoints: dict[tuple[str, str], Window] = {}
        self._banned_until = 0

    async def admit(self, account: str, path: str, *, urgent: bool = False, max_wait_s: float = 20.0) -> None:
        """As `Limiter.admit`; *urgent* calls (orders, stops) may use the whole address budget."""
        windows = self._windows(account, path, urgent)
        deadline = self._clock.now_ms() + int(max_wait_s * 1000)
        while wait := self._wait_ms(windows, deadline):
            await self._clock.sleep(wait / 1000)
        now = self._clock.now_ms()
        for window in windows:
            window.take(now)

    def throttled(self, account: str, path: str, for_ms: int) -> None:
        """As `Limiter.throttled`."""
        self._endpoint(account, path).close(self._clock.now_ms() + for_ms)

    def banned(self) -> None:
        """As `Limiter.banned`."""
        self._banned_until = self._clock.now_ms() + BAN_MS

    def _wait_ms(self, windows: Sequence[Window], deadline: int) -> int:
        now = self._clock.now_ms()
        if now < self._banned_until:
            raise Retry(f"the venue blocks our address for {(self._banned_until - now) // 1000 + 1} more seconds")
        wait = max(window.wait_ms(now) for window in windows) if windows else 0
        if now + wait > deadline:
            raise Retry("too many calls to the venue at once")
        return wait

    def _windows(self, account: str, path: str, urgent: bool) -> list[Window]:
        shared = (self._all, None if urgent else self._reads)
        own = (self._endpoint(account, path),) if account else ()
        return [*own, *(window for window in shared if window is not None)]

    def _endpoint(self, account: str, path: str) -> Window:
        window = self._endpoints.get((account, path))
        if window is None:
            calls = int(PER_SECOND.get(path, DEFAULT_PER_SECOND) * self._share)
            window = self._endpoints[account, path] = Window(calls, 1_000)
        return window
