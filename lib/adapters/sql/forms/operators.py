"""
Who is an operator now, over SQL: `lib.ports.operators.OperatorRoster`.

Whether somebody has the role is asked anew each time, so a role that was taken opens nothing from that moment on.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.people import users
from lib.ports.operators import OperatorRoster

MAY_BE = (users.c.deleted_at.is_(None), sa.not_(users.c.is_guest), sa.not_(users.c.is_demo))
"""Who can have the role at all."""


def has_role(connection: sa.Connection, user_id: int) -> bool:
    """Whether the person has the role now."""
    query = (
        sa.select(operators.c.user_id)
        .join(users, users.c.id == operators.c.user_id)
        .where(operators.c.user_id == user_id, operators.c.revoked_ms == 0, *MAY_BE)
    )
    return connection.execute(query).first() is not None


class SqlOperatorRoster(OperatorRoster):
    """`lib.ports.operators.OperatorRoster`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def is_operator(self, user_id: int) -> bool:
        return transact(self._engine, lambda c: has_role(c, user_id), readonly=True)
