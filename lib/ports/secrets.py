"""
Sealed keys and hashed passwords.
"""

from typing import Protocol

from lib.domain.api_key import ApiKey, SealContext


class Sealer(Protocol):
    """The web's half: it can seal a key and never open one."""

    def seal(self, key: ApiKey, context: SealContext) -> str: ...


class Opener(Protocol):
    """The trader's half: it opens sealed keys."""

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        """*Pause* when the seal does not fit the context or the key pair."""
        ...


class PasswordHasher(Protocol):
    """Hashes passwords, slowly on purpose: callers bound how many hashes run at once."""

    def hash(self, password: str) -> str:
        """The text to store."""
        ...

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether *password* made *stored*; None costs the same and is False."""
        ...

    def needs_rehash(self, stored: str) -> bool: ...
