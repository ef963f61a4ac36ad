"""
A person's consents to real money over SQL: `lib.ports.real_money.RealConsents`, each with its line of the trail.

A consent opens nothing by itself: it is one of the gates, and the others are written where the web does not reach.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import acts_still, record
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.real_money import real_consents
from lib.domain.trail import Note
from lib.ports.real_money import RealConsents


class SqlRealConsents(RealConsents):
    """`lib.ports.real_money.RealConsents`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def give(self, account_id: int, note: Note) -> bool:
        return transact(self._engine, lambda c: _give(c, account_id, note))

    def withdraw(self, note: Note) -> bool:
        return transact(self._engine, lambda c: _withdraw(c, note))


def _give(connection: sa.Connection, account_id: int, note: Note) -> bool:
    living_user(connection, note.user_id)
    mine = sa.select(accounts.c.key_version).where(
        accounts.c.id == account_id, accounts.c.user_id == note.user_id, accounts.c.active.is_(True)
    )
    version = connection.scalar(mine)
    if version is None or not acts_still(connection, note):
        return False
    values = {"user_id": note.user_id, "account_id": account_id, "key_version": version, "given_ms": note.at_ms}
    connection.execute(sa.insert(real_consents).values(values))
    record(connection, note)
    return True


def _withdraw(connection: sa.Connection, note: Note) -> bool:
    standing = (real_consents.c.user_id == note.user_id, real_consents.c.withdrawn_ms == 0)
    done = connection.execute(sa.update(real_consents).where(*standing).values(withdrawn_ms=note.at_ms))
    if done.rowcount:
        record(connection, note)
    return bool(done.rowcount)
