"""
Who may have the web call an exchange now: paced per person and per address, one check at a time a process.

Behind one form stands one exchange address that everybody trades from. A try is counted before it is made, three are
free, then the wait doubles; a try that found no room was none. Nobody waits long for another's check: a few may, the
rest is told to come back, so that a flood of forms never takes the threads that sign people in.
"""

from collections.abc import Callable
from typing import TypeVar

from lib import log
from lib.accounts.bulkhead import Bulkhead, Refusals
from lib.accounts.refusal import Refusal
from lib.clock import Clock
from lib.domain.pace import Pace
from lib.ports.exchange import BudgetAway, NotNow
from lib.ports.people import Throttles

T = TypeVar("T")

CHECKS_OF_PERSON = Pace(free=3, first_ms=10_000, longest_ms=600_000, halving_ms=900_000)
CHECKS_OF_ADDRESS = Pace(free=3, first_ms=10_000, longest_ms=120_000, halving_ms=900_000)
PAPER_OF_PERSON = Pace(free=3, first_ms=30_000, longest_ms=3_600_000, halving_ms=1_800_000)
SWITCHING_ON = Pace(free=5, first_ms=5_000, longest_ms=300_000, halving_ms=900_000)
"""Every switching off is proved at the exchange, at a call or two a second; off is never paced, so on must be."""
REWRITING = Pace(free=30, first_ms=2_000, longest_ms=300_000, halving_ms=900_000)
"""Every version of somebody's instructions is kept for good."""
WAITING = 3
"""Checks that may wait while one is made."""
PATIENCE_S = 15.0
BUSY = Refusal("refuse.busy")
AWAY = Refusal("refuse.budget")
_log = log.get("accounts.checking")


def one_at_a_time(*, waiting: int = WAITING, patience_s: float = PATIENCE_S) -> Bulkhead:
    """One inside, at most *waiting* in front for *patience_s* seconds; *NotNow* for everybody else."""
    words = Refusals(NotNow, "others are being checked at this moment", "the check before this one takes too long")
    return Bulkhead(words, at_once=1, waiting=waiting, patience_s=patience_s)


class PacedChecks:
    """The door in front of every call that a web request can cause; safe from any thread."""

    def __init__(self, throttles: Throttles, clock: Clock, bulkhead: Bulkhead | None = None) -> None:
        self._throttles = throttles
        self._clock = clock
        self._bulkhead = bulkhead or one_at_a_time()

    def counted(self, *tallies: tuple[str, Pace]) -> Refusal | None:
        """Count one try under every tally, or say how long to wait and count none."""
        now = self._clock.now_ms()
        for place, (key, pace) in enumerate(tallies):
            if wait_ms := self._throttles.attempt(key, pace, now):
                self._forgive(tallies[:place])
                return Refusal("refuse.wait", seconds=-(-wait_ms // 1000))
        return None

    def run(self, check: Callable[[], T], *tallies: tuple[str, Pace]) -> T | Refusal:
        """What *check* answers, when each of *tallies* (who, and their pace) allows it and it is its turn."""
        if refusal := self.counted(*tallies):
            return refusal
        try:
            with self._bulkhead.place():
                return check()
        except NotNow as busy:
            _log.warning("check.not_now", why=str(busy))
            self._forgive(tallies)
            return AWAY if isinstance(busy, BudgetAway) else BUSY

    def _forgive(self, tallies: tuple[tuple[str, Pace], ...]) -> None:
        for key, pace in tallies:
            self._throttles.forgive(key, pace, self._clock.now_ms())
