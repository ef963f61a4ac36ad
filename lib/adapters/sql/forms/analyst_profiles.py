"""
Learnt profiles of the analysts' providers, in the table `system_settings`: one row a provider and model.

A row is learnt anew after a month, so that a provider's new fields are found; a row that an operator deletes is learnt
at the next question. The text of a row is not interpreted here.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.people import system_settings
from lib.ports.analyst import AnalystProfiles

PREFIX = "analyst:"
LEARNT_ANEW = timedelta(days=30)


class SqlAnalystProfiles(AnalystProfiles):
    """`lib.ports.analyst.AnalystProfiles`; each call in a thread of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    async def read(self, key: str) -> str:
        return await asyncio.to_thread(transact, self._engine, lambda c: _read(c, f"{PREFIX}{key}"))

    async def write(self, key: str, text: str) -> None:
        await asyncio.to_thread(transact, self._engine, lambda c: _write(c, f"{PREFIX}{key}", text))


def _read(connection: sa.Connection, name: str) -> str:
    fresh = system_settings.c.updated_at > datetime.now(UTC) - LEARNT_ANEW
    query = sa.select(system_settings.c.setting_value).where(system_settings.c.setting_key == name, fresh)
    return connection.execute(query).scalar_one_or_none() or ""


def _write(connection: sa.Connection, name: str, text: str) -> None:
    changed = sa.update(system_settings).where(system_settings.c.setting_key == name).values(setting_value=text)
    if not connection.execute(changed).rowcount:
        insert_once(connection, system_settings, {"setting_key": name, "setting_value": text})
