"""Passkeys over SQL: `lib.ports.safety.Passkeys`. One transaction a method."""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import acts_still, record
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.safety import passkeys
from lib.domain.passkey import MOST_PASSKEYS, NewPasskey, Passkey
from lib.domain.trail import Note
from lib.ports.safety import Passkeys

of = passkeys.c
_ROW = sa.select(of.id, of.user_id, of.credential_id, of.public_key, of.sign_count)


class SqlPasskeys(Passkeys):
    """`lib.ports.safety.Passkeys`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_person(self, user_id: int) -> list[Passkey]:
        query = _ROW.where(of.user_id == user_id).order_by(of.id)
        rows = transact(self._engine, lambda c: c.execute(query).all(), readonly=True)
        return [Passkey(*row) for row in rows]

    def find(self, credential_sha256: str) -> Passkey | None:
        query = _ROW.where(of.credential_sha256 == credential_sha256)
        row = transact(self._engine, lambda c: c.execute(query).one_or_none(), readonly=True)
        return None if row is None else Passkey(*row)

    def add(self, new: NewPasskey, credential_sha256: str, name: str, note: Note) -> bool:
        values = {
            "user_id": note.user_id,
            "credential_sha256": credential_sha256,
            "credential_id": new.credential_id,
            "public_key": new.public_key,
            "sign_count": new.sign_count,
            "name": name,
            "created_ms": note.at_ms,
        }

        def add(connection: sa.Connection) -> bool:
            living_user(connection, note.user_id)  # its lock makes two tabs take turns
            if not acts_still(connection, note):
                return False
            mine = sa.select(sa.func.count()).select_from(passkeys).where(of.user_id == note.user_id)
            if (connection.scalar(mine) or 0) >= MOST_PASSKEYS or not insert_once(connection, passkeys, values):
                return False
            record(connection, note)
            return True

        return transact(self._engine, add)

    def used(self, passkey_id: int, sign_count: int, now_ms: int) -> bool:
        change = sa.update(passkeys).where(of.id == passkey_id).values(sign_count=sign_count, used_ms=now_ms)
        return transact(self._engine, lambda c: c.execute(change).rowcount == 1)

    def remove(self, user_id: int, passkey_id: int, note: Note) -> bool:
        gone = sa.delete(passkeys).where(of.id == passkey_id, of.user_id == user_id)

        def remove(connection: sa.Connection) -> bool:
            if connection.execute(gone).rowcount == 0:
                return False
            record(connection, note)
            return True

        return transact(self._engine, remove)
