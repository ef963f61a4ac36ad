"""
Who is an operator, what operators ask for on the web, and the narrow half of the switches that their acts need.

The role is given and taken on a terminal alone; the web can only ask whether a person has it.
"""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.events import Event
from lib.domain.operator_act import NewAct, OperatorAct, OperatorRow
from lib.domain.reason import Reason
from lib.domain.switches import Flags


class NoOperator(ValueError):
    """The role cannot be given to, or taken from, that person."""


class NoSuchSubject(LookupError):
    """The account that an act is about does not exist."""


class OperatorRoster(Protocol):
    """Who has the role now (synchronous)."""

    def is_operator(self, user_id: int) -> bool:
        """Whether the person has the role now; deleted people, guests and the demo person never do."""
        ...


class OperatorRegister(OperatorRoster, Protocol):
    """The role as a terminal gives and takes it (synchronous)."""

    def grant(self, email: str, by: str) -> bool:
        """Give the role; False when the person has it. *NoOperator* for nobody, a guest and the demo person."""
        ...

    def revoke(self, email: str, by: str) -> bool:
        """Take the role; False when the person does not have it. *NoOperator* for nobody by that e-mail."""
        ...

    def operators(self) -> list[OperatorRow]:
        """Everybody who has or had the role, the newest first."""
        ...


class OperatorActs(Protocol):
    """The web's half of the acts (synchronous). An act is stored before anything of it happens, and never changed."""

    def begin(self, act: NewAct) -> int:
        """
        Store *act*; its id. *NoOperator* when its person is not an operator (any more), *NoSuchSubject* when its
        account does not exist.
        """
        ...

    def end(self, act_id: int, result: Reason) -> None:
        """Write what became of the act."""
        ...


class TerminalActs(Protocol):
    """The terminal's own acts, for the room to read (synchronous)."""

    def begin(self, act: NewAct) -> int:
        """Store *act*, which names no person; its id. *NoSuchSubject* when its account does not exist."""
        ...

    def end(self, act_id: int, result: Reason) -> None:
        """Write what became of the act."""
        ...


class RequestedActs(Protocol):
    """The trader's half: the acts that wait for it. An act is taken once; one never finished is marked so."""

    async def waiting(self) -> bool:
        """Whether any act waits for a trader."""
        ...

    async def take(self, now_ms: int) -> list[OperatorAct]:
        """Mark the waiting acts as taken by us and return those whose person is an operator still, oldest first."""
        ...

    async def done(self, act_id: int, result: Reason) -> None:
        """Write what became of the act."""
        ...


class Switched(Protocol):
    """The switches of one account, whatever else is known of it."""

    @property
    def account_id(self) -> int: ...

    @property
    def trading_enabled(self) -> bool: ...

    @property
    def flatten(self) -> bool: ...

    @property
    def switched_ms(self) -> int: ...

    @property
    def proven_ms(self) -> int: ...

    @property
    def paused_by(self) -> str: ...


class SwitchBoard(Protocol):
    """Every switch an operator may throw; `lib.ports.ledger.Ledger` is one. Methods are those of the ledger."""

    async def flags(self) -> Flags: ...

    async def accounts(self) -> Sequence[Switched]: ...

    async def set_flags(self, flags: Flags, who: str) -> None: ...

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None: ...

    async def notice(self, account_id: int, event: Event) -> None: ...

    async def unlock(self, account_id: int, kind: str, who: str) -> bool: ...


class Invitations(Protocol):
    """New invitations (synchronous)."""

    def add(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        """One invitation for each of *codes_sha256*, good once and before *expires_ms*."""
        ...
