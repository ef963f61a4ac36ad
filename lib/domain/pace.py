"""
How soon a person may try again: delays that grow with tries and decay with time. Never a lock.

A tally is how many tries still count; it halves every *halving_ms*. The first *free* tries cost nothing, each further
try doubles the wait before the next. A try that comes too early is refused and does not count, so no attacker can keep
a person out for longer than *longest_ms* after the last counted try. Pure: the clock is the caller's. Times in ms.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """*free* tries without delay, then *first_ms* doubling up to *longest_ms*; tries count half after *halving_ms*."""

    free: int
    first_ms: int
    longest_ms: int
    halving_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """*weight* = tries that still counted at *at_ms*."""

    weight: float = 0.0
    at_ms: int = 0

    def now(self, pace: Pace, now_ms: int) -> float:
        """The weight left at *now_ms*; a clock that went back changes nothing."""
        passed = max(0, now_ms - self.at_ms)
        return float(self.weight * 0.5 ** (passed / pace.halving_ms))

    def wait_ms(self, pace: Pace, now_ms: int) -> int:
        """How long until another try is allowed; 0 = now."""
        beyond = self.weight - pace.free
        if beyond < 0:
            return 0
        delay = min(pace.longest_ms, int(pace.first_ms * 2.0 ** min(beyond, 40.0)))
        # a clock that went back must not lengthen the wait
        return max(0, delay - max(0, now_ms - self.at_ms))

    def tried(self, pace: Pace, now_ms: int) -> "Tally":
        """After one more try."""
        return Tally(self.now(pace, now_ms) + 1.0, max(now_ms, self.at_ms))

    def forgiven(self, pace: Pace, now_ms: int) -> "Tally":
        """After the last try turned out to be the person's own."""
        return Tally(max(0.0, self.now(pace, now_ms) - 1.0), max(now_ms, self.at_ms))
