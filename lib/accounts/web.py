"""
Who asks, and from where: the words the web and the use-cases behind it share, besides `Refusal`.

Values only. How a person is recognised is `lib.accounts.people`.
"""

from dataclasses import dataclass

from lib.accounts.refusal import Refusal as Refusal
from lib.domain.account import Colours, Numbers, Theme
from lib.domain.api_token import Scope


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the client's address as far as our own proxies vouch for it, and its browser."""

    ip: str
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class SessionUser:
    """
    A signed-in person. *read_only* = may look, every act is refused; *locale* is "ko" or "en" and *colours* those of a
    rise, both as they chose; *network* is where the session was opened, as tallies name it; a guest has no password and
    ends with their last session. *session_id* and *agent* are the session's number and its browser's own name,
    *proved_ms* when it last proved whose it is (epoch ms).
    """

    user_id: int
    email: str
    locale: str
    is_demo: bool = False
    read_only: bool = False
    network: str = ""
    colours: Colours = "language"
    is_guest: bool = False
    session_id: int = 0
    agent: str = ""
    proved_ms: int = 0
    time_zone: str = ""
    """Of the person's pages, an IANA name; empty = as the language has it."""
    theme: Theme = "system"
    numbers: Numbers = "point"
    scopes: frozenset[Scope] | None = None
    """What a personal token may do; None for who is signed in themselves."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """
    A session just begun. *token* exists here and in the browser's cookie, nowhere else; so does *browser*, by which
    this browser is known as the person's at their next sign-in ("" = it is not remembered).
    """

    token: str
    user: SessionUser
    browser: str = ""

    def __repr__(self) -> str:
        return f"SignedIn({self.user!r})"
