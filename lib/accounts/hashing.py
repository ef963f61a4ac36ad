"""
A gate before the slow password hash: a few at once, a short queue, and the rest told to come back.

Argon2 takes tens of milliseconds and megabytes each, on purpose; without a gate a flood of sign-ins would take every
core from the people already inside.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lib.domain.errors import Retry
from lib.ports import PasswordHasher


class GatedHasher:
    """`PasswordHasher` with *at_once* running and *waiting* queued at most; *Retry* beyond, or after *patience_s*."""

    def __init__(self, hasher: PasswordHasher, *, at_once: int = 2, waiting: int = 24, patience_s: float = 5.0) -> None:
        self._hasher = hasher
        self._running = threading.BoundedSemaphore(at_once)
        self._inside = threading.BoundedSemaphore(at_once + waiting)
        self._patience_s = patience_s

    def hash(self, password: str) -> str:
        """As `PasswordHasher.hash`."""
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """As `PasswordHasher.verify`."""
        with self._turn():
            return self._hasher.verify(stored, password)

    def needs_rehash(self, stored: str) -> bool:
        """As `PasswordHasher.needs_rehash`; quick, so without a turn."""
        return self._hasher.needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._inside.acquire(blocking=False):
            raise Retry("too many people are signing in at this moment")
        try:
            if not self._running.acquire(timeout=self._patience_s):
                raise Retry("signing in takes too long at this moment")
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._inside.release()
