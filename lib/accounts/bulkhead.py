"""
A few at once, a short queue in front, and the rest told at once to come back: a flood takes no threads.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusals:
    """What is raised: *kind* with the words for a *full* queue, and for one that is too *slow*."""

    kind: type[Exception]
    full: str
    slow: str


class Bulkhead:
    """*at_once* inside, at most *waiting* in front for *patience_s* seconds, and a refusal for everybody else."""

    def __init__(self, refusals: Refusals, *, at_once: int, waiting: int, patience_s: float) -> None:
        self._refusals = refusals
        self._running = threading.BoundedSemaphore(at_once)
        self._inside = threading.BoundedSemaphore(at_once + waiting)
        self._patience_s = patience_s

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be inside."""
        if not self._inside.acquire(blocking=False):
            raise self._refusals.kind(self._refusals.full)
        try:
            if not self._running.acquire(timeout=self._patience_s):
                raise self._refusals.kind(self._refusals.slow)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._inside.release()
