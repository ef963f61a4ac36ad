"""
Public calls at an even step: what one process may ask of the address without counting with the others.

The order path counts 80 % of what the venue allows an address (`limiter`); public readings share the rest, and so take
at most a fixed number a second. A call that comes too early sleeps in its caller's thread; one after a pause does not
make up for it. Threads take turns elsewhere.
"""

import time
from collections.abc import Callable

A_SECOND = 20
"""Of the 24 a second that the order path leaves."""


class Steps:
    """Call `wait` before each request, from one thread at a time; *now* is steady seconds."""

    def __init__(
        self,
        a_second: float = A_SECOND,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._step_s = 1 / a_second
        self._now, self._sleep = now, sleep
        self._next_s = 0.0

    def wait(self) -> None:
        """Return when the next request may leave."""
        if (early := self._next_s - self._now()) > 0:
            self._sleep(early)
        self._next_s = max(self._next_s, self._now()) + self._step_s
