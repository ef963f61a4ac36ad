"""
The operator's role as a terminal gives and takes it, over SQL: `lib.ports.operators.OperatorRegister`.

Only a terminal has this adapter (`make check` proves it). A row is never deleted: whoever had the role stays known,
with who gave and took it.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.operators import MAY_BE, SqlOperatorRoster, has_role
from lib.adapters.sql.ledger.rows import exclusively, ledger_clock
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.people import users
from lib.clock import Clock
from lib.domain.operator_act import OperatorRow
from lib.domain.spelling import normal_email
from lib.ports.operators import NoOperator, OperatorRegister

_TOLD = ("granted_by", "granted_ms", "revoked_by", "revoked_ms")


class SqlOperatorRegister(SqlOperatorRoster, OperatorRegister):
    """`lib.ports.operators.OperatorRegister`; without *clock* the database's own dates everything."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        super().__init__(engine)
        self._now = ledger_clock(engine, clock)

    def grant(self, email: str, by: str) -> bool:
        return transact(self._engine, lambda c: self._grant(c, email, by[:255]))

    def revoke(self, email: str, by: str) -> bool:
        return transact(self._engine, lambda c: self._revoke(c, email, by[:255]))

    def operators(self) -> list[OperatorRow]:
        query = (
            sa.select(operators.c.user_id, users.c.email, *(operators.c[name] for name in _TOLD))
            .join(users, users.c.id == operators.c.user_id)
            .order_by(operators.c.granted_ms.desc(), operators.c.user_id.desc())
        )
        return transact(self._engine, lambda c: [OperatorRow(*row) for row in c.execute(query)], readonly=True)

    def _grant(self, connection: sa.Connection, email: str, by: str) -> bool:
        user_id = _person(connection, email, *MAY_BE)
        if has_role(connection, user_id):
            return False
        values = {"granted_by": by, "granted_ms": self._now(connection), "revoked_by": "", "revoked_ms": 0}
        mine = operators.c.user_id == user_id
        if connection.execute(sa.update(operators).where(mine).values(values)).rowcount == 0:
            connection.execute(sa.insert(operators).values(user_id=user_id, **values))
        return True

    def _revoke(self, connection: sa.Connection, email: str, by: str) -> bool:
        user_id = _person(connection, email)
        taken = {"revoked_by": by, "revoked_ms": self._now(connection)}
        held = (operators.c.user_id == user_id, operators.c.revoked_ms == 0)
        return connection.execute(sa.update(operators).where(*held).values(taken)).rowcount == 1


def _person(connection: sa.Connection, email: str, *where: sa.ColumnElement[bool]) -> int:
    query = exclusively(sa.select(users.c.id).where(users.c.email == normal_email(email), *where))
    user_id = connection.execute(query).scalar_one_or_none()
    if user_id is None:
        raise NoOperator("there is no registered person with that e-mail")
    return int(user_id)
