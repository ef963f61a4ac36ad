"""
The lowest step as its person sees it: what paper has shown of the version that runs, and whether auto-trading may be
switched on in demo trading, as the switch judges it.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.demo_step import demo_facts
from lib.adapters.sql.tables.people import accounts, users
from lib.domain.account import Venue
from lib.domain.demo_step import demo_refusal
from lib.domain.reason import Reason
from lib.domain.stretch import OVERRIDE_LIFE_MS, Stretch
from lib.domain.venues import CAPABILITIES
from lib.queries.reading import Reading


@dataclass(frozen=True, slots=True)
class DemoStanding:
    """
    The step of who uses the account *account_id* on *venue*: paper, or one that waits for paper. *why* auto-trading is
    not to be switched on in demo trading, `NOTHING` = it may be; *overridden_until_ms* 0 = nobody did without.
    *can_learn*: the account is on paper at real prices, where a stretch can be begun. *is_on*: it is switched on.
    """

    account_id: int
    venue: Venue
    can_learn: bool
    is_on: bool
    why: Reason
    overridden_until_ms: int = 0
    stretches: tuple[Stretch, ...] = ()
    """On paper, of the strategy version that runs, the newest first."""

    @property
    def waits(self) -> bool:
        """Whether the account in use is one that waits for paper."""
        return CAPABILITIES[self.venue].waits_for_paper


class DemoStepReadings(Reading):
    """Read anew each time."""

    def demo_step(self, user_id: int, now_ms: int) -> DemoStanding | None:
        """The person's lowest step at *now_ms*; None without an account, and where the account has none."""
        return self._read(lambda c: _standing(c, user_id, now_ms))


def _standing(connection: sa.Connection, user_id: int, now_ms: int) -> DemoStanding | None:
    mine = sa.select(accounts.c.id, accounts.c.venue, accounts.c.feed, users.c.auto_trade_enabled)
    mine = mine.join(users, users.c.id == accounts.c.user_id)
    row = connection.execute(mine.where(accounts.c.user_id == user_id, accounts.c.active.is_(True))).one_or_none()
    if row is None:
        return None
    venue = CAPABILITIES[row.venue]
    if not (venue.opens_accounts or venue.waits_for_paper):
        return None
    facts = demo_facts(connection, user_id, row.id, now_ms)
    return DemoStanding(
        row.id,
        row.venue,
        venue.opens_accounts and row.feed in venue.feeds,
        bool(row.auto_trade_enabled),
        demo_refusal(facts),
        facts.overridden_ms + OVERRIDE_LIFE_MS if facts.does_without else 0,
        tuple(facts.stretches or ()),
    )
