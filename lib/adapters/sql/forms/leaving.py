"""
A person leaves: `lib.ports.safety.Leaving`, over SQL, in one transaction.

What says who they were goes (address, password, strategies, shadows, sessions, browsers, notes, factors, backtests,
links to records, entries of the arena), sealed keys are destroyed; orders, fills, decisions and sealed days stay under
a number, because every order row must keep standing for what the exchange has.
"""

import sqlalchemy as sa

from lib.adapters.sql.archive.expired import GONE, free_uids
from lib.adapters.sql.database.rights import RELABELS_UID, may
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user, retire_others
from lib.adapters.sql.ledger.switches import throw_of_person
from lib.adapters.sql.tables.analysts import own_models
from lib.adapters.sql.tables.arena import arena_entries, arena_standings
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.past import memory_tests, past_questions
from lib.adapters.sql.tables.people import (
    accounts,
    audit_events,
    credentials,
    known_browsers,
    krw_rates,
    notice_choices,
    outbox,
    sessions,
    users,
)
from lib.adapters.sql.tables.records import record_links
from lib.adapters.sql.tables.safety import (
    api_tokens,
    authenticators,
    email_links,
    passkeys,
    recovery_codes,
    reset_links,
)
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.adapters.sql.tables.telling import channels, chats, deliveries
from lib.ports.safety import Leaving

THEIRS = (
    sessions,
    known_browsers,
    audit_events,
    record_links,
    arena_standings,
    arena_entries,
    shadow_calls,
    shadows,
    past_questions,
    memory_tests,
    backtests,
    strategy_shares,
    strategy_runs,
    strategy_versions,
    strategies,
    own_models,
    krw_rates,
    outbox,
    notice_choices,
    channels,
    chats,
    authenticators,
    recovery_codes,
    reset_links,
    email_links,
    passkeys,
    api_tokens,
    operators,
)
"""Tables whose rows go, by `user_id`, each before those it refers to."""


class SqlLeaving(Leaving):
    """`lib.ports.safety.Leaving`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def leave(self, user_id: int, now_ms: int) -> None:
        transact(self._engine, lambda c: _leave(c, user_id, now_ms))


def _leave(connection: sa.Connection, user_id: int, now_ms: int) -> None:
    living_user(connection, user_id)
    throw_of_person(connection, user_id, now_ms)
    retire_others(connection, user_id)
    mine = connection.scalars(sa.select(accounts.c.id).where(accounts.c.user_id == user_id)).all()
    for account_id in mine:
        keys = sa.update(credentials).where(credentials.c.account_id == account_id)
        connection.execute(keys.values(sealed="", last4="", revoked_at=utc_from_ms(now_ms)))
    if may(connection, RELABELS_UID):  # beside real money the web may not: then the archive's pass does it
        free_uids(connection, mine)
    theirs = sa.select(channels.c.id).where(channels.c.user_id == user_id)
    connection.execute(sa.delete(deliveries).where(deliveries.c.channel_id.in_(theirs)))
    for table in THEIRS:
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))
    gone = {
        "email": f"{GONE}-{user_id}@maemae.local",
        "password_hash": "!",
        "custom_prompt": None,
        "system_text": None,
        "inputs": "",
        "strategy_version_id": None,
        "models": "",
        "auto_trade_enabled": False,
        "deleted_at": utc_from_ms(now_ms),
    }
    connection.execute(sa.update(users).where(users.c.id == user_id).values(gone))
