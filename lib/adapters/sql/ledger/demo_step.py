"""
What the lowest step is judged by, as values: stretches on paper and the person's own word. Nothing here decides.
"""

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.ledger.real_money import UNREADABLE
from lib.adapters.sql.ledger.stretches import of_running, running_version
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.stretches import demo_overrides
from lib.domain.demo_step import DemoFacts
from lib.domain.stretch import Step, Stretch
from lib.domain.venues import CAPABILITIES

LOG = log.get("ledger.demo_step")


def waiting_account(connection: sa.Connection, user_id: int) -> int:
    """The person's active account where auto-trading waits for paper; 0 = theirs waits for nothing."""
    venues = [venue for venue, row in CAPABILITIES.items() if row.waits_for_paper]
    mine = sa.select(accounts.c.id).where(accounts.c.user_id == user_id, accounts.c.active.is_(True))
    return connection.scalar(mine.where(accounts.c.venue.in_(venues))) or 0


def demo_facts(connection: sa.Connection, user_id: int, account_id: int, now_ms: int) -> DemoFacts:
    """What is known at *now_ms* before auto-trading is switched on for the person's account *account_id*."""
    table = demo_overrides.c
    given = sa.select(sa.func.max(table.given_ms)).where(table.user_id == user_id, table.account_id == account_id)
    given = given.where(table.version_id == running_version(connection, user_id))
    return DemoFacts(now_ms, paper_stretches(connection, user_id), connection.scalar(given) or 0)


def paper_stretches(connection: sa.Connection, user_id: int) -> list[Stretch] | None:
    """The person's on paper, of the version that runs; None = they cannot be read."""
    try:
        return of_running(connection, user_id, Step.DEMO)
    except UNREADABLE as trouble:
        LOG.warning("demo_step.unreadable", trouble=type(trouble).__name__)
        return None
