"""
A person's exchange key, what the venue says of the key, and what a sealed key is bound to. No repr shows a secret.
"""

from dataclasses import dataclass

from lib.domain.account import Doubt, Venue


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A person's exchange key; its repr shows nothing of the secret."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"ApiKey(••••{self.api_key[-4:]})"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """
    What the venue says of a key: the uid of its account and the key's rights. *expires_at* epoch ms, 0 = never.

    *doubts* name what the venue does not say; then *uid* is "" and the rights are those of an ordinary key.
    """

    uid: str
    may_trade: bool
    may_withdraw: bool
    may_transfer: bool
    read_only: bool
    unified: bool
    bound_ips: tuple[str, ...]
    expires_at: int
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a sealed key is bound to; a sealed key moved to another person, venue or version does not open."""

    user_id: int
    venue: Venue
    uid: str
    key_version: int
