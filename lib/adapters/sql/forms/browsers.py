"""
Browsers somebody signed in with before, over SQL: `lib.ports.people.Browsers`. One transaction a method.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.people import known_browsers as known
from lib.ports.people import Browsers

MOST = 20
"""Browsers kept of one person."""


class SqlBrowsers(Browsers):
    """`lib.ports.people.Browsers`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def remember(self, token_sha256: str, user_id: int, now_ms: int) -> None:
        transact(self._engine, lambda c: _remember(c, token_sha256, user_id, now_ms))

    def owner(self, token_sha256: str) -> int | None:
        query = sa.select(known.c.user_id).where(known.c.token_sha256 == token_sha256)
        return transact(self._engine, lambda c: c.scalar(query), readonly=True)

    def forget_all(self, user_id: int) -> None:
        transact(self._engine, counted(sa.delete(known).where(known.c.user_id == user_id)))

    def drop_unseen(self, before_ms: int) -> int:
        return transact(self._engine, counted(sa.delete(known).where(known.c.seen_ms < before_ms)))


def _remember(connection: sa.Connection, token_sha256: str, user_id: int, now_ms: int) -> None:
    if not insert_once(connection, known, {"token_sha256": token_sha256, "user_id": user_id, "seen_ms": now_ms}):
        mine = (known.c.token_sha256 == token_sha256, known.c.user_id == user_id)
        connection.execute(sa.update(known).where(*mine).values(seen_ms=now_ms))
    newest = sa.select(known.c.token_sha256).where(known.c.user_id == user_id).order_by(known.c.seen_ms.desc())
    for old in connection.scalars(newest.offset(MOST).limit(1_000)).all():
        connection.execute(sa.delete(known).where(known.c.token_sha256 == old))
