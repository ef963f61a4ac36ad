"""
The switches an operator throws, over SQL, for a process that holds no keys: `lib.ports.operators.SwitchBoard`.

The same transactions as the ledger's, without the rest of it: accounts are their switches alone, no sealed key is read.
What is done to one account is a line in its owner's trail, written with it. Each call in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.invites import add_invites
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger import locks, switches, telling
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.tables.people import accounts
from lib.clock import Clock
from lib.domain.events import Event
from lib.domain.switches import AccountStop, Flags
from lib.domain.trail import Actor, Note, TrailEvent
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
        def throw(connection: sa.Connection) -> None:
            left = switches.set_account_flags(connection, self._now, account_id, flags, who)
            self._note(connection, account_id, _event(flags, left))

        await self._write(throw)

    async def notice(self, account_id: int, event: Event) -> None:
        await self._write(lambda c: telling.tell_owner(c, account_id, event))

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        def end(connection: sa.Connection) -> bool:
            ended = locks.unlock(connection, self._now, account_id, kind, who)
            if ended and account_id:
                self._note(connection, account_id, TrailEvent.LOCK_ENDED, kind)
            return ended

        return await self._write(end)

    def _note(self, connection: sa.Connection, account_id: int, event: TrailEvent, detail: str = "") -> None:
        """A line in the trail of the account's owner: an operator did that."""
        owner = sa.select(accounts.c.user_id).where(accounts.c.id == account_id)
        user_id = connection.execute(owner).scalar_one()
        record(connection, Note(user_id, self._now(connection), event, detail, Actor.OPERATOR))

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.to_thread(transact, self._engine, work)


class SqlInvitations(Invitations):
    """`lib.ports.operators.Invitations`."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def add(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        transact(self._engine, lambda c: add_invites(c, codes_sha256, (self._now(c), expires_ms), who))


def _event(flags: Flags, left: AccountStop) -> TrailEvent:
    if flags.trading_enabled:
        return TrailEvent.RESUMED if left.trading_enabled else TrailEvent.STOP_ENDED
    return TrailEvent.FLATTENED if flags.flatten else TrailEvent.PAUSED


def _active(connection: sa.Connection) -> list[AccountSwitches]:
    query = sa.select(*_COLUMNS).where(accounts.c.active).order_by(accounts.c.id)
    return [AccountSwitches(*row) for row in connection.execute(query)]
