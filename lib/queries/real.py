"""
What stands between a person and real money: every gate of the account in use, as the claim judges it; and for operators
what is left of their cap, and why.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.ledger.real_money import newest_cap, open_positions, opened_today, real_facts
from lib.adapters.sql.ledger.stretches import REAL
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.people import accounts, outbox, symbols
from lib.adapters.sql.tables.real_money import real_consents
from lib.adapters.sql.tables.safety import authenticators, passkeys
from lib.domain.account import Venue
from lib.domain.real_money import CAP_LIFE_MS, INCIDENTS, RealCap, Standing, standings
from lib.domain.reason import Reason
from lib.domain.stretch import Stretch
from lib.queries.reading import Reading


@dataclass(frozen=True, slots=True)
class RealStanding:
    """The gates of the account *account_id* on *venue*; *consented* = a consent to its key stands."""

    account_id: int
    venue: Venue
    gates: tuple[Standing, ...]
    consented: bool
    stretches: tuple[Stretch, ...] = ()
    """Of the strategy version that runs, the newest first."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What went wrong on a real account, at *at_ms*, and shrank the cap."""

    at_ms: int
    account_id: int
    why: Reason


@dataclass(frozen=True, slots=True)
class CapStanding:
    """
    The cap for real money as *written*, what is *left* of it after *incidents*, and what is in use: accounts whose
    consent stands, positions open or coming, USDT of entries today.
    """

    written: RealCap
    left: RealCap
    incidents: tuple[Incident, ...]
    accounts: int
    positions: int
    opened_today: Decimal

    @property
    def ends_ms(self) -> int:
        """From when nothing is entered any more."""
        return self.written.written_ms + CAP_LIFE_MS


def cap_standing(connection: sa.Connection, now_ms: int) -> CapStanding | None:
    """The deployment's cap at *now_ms*; None where none was written, or it cannot be read."""
    try:
        cap = newest_cap(connection)
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return None
    if cap is None:
        return None
    found = _incidents(connection, cap.written_ms)
    return CapStanding(
        cap,
        cap.after(len(found)),
        found,
        connection.scalar(_CONSENTED) or 0,
        open_positions(connection, (0, "")),
        opened_today(connection, now_ms),
    )


_CONSENTED = (
    sa.select(sa.func.count())
    .select_from(real_consents)
    .join(accounts, accounts.c.id == real_consents.c.account_id)
    .where(real_consents.c.id.in_(sa.select(sa.func.max(real_consents.c.id)).group_by(real_consents.c.account_id)))
    .where(real_consents.c.withdrawn_ms == 0, accounts.c.key_version == real_consents.c.key_version)
    .where(accounts.c.active.is_(True), accounts.c.venue.in_(REAL))
)


def _incidents(connection: sa.Connection, since_ms: int) -> tuple[Incident, ...]:
    """As the claim counts them: everything of `INCIDENTS` on a real account since then, oldest first."""
    real = sa.select(accounts.c.id).where(accounts.c.venue.in_(REAL))
    kinds = [kind.value for kind in INCIDENTS]
    told = sa.select(outbox.c.created_at, outbox.c.account_id, outbox.c.body).where(
        outbox.c.account_id.in_(real), outbox.c.kind.in_(kinds), outbox.c.created_at >= utc_from_ms(since_ms)
    )
    rows = connection.execute(told.order_by(outbox.c.id)).all()
    return tuple(Incident(int(row.created_at.timestamp() * 1000), row.account_id, row.body) for row in rows)


class RealMoneyReadings(Reading):
    """Read anew each time."""

    def real_money(self, user_id: int, now_ms: int) -> RealStanding | None:
        """The gates of the person's active account at *now_ms*; None without one."""
        return self._read(lambda c: _standing(c, user_id, now_ms))


def operators_without_factor(connection: sa.Connection) -> int:
    """How many who have the operator's role have no second factor on."""
    confirmed = sa.exists().where(authenticators.c.user_id == operators.c.user_id, authenticators.c.confirmed.is_(True))
    keyed = sa.exists().where(passkeys.c.user_id == operators.c.user_id)
    bare = sa.select(sa.func.count()).select_from(operators)
    return connection.scalar(bare.where(operators.c.revoked_ms == 0, sa.not_(confirmed), sa.not_(keyed))) or 0


def _standing(connection: sa.Connection, user_id: int, now_ms: int) -> RealStanding | None:
    mine = sa.select(accounts.c.id, accounts.c.venue, symbols.c.symbol).join(
        symbols, symbols.c.symbol_no == accounts.c.symbol_no
    )
    mine = mine.where(accounts.c.user_id == user_id, accounts.c.active.is_(True))
    row = connection.execute(mine).one_or_none()
    if row is None:
        return None
    facts = real_facts(connection, (row.id, row.symbol), now_ms)
    return RealStanding(row.id, row.venue, standings(facts), facts.has_consent, tuple(facts.stretches))
