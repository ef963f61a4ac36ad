"""
Passwords: argon2id, 19 MiB and two passes (about 20 ms), and the same time for a person who does not exist.

A password is NFC text of 1 to 1,024 characters, so one typed on another keyboard or system still matches. Strength and
throttling are the business of forms and sign-in.
"""

import unicodedata

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from lib.ports.secrets import PasswordHasher

MAX_CHARS = 1_024


class Passwords(PasswordHasher):
    """Hashes carry their own parameters, so old ones verify after a change and `needs_rehash` says when to renew."""

    def __init__(self, *, memory_kib: int = 19_456, passes: int = 2, lanes: int = 1) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=argon2.Type.ID
        )
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The PHC string to store; ValueError for an empty or overlong password."""
        if not 1 <= len(password) <= MAX_CHARS:
            raise ValueError(f"a password has 1 to {MAX_CHARS} characters")
        return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether *password* made *stored*; None (no such person) costs the same and is False."""
        if len(password) > MAX_CHARS:
            return False
        try:
            matches = self._hasher.verify(stored or self._nobody, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return matches and bool(stored)

    def needs_rehash(self, stored: str) -> bool:
        """Whether *stored* was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
