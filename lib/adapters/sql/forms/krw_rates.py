"""
A person's own won for one USDT over SQL: `lib.ports.people.WonBook`, the whole list in one transaction.

The person's row is locked first, so two tabs that save at once come one after the other.
"""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.tables.people import krw_rates
from lib.domain.won_rates import WonRate
from lib.ports.people import WonBook


class SqlWonBook(WonBook):
    """`lib.ports.people.WonBook`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def replace(self, user_id: int, before: Sequence[WonRate], after: Sequence[WonRate]) -> bool:
        return transact(self._engine, lambda c: _replace(c, user_id, tuple(before), tuple(after)))


def own_won_rates(connection: sa.Connection, user_id: int) -> tuple[WonRate, ...]:
    """The person's rates, by day."""
    mine = sa.select(krw_rates.c.day, krw_rates.c.rate).where(krw_rates.c.user_id == user_id).order_by(krw_rates.c.day)
    return tuple(WonRate(date.fromisoformat(day), rate) for day, rate in connection.execute(mine))


def _replace(connection: sa.Connection, user_id: int, before: tuple[WonRate, ...], after: tuple[WonRate, ...]) -> bool:
    living_user(connection, user_id)
    if own_won_rates(connection, user_id) != before:
        return False
    connection.execute(sa.delete(krw_rates).where(krw_rates.c.user_id == user_id))
    rows = [{"user_id": user_id, "day": str(one.day), "rate": one.krw} for one in after]
    if rows:
        connection.execute(sa.insert(krw_rates), rows)
    return True
