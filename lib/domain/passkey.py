"""
A passkey as it is stored: the public half of a key that never leaves its device. Pure; nothing here is secret.
"""

from dataclasses import dataclass

MOST_PASSKEYS = 10
NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Where the browser is: the *host* a passkey belongs to, and the *origin* that asks."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """Fresh from a browser; *credential_id* and *public_key* are base64url."""

    credential_id: str
    public_key: str
    sign_count: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """A stored one; *sign_count* is what its device last counted (0 = it does not count)."""

    id: int
    user_id: int
    credential_id: str
    public_key: str
    sign_count: int
