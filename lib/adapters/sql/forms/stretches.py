"""
A person's stretches of evidence over SQL: `lib.ports.stretches.Stretches`, each act with its line of the trail.

Neither opens anything by itself: who judges seals and ends a stretch, and the claim judges an override beside every
other gate.
"""

from dataclasses import replace

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import acts_still, record
from lib.adapters.sql.ledger.demo_step import waiting_account
from lib.adapters.sql.ledger.stretches import PLACES, are_open, count_of, running_version, stretches_of
from lib.adapters.sql.tables.people import accounts, users
from lib.adapters.sql.tables.stretches import demo_overrides, stretch_overrides, stretches
from lib.domain.stretch import Criteria, Step, criteria_text
from lib.domain.trail import Note
from lib.ports.stretches import Stretches


class SqlStretches(Stretches):
    """`lib.ports.stretches.Stretches`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ask(self, account_id: int, criteria: Criteria, note: Note, step: Step = Step.REAL) -> bool:
        return transact(self._engine, lambda c: _ask(c, account_id, criteria, note, step))

    def override(self, stretch_id: int, note: Note) -> bool:
        return transact(self._engine, lambda c: _override(c, stretch_id, note))

    def demo_without(self, note: Note) -> bool:
        return transact(self._engine, lambda c: _demo_without(c, note))


def _ask(connection: sa.Connection, account_id: int, criteria: Criteria, note: Note, step: Step) -> bool:
    living_user(connection, note.user_id)
    mine = sa.select(users.c.strategy_version_id).join(accounts, accounts.c.user_id == users.c.id)
    mine = mine.where(accounts.c.id == account_id, users.c.id == note.user_id, accounts.c.active.is_(True))
    mine = mine.where(PLACES[step])
    row = connection.execute(mine).one_or_none()
    counted = replace(criteria, tries=count_of(connection, note.user_id, step) + 1)
    is_free = not are_open(stretches_of(connection, note.user_id, step), account_id)
    if row is None or not is_free or not counted.is_lawful or not acts_still(connection, note):
        return False
    values = {
        "user_id": note.user_id,
        "account_id": account_id,
        "version_id": row.strategy_version_id or 0,
        "criteria": criteria_text(counted),
        "asked_ms": note.at_ms,
    }
    connection.execute(sa.insert(stretches).values(values))
    record(connection, replace(note, detail=criteria_text(counted)))
    return True


def _override(connection: sa.Connection, stretch_id: int, note: Note) -> bool:
    living_user(connection, note.user_id)
    found = stretches_of(connection, note.user_id, Step.REAL, stretches.c.id == stretch_id)
    if not (found and found[0].is_sealed) or not acts_still(connection, note):
        return False
    values = {"user_id": note.user_id, "stretch_id": stretch_id, "given_ms": note.at_ms}
    connection.execute(sa.insert(stretch_overrides).values(values))
    record(connection, replace(note, detail=str(stretch_id)))
    return True


def _demo_without(connection: sa.Connection, note: Note) -> bool:
    living_user(connection, note.user_id)
    account_id = waiting_account(connection, note.user_id)
    if not account_id or not acts_still(connection, note):
        return False
    version_id = running_version(connection, note.user_id)
    values = {"user_id": note.user_id, "account_id": account_id, "version_id": version_id, "given_ms": note.at_ms}
    connection.execute(sa.insert(demo_overrides).values(values))
    record(connection, note)
    return True
