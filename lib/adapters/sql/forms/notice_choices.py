"""
How a person is told, over SQL: `lib.ports.notifier.NoticeChoices`. One transaction a method.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.people import notice_choices, outbox
from lib.domain.channel import TellingChoices
from lib.ports.notifier import NoticeChoices


class SqlNoticeChoices(NoticeChoices):
    """`lib.ports.notifier.NoticeChoices`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def see(self, user_id: int, newest: int) -> None:
        def work(connection: sa.Connection) -> None:
            mine = sa.select(sa.func.max(outbox.c.id)).where(outbox.c.user_id == user_id, outbox.c.id <= newest)
            upto = connection.scalar(mine) or 0
            later = notice_choices.c.seen_id < upto
            if not written(connection, user_id, {"seen_id": upto}):
                change = sa.update(notice_choices).where(notice_choices.c.user_id == user_id, later)
                connection.execute(change.values(seen_id=upto))

        transact(self._engine, work)

    def choose(self, user_id: int, choices: TellingChoices) -> None:
        values = {
            "switched": {kind.value: on for kind, on in choices.switched.items()},
            "quiet_from": choices.quiet_from,
            "quiet_until": choices.quiet_until,
            "report_hour": choices.report_hour,
        }

        def work(connection: sa.Connection) -> None:
            if not written(connection, user_id, values):
                mine = notice_choices.c.user_id == user_id
                connection.execute(sa.update(notice_choices).where(mine).values(values))

        transact(self._engine, work)


def written(connection: sa.Connection, user_id: int, values: dict[str, Any]) -> bool:
    """Whether the person's row was made with *values*; False when there is one."""
    return insert_once(connection, notice_choices, {"user_id": user_id} | values)
