"""Links to records over SQL: `lib.ports.records.RecordLinks`."""

from dataclasses import asdict

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.tables.records import record_links, records
from lib.ports.records import RecordLink, RecordLinks

_K = record_links.c


class SqlRecordLinks(RecordLinks):
    """`lib.ports.records.RecordLinks`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def make(self, user_id: int, link: RecordLink, most: int) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            mine = sa.select(records.c.id).where(records.c.id == link.record_id, records.c.user_id == user_id)
            opening = sa.select(sa.func.count()).select_from(record_links)
            held = connection.scalar(opening.where(_K.user_id == user_id, _K.revoked_ms == 0)) or 0
            if held >= most or connection.scalar(mine) is None:
                return False
            connection.execute(sa.insert(record_links).values(asdict(link) | {"user_id": user_id}))
            return True

        return transact(self._engine, work)

    def end(self, user_id: int, link_id: int, now_ms: int) -> bool:
        mine = sa.update(record_links).where(_K.id == link_id, _K.user_id == user_id, _K.revoked_ms == 0)
        return transact(self._engine, counted(mine.values(revoked_ms=now_ms))) == 1
