"""
Sealed keys, the web's own lock, passkeys, and hashed passwords.
"""

from typing import Protocol

from lib.domain.api_key import ApiKey, SealContext
from lib.domain.model_profile import ModelSeal
from lib.domain.passkey import NewPasskey, Passkey, RelyingParty


class Sealer(Protocol):
    """The web's half: it can seal a key and never open one."""

    def seal(self, key: ApiKey, context: SealContext) -> str: ...


class Opener(Protocol):
    """The trader's half: it opens sealed keys."""

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        """*Pause* when the seal does not fit the context or the key pair."""
        ...


class ChannelSealer(Protocol):
    """The web's half for addresses of channels: it can seal one and never open it."""

    def seal(self, address: str, user_id: int, service: str) -> str:
        """*address* sealed for that person and service alone."""
        ...


class ChannelOpener(Protocol):
    """The notifier's half: it opens sealed addresses."""

    def open(self, sealed: str, user_id: int, service: str) -> str:
        """*Pause* when the seal is damaged, of somebody else's channel or of a key pair we do not have."""
        ...


class ModelSealer(Protocol):
    """The half for keys of models that web and terminal have: it can seal one and never open it."""

    def seal(self, key: str, bound: ModelSeal) -> str:
        """*key* sealed for that owner, name, address and version alone."""
        ...


class ModelOpener(Protocol):
    """The trader's half: it opens keys of models."""

    def open(self, sealed: str, bound: ModelSeal) -> str:
        """*Pause* when the seal is damaged, bound to something else, or of a key pair we do not have."""
        ...


class Lock(Protocol):
    """The web's own lock, for what the web alone must read back; *bound_to* names purpose and owner."""

    @property
    def works(self) -> bool:
        """Whether there is a secret to lock with."""
        ...

    def lock(self, text: str, bound_to: str) -> str:
        """*text* locked; ValueError where nothing can be."""
        ...

    def open(self, locked: str, bound_to: str) -> str | None:
        """The text again; None when it was locked for something else, or with another secret."""
        ...


class PasskeyCheck(Protocol):
    """WebAuthn: what a browser is asked, and whether its answer, JSON text of anybody, holds at *place*."""

    def registration(
        self, place: RelyingParty, challenge: bytes, handle: str, email: str, known: tuple[str, ...]
    ) -> str:
        """What a browser needs to make a passkey, JSON; *known* credentials are not made twice."""
        ...

    def authentication(self, place: RelyingParty, challenge: bytes) -> str:
        """What a browser needs to show one, JSON."""
        ...

    def registered(self, place: RelyingParty, challenge: bytes, answer: str) -> NewPasskey | None:
        """The passkey that *answer* shows; None when anything about it does not hold."""
        ...

    def authenticated(self, place: RelyingParty, challenge: bytes, answer: str, known: Passkey) -> int | None:
        """The device's new count when *answer* was made with *known*; None when anything does not hold."""
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
