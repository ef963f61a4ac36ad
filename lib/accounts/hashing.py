"""
A gate before the slow password hash: a few at once, a short queue, and the rest told to come back.

Argon2 takes tens of milliseconds and megabytes each, on purpose; without a gate a flood of sign-ins would take every
core from the people already inside.
"""

from lib.accounts.bulkhead import Bulkhead, Refusals
from lib.domain.errors import Retry
from lib.ports.secrets import PasswordHasher

FULL = Refusals(Retry, "too many people are signing in at this moment", "signing in takes too long at this moment")


class GatedHasher(PasswordHasher):
    """`PasswordHasher` with *at_once* running and *waiting* queued at most; *Retry* beyond, or after *patience_s*."""

    def __init__(self, hasher: PasswordHasher, *, at_once: int = 2, waiting: int = 24, patience_s: float = 5.0) -> None:
        self._hasher = hasher
        self._bulkhead = Bulkhead(FULL, at_once=at_once, waiting=waiting, patience_s=patience_s)

    def hash(self, password: str) -> str:
        """As `PasswordHasher.hash`."""
        with self._bulkhead.place():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """As `PasswordHasher.verify`."""
        with self._bulkhead.place():
            return self._hasher.verify(stored, password)

    def needs_rehash(self, stored: str) -> bool:
        """As `PasswordHasher.needs_rehash`; quick, so without a turn."""
        return self._hasher.needs_rehash(stored)
