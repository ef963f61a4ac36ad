"""
Personal tokens: made and taken back by their person, and who somebody is that shows one.

A token is 256 random bits behind `mm_`, shown once; the store keeps its sha256. A token is no session: it proves
nothing, makes no other token, and acts within its scope alone (`app.api.endpoints`); one that only reads is read-only
everywhere.
"""

import secrets
from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.entrance import LONGEST_TOKEN, sha256
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import unproved
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.api_token import (
    DAY_MS,
    LIFETIMES,
    LONGEST_NAME,
    MOST_TOKENS,
    PREFIX,
    SCOPES,
    TOUCH_MS,
    NewApiToken,
    Scope,
    scopes_of,
)
from lib.domain.trail import TrailEvent
from lib.ports.safety import ApiTokens


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token just made. *secret* exists here and with its person, nowhere else."""

    secret: str

    def __repr__(self) -> str:
        return "MadeToken(…)"


class TokenDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, tokens: ApiTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    @act
    def make(self, user: SessionUser, name: str, scope: Scope, days: int) -> MadeToken | Refusal:
        """A token called *name* that lives for *days*; a proof of the last five minutes is wanted."""
        if user.is_guest:
            return Refusal("refuse.guest")
        now = self._clock.now_ms()
        if refusal := unproved(user, now):
            return refusal
        wanted = name.strip()
        if not 0 < len(wanted) <= LONGEST_NAME or scope not in SCOPES or days not in LIFETIMES:
            return Refusal("refuse.token.form")
        secret = PREFIX + secrets.token_urlsafe(32)
        new = NewApiToken(sha256(secret), user.user_id, wanted, scope, now, now + days * DAY_MS)
        note = note_of(user, TrailEvent.TOKEN_MADE, now, wanted)
        return MadeToken(secret) if self._tokens.add(new, note, MOST_TOKENS) else Refusal("refuse.token.most")

    @act
    def revoke(self, user: SessionUser, token_id: int) -> Refusal | None:
        """Take it back: it opens nothing from now on."""
        note = note_of(user, TrailEvent.TOKEN_REVOKED, self._clock.now_ms())
        return None if self._tokens.revoke(user.user_id, token_id, note) else Refusal("refuse.token.gone")

    def user_of(self, secret: str) -> SessionUser | None:
        """In whose name, and how far, *secret* acts now; None for a revoked, an expired or an invented one."""
        if not secret.startswith(PREFIX) or len(secret) > LONGEST_TOKEN:
            return None
        key, now = sha256(secret), self._clock.now_ms()
        held = self._tokens.find(key)
        if held is None or not held.token.lives(now):
            return None
        if now - held.token.used_ms >= TOUCH_MS:
            self._tokens.touch(key, now)
        scopes = scopes_of(held.token.scope)
        return SessionUser(
            held.user_id,
            held.email,
            held.locale,
            held.is_demo,
            read_only="control" not in scopes,
            agent=held.token.name,
            scopes=scopes,
        )
