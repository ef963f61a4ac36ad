"""
When which symbol of an account is inspected: pure, times are the caller's.

Every symbol of an account that may hold a position comes up again and again, evenly spread, at most *PER_SECOND*
inspections a second; a hint brings one forward at once, many hints in a moment bring one inspection. One inspection of
a symbol of an account runs at a time, and *most* of a group: a venue that does not answer holds up its own accounts
alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.domain.account import Slot

K = TypeVar("K", int, Slot)
LEAST_MS = 8_000
"""From the end of an inspection to the account's next one, while accounts are few: a re-read within 10 s."""
PER_SECOND = 40
"""Inspections by the timetable; 1,000 accounts come up again in 25 s."""
SOON_MS = 2_000
"""Until the next inspection of an account that is not right yet."""
DEBOUNCE_MS = 100
"""A change arrives as several hints: the inspection waits for the last of them this long."""
GAP_MS = 1_000
"""From the beginning of one inspection of an account to the next, however many hints come."""
BURST_MS = 200
"""How much unused time of the timetable is kept for later inspections."""


@dataclass(slots=True)
class NextInspection:
    """When an account comes up, epoch ms. *again* = a hint came during its inspection."""

    due_ms: int
    began_ms: int = 0
    is_hinted: bool = False
    is_running: bool = False
    is_kept: bool = True
    again: bool = False
    group: str = ""
    """The group whose limit of inspections at a time the account counts in."""


class Schedule(Generic[K]):
    """The guarded accounts' next inspections; at most *most* at a time in each group, as *group_of* names it."""

    def __init__(self, most: int = 32, group_of: Callable[[K], str] = lambda slot: "") -> None:
        self._most = most
        self._group_of: Callable[[K], str] = group_of
        self._inspections: dict[K, NextInspection] = {}
        self._running: Counter[str] = Counter()
        self._slot_ms = 0

    @property
    def interval_ms(self) -> int:
        """From the end of an account's inspection to its next one by the timetable."""
        return max(LEAST_MS, len(self._inspections) * 1000 // PER_SECOND)

    def keep(self, slots: Iterable[K], now: int) -> None:
        """Exactly *slots* come up by the timetable; new accounts first."""
        kept = set(slots)
        for slot in kept:
            self._inspections.setdefault(slot, NextInspection(now)).is_kept = True
        for slot, inspection in list(self._inspections.items()):
            inspection.is_kept = slot in kept
            self._forget(slot)

    def hint(self, slot: K, now: int) -> int:
        """A hint came for *slot*: in how many ms it may be inspected."""
        inspection = self._inspections.setdefault(slot, NextInspection(now, is_kept=False))
        inspection.is_hinted = True
        if inspection.is_running:
            inspection.again = True
            return GAP_MS
        inspection.due_ms = min(inspection.due_ms, max(now + DEBOUNCE_MS, inspection.began_ms + GAP_MS))
        return max(inspection.due_ms - now, 0)

    def begin(self, slot: K, now: int) -> bool:
        """Begin an inspection of *slot* now, unless one is under way."""
        inspection = self._inspections.setdefault(slot, NextInspection(now, is_kept=False))
        if inspection.is_running:
            return False
        inspection.is_running, inspection.began_ms, inspection.group = True, now, self._group_of(slot)
        self._running[inspection.group] += 1
        return True

    def is_running(self, slot: K) -> bool:
        """Whether an inspection of *slot* is under way."""
        inspection = self._inspections.get(slot)
        return inspection is not None and inspection.is_running

    def due(self, now: int) -> list[K]:
        """The accounts whose inspections begin now."""
        waiting = [
            (not inspection.is_hinted, inspection.due_ms, slot) for slot, inspection in self._inspections.items()
        ]
        ready = sorted(row for row in waiting if row[1] <= now and not self._inspections[row[2]].is_running)
        return [slot for by_table, _, slot in ready if self._room(slot, by_table, now) and self.begin(slot, now)]

    def _room(self, slot: K, by_table: bool, now: int) -> bool:
        if self._running[self._group_of(slot)] >= self._most:
            return False
        if by_table:
            self._slot_ms = max(self._slot_ms, now - BURST_MS)
            if self._slot_ms > now:
                return False
            self._slot_ms += 1000 // PER_SECOND
        return True

    def done(self, slot: K, now: int, *, soon: bool = False) -> None:
        """The account's inspection is over. *soon* = the account is not right yet."""
        inspection = self._inspections[slot]
        self._running[inspection.group] -= 1
        inspection.is_running = inspection.is_hinted = False
        inspection.due_ms = now + (SOON_MS if soon else self.interval_ms)
        if inspection.again:
            inspection.again, inspection.is_hinted = False, True
            inspection.due_ms = min(inspection.due_ms, max(now + DEBOUNCE_MS, inspection.began_ms + GAP_MS))
        elif not soon:
            self._forget(slot)

    def wait_ms(self, slot: K, now: int) -> int:
        """In how many ms *slot* comes up; the interval for an account that is not scheduled."""
        inspection = self._inspections.get(slot)
        return max(inspection.due_ms - now, 0) if inspection else self.interval_ms

    def next_ms(self, now: int, longest: int) -> int:
        """In how many ms any account may come up, at most *longest*."""
        dues = [inspection.due_ms for inspection in self._inspections.values() if not inspection.is_running]
        return min(max(min(dues, default=now + longest), self._slot_ms, now + 1) - now, longest)

    def _forget(self, slot: K) -> None:
        inspection = self._inspections[slot]
        if not (inspection.is_kept or inspection.is_running or inspection.is_hinted):
            del self._inspections[slot]
