"""
Token buckets: how often somebody may do something, with a burst to begin with. Pure; the caller says what time it is.

A bucket is refilled by the time that went by, so nothing runs beside it; those that are full again are forgotten, so
however many names come by, only the busy ones are kept.
"""

from collections.abc import Hashable
from dataclasses import dataclass

MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Pace:
    """*burst* at once, then *per_s* a second."""

    burst: int
    per_s: float


class Allowance:
    """One bucket; full at first."""

    def __init__(self, pace: Pace, now_s: float) -> None:
        self._pace = pace
        self._left = float(pace.burst)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one; False when there is none."""
        if self.left(now_s) < 1:
            return False
        self._left -= 1
        return True

    def owe(self, now_s: float) -> float:
        """Take one in any case; seconds until it would have been there."""
        self._left = self.left(now_s) - 1
        return max(0.0, -self._left / self._pace.per_s)

    def owe_within(self, now_s: float, patience_s: float) -> float | None:
        """As `owe`, but None, and nothing taken, when that is longer than *patience_s*."""
        return None if self.left(now_s) - 1 < -patience_s * self._pace.per_s else self.owe(now_s)

    def left(self, now_s: float) -> float:
        """How many there are at *now_s*."""
        self._left = min(self._pace.burst, self._left + max(0.0, now_s - self._at_s) * self._pace.per_s)
        self._at_s = now_s
        return self._left


class Allowances:
    """A bucket of one pace for each name."""

    def __init__(self, pace: Pace, most_kept: int = MOST_KEPT) -> None:
        self._pace = pace
        self._most_kept = most_kept
        self._kept: dict[Hashable, Allowance] = {}

    def take(self, name: Hashable, now_s: float) -> bool:
        """Take one of *name*'s; False when there is none."""
        return self._of(name, now_s).take(now_s)

    def owe(self, name: Hashable, now_s: float) -> float:
        """Take one of *name*'s in any case; seconds until it would have been there."""
        return self._of(name, now_s).owe(now_s)

    def owe_within(self, name: Hashable, now_s: float, patience_s: float) -> float | None:
        """As `owe`, but None, and nothing taken, when that is longer than *patience_s*."""
        return self._of(name, now_s).owe_within(now_s, patience_s)

    @property
    def wait_s(self) -> int:
        """Whole seconds after which an empty bucket holds one again."""
        return max(1, round(1 / self._pace.per_s))

    def _of(self, name: Hashable, now_s: float) -> Allowance:
        if name not in self._kept:
            self._make_room(now_s)
            self._kept[name] = Allowance(self._pace, now_s)
        return self._kept[name]

    def _make_room(self, now_s: float) -> None:
        if len(self._kept) < self._most_kept:
            return
        self._kept = {name: kept for name, kept in self._kept.items() if kept.left(now_s) < self._pace.burst}
        while len(self._kept) >= self._most_kept:
            # all are busy: the oldest name begins anew
            del self._kept[next(iter(self._kept))]
