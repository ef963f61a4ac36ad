"""
The switches an operator throws, over SQL, for a process that holds no keys: `lib.ports.operators.SwitchBoard`.

The same transactions as the ledger's, without the rest of it: accounts are their switches alone, no sealed key is read.
Each call in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.invites import add_invites
from lib.adapters.sql.ledger import locks, switches
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.tables.people import accounts
from lib.clock import Clock
from lib.domain.reason import Reason
from lib.domain.switches import Flags
from lib.ports.operators import Invitations, SwitchBoard, Switched

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccountSwitches:
    """The switches of one account."""

    account_id: int
    trading_enabled: bool
    flatten: bool
    switched_ms: int
    proven_ms: int
    paused_by: str


_COLUMNS = [accounts.c.id, *(accounts.c[name] for name in AccountSwitches.__dataclass_fields__ if name != "account_id")]


class SqlSwitchBoard(SwitchBoard):
    """`lib.ports.operators.SwitchBoard`; without *clock* the database's own dates a switch, as in the ledger."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    async def flags(self) -> Flags:
        return await asyncio.to_thread(transact, self._engine, switches.read_flags, readonly=True)

    async def accounts(self) -> Sequence[Switched]:
        return await asyncio.to_thread(transact, self._engine, _active, readonly=True)

    async def set_flags(self, flags: Flags, who: str) -> None:
        await self._write(lambda c: switches.set_flags(c, self._now, flags, who))

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        await self._write(lambda c: switches.set_account_flags(c, self._now, account_id, flags, who))

    async def notice(self, account_id: int, kind: str, why: Reason) -> None:
        await self._write(lambda c: switches.notice(c, account_id, kind, why))

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        return await self._write(lambda c: locks.unlock(c, self._now, account_id, kind, who))

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.to_thread(transact, self._engine, work)


class SqlInvitations(Invitations):
    """`lib.ports.operators.Invitations`."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def add(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        transact(self._engine, lambda c: add_invites(c, codes_sha256, (self._now(c), expires_ms), who))


def _active(connection: sa.Connection) -> list[AccountSwitches]:
    query = sa.select(*_COLUMNS).where(accounts.c.active).order_by(accounts.c.id)
    return [AccountSwitches(*row) for row in connection.execute(query)]
