"""
The trails of people's accounts over SQL: `lib.ports.people.Trail`, and the line other forms write in their own
transactions.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.tables.people import audit_events, sessions
from lib.domain.trail import Note
from lib.ports.people import Trail


class SqlTrail(Trail):
    """`lib.ports.people.Trail`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def write(self, note: Note) -> None:
        transact(self._engine, lambda c: record(c, note))

    def drop_older(self, before_ms: int) -> int:
        old = sa.delete(audit_events).where(audit_events.c.at_ms < before_ms)
        return transact(self._engine, lambda c: c.execute(old).rowcount)


def acts_still(connection: sa.Connection, note: Note) -> bool:
    """
    Whether the session of *note* stands, asked with its person's row locked: a new password ends sessions under that
    lock, so that nothing a thief makes at that moment outlives it.
    """
    mine = sa.select(sessions.c.id).where(sessions.c.id == note.session_id, sessions.c.user_id == note.user_id)
    return not note.session_id or connection.execute(mine).first() is not None


def record(connection: sa.Connection, note: Note | None) -> None:
    """Write *note* in the transaction of *connection*; nothing for None."""
    if note is None:
        return
    values = {
        "user_id": note.user_id,
        "at_ms": note.at_ms,
        "event": note.event.value,
        "detail": note.detail,
        "actor": note.actor.value,
        "network": note.network.encode("ascii", "replace").decode()[:50],
        "user_agent": note.agent[:200],
    }
    connection.execute(sa.insert(audit_events).values(values))
