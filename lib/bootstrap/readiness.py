"""
Whether the system behind the web may take work now, as names and booleans: nobody learns more from it.

*checks* decide; *advice* does not, because people can be served without: an analyst that gives no view, notices that
nobody sent, a process in a crash loop, the candles of some symbols. Candles fail the check when those of no symbol are
new: one that the exchange has no more takes nothing from the others, and is named. A store that is away fails its own
check and those that are read from it. An answer is kept for a moment, so that asking often costs nothing; while one
asks, others are told what was found before.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib.clock import Clock
from lib.domain.errors import Retry
from lib.domain.health import CANDLES, HEARTBEAT
from lib.queries.figures import Waiting
from lib.queries.market import age_s, moment

CALL_S = 660.0
"""Two cycles and a little: an analyst that was not asked for so long is no longer known to answer."""
UNTOLD_S = 900.0
FRESH_MS = 2_000
Checks = dict[str, bool]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Each check's name and whether it holds."""

    checks: Mapping[str, bool]
    advice: Mapping[str, bool]

    @property
    def is_ready(self) -> bool:
        return all(self.checks.values())


class ReadinessCheck:
    """
    Asks Redis (*status*, as `lib.market.status` has it) and the database (*waiting*), each may raise *Retry*, and the
    supervisor which processes are *looping*, None = there is none.
    """

    def __init__(
        self,
        status: Callable[[], Mapping[str, str]],
        waiting: Callable[[], Waiting],
        symbols: Sequence[str],
        clock: Clock,
        looping: Callable[[], Iterable[str] | None] = lambda: None,
    ) -> None:
        self._status = status
        self._waiting = waiting
        self._symbols = symbols
        self._clock = clock
        self._looping = looping
        self._lock = threading.Lock()
        self._found: tuple[int, Readiness] | None = None

    def __call__(self) -> Readiness:
        """As it stands now, or stood a moment ago."""
        before = self._found
        if not self._lock.acquire(blocking=before is None) and before is not None:
            return before[1]  # somebody is asking at this moment
        try:
            now = self._clock.now_ms()
            if self._found is None or not 0 <= now - self._found[0] < FRESH_MS:
                (kept, advice), (seen, old) = self._kept(), self._seen(now)
                self._found = now, Readiness({**kept, **seen}, {**advice, **old, **self._processes()})
            return self._found[1]
        finally:
            self._lock.release()

    def _processes(self) -> Checks:
        """What the supervisor says, where one is at work."""
        looping = self._looping()
        return {} if looping is None else {"processes": not list(looping)}

    def _kept(self) -> tuple[Checks, Checks]:
        """What the database says."""
        try:
            found = self._waiting()
        except Retry:
            return {"database": False, "lease": False}, {"analyst": False, "outbox": False}
        is_heard = found.call_s is not None and found.call_s <= CALL_S and not found.call_failed
        return {"database": True, "lease": found.lease_held}, {"analyst": is_heard, "outbox": found.untold_s < UNTOLD_S}

    def _seen(self, now_ms: int) -> tuple[Checks, Checks]:
        """What Redis says; the advice names each symbol whose candles are old, where there are several."""
        try:
            status = self._status()
        except Retry:
            return dict.fromkeys(("redis", "candles", "trader", "guardian"), False), {}

        def is_fresh(field: str, most_s: float) -> bool:
            age = age_s(now_ms, moment(status.get(field)))
            return age is not None and age <= most_s

        lists = {symbol: is_fresh(f"last_close:{symbol}:1m", CANDLES.late) for symbol in self._symbols}
        processes = {name: is_fresh(f"{name}_heartbeat", HEARTBEAT.late) for name in ("trader", "guardian")}
        old = {f"candles {symbol}": False for symbol, fresh in lists.items() if not fresh and len(lists) > 1}
        return {"redis": True, "candles": any(lists.values()), **processes}, old
