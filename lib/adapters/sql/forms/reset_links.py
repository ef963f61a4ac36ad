"""Links to a new password over SQL: `lib.ports.safety.ResetLinks`. One transaction a method."""

from dataclasses import replace

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.second_factors import drop_factor
from lib.adapters.sql.forms.sessions import change_password
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import exclusively
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.safety import passkeys, reset_links
from lib.domain.trail import Note
from lib.ports.safety import ResetLinks

link = reset_links.c


class SqlResetLinks(ResetLinks):
    """`lib.ports.safety.ResetLinks`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, token_sha256: str, user_id: int, expires_ms: int, note: Note, *, drops_factor: bool = False) -> None:
        values = {
            "token_sha256": token_sha256,
            "user_id": user_id,
            "expires_ms": expires_ms,
            "drops_factor": drops_factor,
        }

        def add(connection: sa.Connection) -> None:
            # a newer link ends the older ones: whoever found one in an old letter has nothing
            connection.execute(sa.delete(reset_links).where(link.user_id == user_id))
            connection.execute(sa.insert(reset_links).values(values))
            record(connection, note)

        transact(self._engine, add)

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        query = (
            sa.select(users.c.email)
            .join(reset_links, link.user_id == users.c.id)
            .where(link.token_sha256 == token_sha256, link.expires_ms > now_ms, users.c.deleted_at.is_(None))
        )
        return transact(self._engine, lambda c: c.scalar(query), readonly=True)

    def use(self, token_sha256: str, password_hash: str, note: Note) -> int | None:
        return transact(self._engine, lambda c: _use(c, token_sha256, password_hash, note))


def _use(connection: sa.Connection, token_sha256: str, password_hash: str, note: Note) -> int | None:
    query = exclusively(
        sa.select(link.user_id, link.drops_factor)
        .join(users, users.c.id == link.user_id)
        .where(link.token_sha256 == token_sha256, link.expires_ms > note.at_ms, users.c.deleted_at.is_(None))
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    # whoever else had found a way in has none left: no passkey of theirs, and as for any change no token and no chat
    connection.execute(sa.delete(passkeys).where(passkeys.c.user_id == found.user_id))
    change_password(connection, password_hash, replace(note, user_id=found.user_id))
    if found.drops_factor:
        drop_factor(connection, found.user_id, None)
    return int(found.user_id)
