"""Links to a new e-mail over SQL: `lib.ports.safety.EmailLinks`. One transaction a method, but for a taken e-mail."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.sessions import change_email, is_verified
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import exclusively
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.safety import email_links
from lib.domain.session import EmailMoved
from lib.domain.trail import Note
from lib.ports.safety import EmailLinks

link = email_links.c


class SqlEmailLinks(EmailLinks):
    """`lib.ports.safety.EmailLinks`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, token_sha256: str, email: str, expires_ms: int, note: Note, *, verified: str) -> bool:
        user_id = note.user_id
        values = {"user_id": user_id, "token_sha256": token_sha256, "email": email, "expires_ms": expires_ms}

        def add(connection: sa.Connection) -> bool:
            if not is_verified(connection, user_id, verified):
                return False
            connection.execute(sa.delete(email_links).where(link.user_id == user_id))
            connection.execute(sa.insert(email_links).values(values))
            record(connection, note)
            return True

        return transact(self._engine, add)

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        wanted = _living(token_sha256, now_ms, link.email)
        found: str | None = transact(self._engine, lambda c: c.scalar(wanted), readonly=True)
        return found

    def use(self, token_sha256: str, note: Note, besides: int = 0) -> EmailMoved | None:
        try:
            return transact(self._engine, lambda c: _use(c, token_sha256, note, besides))
        except IntegrityError:
            # somebody else's by now: the link has had its one use all the same
            used = sa.delete(email_links).where(link.token_sha256 == token_sha256)
            transact(self._engine, lambda c: c.execute(used) and None)
            return None


def _living(token_sha256: str, now_ms: int, *wanted: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(*wanted)
        .join(users, users.c.id == link.user_id)
        .where(link.token_sha256 == token_sha256, link.expires_ms > now_ms, users.c.deleted_at.is_(None))
    )


def _use(connection: sa.Connection, token_sha256: str, note: Note, besides: int) -> EmailMoved | None:
    wanted = (link.user_id, link.email, users.c.email.label("before"), users.c.locale)
    found = connection.execute(exclusively(_living(token_sha256, note.at_ms, *wanted))).one_or_none()
    if found is None:
        return None
    change_email(connection, found.email, replace(note, user_id=found.user_id), besides)
    return EmailMoved(found.user_id, found.before, found.locale)
