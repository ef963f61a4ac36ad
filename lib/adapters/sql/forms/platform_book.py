"""
An operator's writes over SQL: rows of `system_settings`, the trail of their changes, new invitations.

Only the operator's terminal and the trader have this adapter (`make check` proves it of the web); others only read.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.invites import add_invites
from lib.adapters.sql.ledger.rows import exclusively, insert_once, ledger_clock, setting_rows
from lib.adapters.sql.tables.columns import TEXT_LIMIT
from lib.adapters.sql.tables.people import invites, setting_changes, system_settings
from lib.clock import Clock
from lib.domain.platform_settings import Invites, SettingChange
from lib.ports.platform import PlatformBook

settings = system_settings.c


class SqlPlatformBook(PlatformBook):
    """`lib.ports.PlatformBook`; without *clock* the database's own dates everything."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def rows(self) -> dict[str, str]:
        return transact(self._engine, setting_rows, readonly=True)

    def change(self, name: str, after: str | None, who: str, why: str) -> SettingChange | None:
        return transact(self._engine, lambda c: self._change(c, name, after, (who, why)))

    def _change(
        self, connection: sa.Connection, name: str, after: str | None, by: tuple[str, str]
    ) -> SettingChange | None:
        known = connection.execute(
            exclusively(sa.select(settings.setting_value).where(settings.setting_key == name))
        ).one_or_none()
        before = None if known is None else known[0] or ""
        if before == after:
            return None
        _write(connection, name, after)
        change = SettingChange(name, before, after, by[0][:255], by[1][:TEXT_LIMIT], self._now(connection))
        connection.execute(
            sa.insert(setting_changes).values(
                setting_key=name,
                before_value=before,
                after_value=after,
                changed_by=change.who,
                why=change.why,
                changed_ms=change.at_ms,
            )
        )
        return change

    def changes(self, newest: int) -> list[SettingChange]:
        table = setting_changes
        query = sa.select(
            table.c.setting_key, table.c.before_value, table.c.after_value, table.c.changed_by, table.c.why,
            table.c.changed_ms,
        ).order_by(table.c.id.desc()).limit(newest)  # fmt: skip
        rows = transact(self._engine, lambda c: c.execute(query).all(), readonly=True)
        return [SettingChange(*row) for row in rows]

    def add_invites(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        transact(self._engine, lambda c: add_invites(c, codes_sha256, (self._now(c), expires_ms), who))

    def invites(self) -> Invites:
        return transact(self._engine, self._invites, readonly=True)

    def _invites(self, connection: sa.Connection) -> Invites:
        now = self._now(connection)
        unused = invites.c.used_ms == 0

        def count(*which: sa.ColumnElement[bool]) -> int:
            return connection.scalar(sa.select(sa.func.count()).select_from(invites).where(*which)) or 0

        over = invites.c.expires_ms <= now
        return Invites(count(unused, sa.not_(over)), count(sa.not_(unused)), count(unused, over))


def _write(connection: sa.Connection, name: str, text: str | None) -> None:
    if text is None:
        connection.execute(sa.delete(system_settings).where(settings.setting_key == name))
        return
    if not insert_once(connection, system_settings, {"setting_key": name, "setting_value": text}):
        connection.execute(sa.update(system_settings).where(settings.setting_key == name).values(setting_value=text))
