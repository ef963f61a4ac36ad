"""
How long a signed-in browser stays signed in. Pure; times in epoch ms.
"""

from dataclasses import dataclass

from lib.domain.account import Colours, Numbers, Theme
from lib.domain.second_factor import Authenticator

ABSOLUTE_MS = 24 * 3_600_000
"""The longest life of a session, however much it is used."""
IDLE_MS = 2 * 3_600_000
"""The longest life of a session that is not used."""


def is_over(created_ms: int, seen_ms: int, now_ms: int) -> bool:
    """Whether a session begun at *created_ms* and last used at *seen_ms* has ended by itself."""
    return now_ms - created_ms >= ABSOLUTE_MS or now_ms - seen_ms >= IDLE_MS


@dataclass(frozen=True, slots=True)
class Login:
    """
    A person's record for signing in; a hash that is no argon2 hash matches no password. *authenticator* is the
    confirmed one.
    """

    user_id: int
    password_hash: str
    is_demo: bool
    email: str = ""
    authenticator: Authenticator | None = None

    def __repr__(self) -> str:
        return f"Login({self.user_id})"


@dataclass(frozen=True, slots=True)
class EmailMoved:
    """A person who signs in by another e-mail now: *before* is the older one, *locale* the language they read."""

    user_id: int
    before: str
    locale: str

    def __repr__(self) -> str:
        return f"EmailMoved({self.user_id})"


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    A session before it is stored; only the token's sha256 (hex) is ever stored. Times in epoch ms; *proved_ms* is when
    it was last proved whose it is, 0 = never.
    """

    token_sha256: str
    user_id: int
    read_only: bool
    ip: str
    user_agent: str
    now_ms: int
    proved_ms: int = 0


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A stored session with its person."""

    user_id: int
    email: str
    locale: str
    is_demo: bool
    read_only: bool
    created_ms: int
    seen_ms: int
    ip: str = ""
    """The address from which the session was opened."""
    colours: Colours = "language"
    is_guest: bool = False
    session_id: int = 0
    user_agent: str = ""
    proved_ms: int = 0
    time_zone: str = ""
    theme: Theme = "system"
    numbers: Numbers = "point"
