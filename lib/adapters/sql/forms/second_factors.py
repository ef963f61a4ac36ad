"""Authenticators and recovery codes over SQL: `lib.ports.safety.SecondFactors`. One transaction a method."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.tables.safety import authenticators, recovery_codes
from lib.domain.second_factor import Authenticator
from lib.domain.trail import Note
from lib.ports.safety import SecondFactors

kept, codes = authenticators.c, recovery_codes.c


class SqlSecondFactors(SecondFactors):
    """`lib.ports.safety.SecondFactors`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def authenticator(self, user_id: int) -> Authenticator | None:
        query = sa.select(kept.sealed, kept.last_step, kept.confirmed).where(kept.user_id == user_id)
        row = transact(self._engine, lambda c: c.execute(query).one_or_none(), readonly=True)
        return None if row is None else Authenticator(row[0], row[1], row[2])

    def propose(self, user_id: int, sealed: str) -> bool:
        return transact(self._engine, lambda c: _propose(c, user_id, sealed))

    def confirm(self, sealed: str, step: int, codes_sha256: Sequence[str], note: Note) -> bool:
        values, waits = {"confirmed": True, "last_step": step}, sa.not_(kept.confirmed) & (kept.sealed == sealed)
        return transact(self._engine, lambda c: _change(c, waits, values, codes_sha256, note))

    def spend_step(self, user_id: int, step: int) -> bool:
        newer = (kept.user_id == user_id, kept.confirmed, kept.last_step < step)
        change = sa.update(authenticators).where(*newer).values(last_step=step)
        return transact(self._engine, lambda c: c.execute(change).rowcount == 1)

    def spend_code(self, user_id: int, code_sha256: str, note: Note) -> bool:
        unused = (codes.user_id == user_id, codes.code_sha256 == code_sha256, codes.used_ms == 0)
        change = sa.update(recovery_codes).where(*unused).values(used_ms=note.at_ms)

        def spend(connection: sa.Connection) -> bool:
            if connection.execute(change).rowcount == 0:
                return False
            record(connection, note)
            return True

        return transact(self._engine, spend)

    def renew_codes(self, codes_sha256: Sequence[str], note: Note) -> bool:
        return transact(self._engine, lambda c: _change(c, sa.true() == kept.confirmed, {}, codes_sha256, note))

    def drop(self, user_id: int, note: Note | None) -> bool:
        return transact(self._engine, lambda c: drop_factor(c, user_id, note))


def drop_factor(connection: sa.Connection, user_id: int, note: Note | None) -> bool:
    """The port's `drop`, in the transaction of *connection*."""
    connection.execute(sa.delete(recovery_codes).where(codes.user_id == user_id))
    gone = connection.execute(sa.delete(authenticators).where(kept.user_id == user_id)).rowcount
    if gone:
        record(connection, note)
    return bool(gone)


def _propose(connection: sa.Connection, user_id: int, sealed: str) -> bool:
    living_user(connection, user_id)  # its lock makes two tabs take turns
    known = connection.execute(sa.select(kept.confirmed).where(kept.user_id == user_id)).one_or_none()
    if known is not None and known[0]:
        return False
    connection.execute(sa.delete(authenticators).where(kept.user_id == user_id))
    connection.execute(sa.insert(authenticators).values(user_id=user_id, sealed=sealed))
    return True


def _change(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    values: dict[str, Any],
    codes_sha256: Sequence[str],
    note: Note,
) -> bool:
    """Give the person's authenticator, if it is one of *which*, the *values*, and fresh codes."""
    user_id = note.user_id
    living_user(connection, user_id)
    if connection.execute(sa.select(kept.user_id).where(kept.user_id == user_id, which)).one_or_none() is None:
        return False
    if values:
        connection.execute(sa.update(authenticators).where(kept.user_id == user_id).values(values))
    connection.execute(sa.delete(recovery_codes).where(codes.user_id == user_id))
    connection.execute(sa.insert(recovery_codes), [{"user_id": user_id, "code_sha256": code} for code in codes_sha256])
    record(connection, note)
    return True
