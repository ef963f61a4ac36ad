"""The web's half of the risk locks: a person ends one of their own account. `lib.ports.people.OwnLocks`."""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger import locks
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.tables.people import accounts
from lib.clock import Clock
from lib.domain.trail import Note
from lib.ports.people import OwnLocks


class SqlOwnLocks(OwnLocks):
    """`lib.ports.people.OwnLocks`; without *clock* the database's own is read, as by the ledger."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def end(self, user_id: int, kind: str, note: Note | None = None) -> bool:
        return transact(self._engine, lambda c: self._end(c, user_id, kind, note))

    def _end(self, connection: sa.Connection, user_id: int, kind: str, note: Note | None) -> bool:
        living_user(connection, user_id)  # the person's row first, then the account's, as everywhere
        mine = sa.select(accounts.c.id).where(accounts.c.user_id == user_id, accounts.c.active)
        account_id = connection.execute(mine).scalar_one_or_none()
        if account_id is None or not locks.unlock(connection, self._now, account_id, kind, f"user:{user_id}"):
            return False
        record(connection, note)
        return True
