"""
Personal tokens: what a program may do in a person's name.

A token reads, or reads and controls; neither reaches keys, sign-in, the account's safety or other tokens, whatever it
says. Pure.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["read", "control"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "mm_"
"""So that a leaked token is recognised for what it is."""
LONGEST_NAME = 60
MOST_TOKENS = 10
DAY_MS = 86_400_000
LIFETIMES: tuple[int, ...] = (7, 30, 90, 365)
"""Days a token may live."""
TOUCH_MS = 60_000
"""How stale the moment of last use may be."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as its person sees it: never the token itself. *used_ms* is 0 until it was used."""

    id: int
    name: str
    scope: Scope
    created_ms: int
    expires_ms: int
    used_ms: int = 0

    def lives(self, now_ms: int) -> bool:
        """Whether it opens anything at *now_ms*."""
        return now_ms < self.expires_ms


def scopes_of(scope: Scope) -> frozenset[Scope]:
    """What a token of *scope* may do: who controls also reads."""
    return frozenset(SCOPES if scope == "control" else ("read",))


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A stored token with its person."""

    token: ApiToken
    user_id: int
    email: str
    locale: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class NewApiToken:
    """One to be kept, by its sha256 alone."""

    token_sha256: str
    user_id: int
    name: str
    scope: Scope
    created_ms: int
    expires_ms: int
