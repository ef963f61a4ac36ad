"""What stands between a person and real money: every gate of the account in use, as the claim judges it."""

from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.real_money import real_facts
from lib.adapters.sql.tables.people import accounts
from lib.domain.account import Venue
from lib.domain.real_money import Standing, standings
from lib.queries.reading import Reading


@dataclass(frozen=True, slots=True)
class RealStanding:
    """The gates of the account *account_id* on *venue*; *consented* = a consent to its key stands."""

    account_id: int
    venue: Venue
    gates: tuple[Standing, ...]
    consented: bool


class RealMoneyReadings(Reading):
    """Read anew each time."""

    def real_money(self, user_id: int, now_ms: int) -> RealStanding | None:
        """The gates of the person's active account at *now_ms*; None without one."""
        return self._read(lambda c: _standing(c, user_id, now_ms))


def _standing(connection: sa.Connection, user_id: int, now_ms: int) -> RealStanding | None:
    mine = sa.select(accounts.c.id, accounts.c.venue).where(accounts.c.user_id == user_id, accounts.c.active.is_(True))
    row = connection.execute(mine).one_or_none()
    if row is None:
        return None
    facts = real_facts(connection, row.id, now_ms)
    return RealStanding(row.id, row.venue, standings(facts), facts.has_consent)
