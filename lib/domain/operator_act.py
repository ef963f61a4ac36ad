"""
An operator's act: what a person with the operator's role asked for on the web, or whoever runs the machine did on a
terminal, and what became of it. Pure.

Some acts are done by the web itself, as an owner's are (switches, locks, invitations); the others are carried out by
the trader, who alone holds keys and writes platform settings. Each is a row before anything happens; only a stop or a
close from a terminal is thrown first, for nothing may hold it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lib.domain.reason import NOTHING, Reason

ActKind = Literal["stop", "flatten", "resume", "unlock", "invite", "settle", "setting", "grant", "revoke", "reset_link"]
FOR_THE_TRADER: frozenset[ActKind] = frozenset({"settle", "setting"})
WHO = "operator:"
"""Followed by the operator's user id: how an act on the web is signed wherever a name is stored."""


@dataclass(frozen=True, slots=True)
class NewAct:
    """
    An act before it is stored. *account_id* 0 = the platform; *origin* is the network of the operator's session, and
    *asked_ms* epoch ms. Nothing in *args* is secret. An act of a terminal has no person but *who*: "cli:user@host".
    """

    user_id: int
    kind: ActKind
    account_id: int
    args: Mapping[str, str]
    origin: str
    asked_ms: int
    who: str = ""


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """A stored act as the trader takes it."""

    id: int
    user_id: int
    kind: ActKind
    account_id: int
    args: Mapping[str, str] = field(default_factory=dict)
    asked_ms: int = 0

    @property
    def who(self) -> str:
        """The operator's name in order histories and trails."""
        return signed(self.user_id)


@dataclass(frozen=True, slots=True)
class ActRow:
    """
    A stored act as the room shows it. *done_ms* 0 = not done yet, *taken_ms* 0 = nobody has begun; *user_id* 0 and no
    *email* = done on a terminal by *who*.
    """

    id: int
    user_id: int
    email: str
    kind: ActKind
    account_id: int
    args: Mapping[str, str]
    origin: str
    asked_ms: int
    taken_ms: int = 0
    done_ms: int = 0
    result: Reason = NOTHING
    who: str = ""


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """A person who has or had the role. Epoch ms; *revoked_ms* 0 = has it."""

    user_id: int
    email: str
    granted_by: str
    granted_ms: int
    revoked_by: str
    revoked_ms: int


def signed(user_id: int) -> str:
    """How an act of the operator *user_id* is signed."""
    return f"{WHO}{user_id}"
