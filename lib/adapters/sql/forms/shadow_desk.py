"""
A person's shadows over SQL: `lib.ports.shadows.Shadows`. One transaction a method.

The person's row is locked first by whoever writes, as in every form, so that no more run than may.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.ledger.shadowing import STORED, shadow_from
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategy_versions
from lib.domain.shadow import Shadow, ShadowBudget
from lib.domain.strategy import DESIGN, Strategy, read
from lib.ports.shadows import Shadows

_S, _V = shadows.c, strategy_versions.c


class SqlShadows(Shadows):
    """`lib.ports.shadows.Shadows`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, user_id: int) -> list[tuple[Shadow, bool]]:
        query = STORED.where(_S.user_id == user_id, _S.removed_ms == 0).order_by(_S.id)
        rows = transact(self._engine, lambda c: c.execute(query).mappings().all(), readonly=True)
        return [(shadow_from(row), row["running"]) for row in rows]

    def content(self, user_id: int, version_id: int) -> tuple[int, Strategy] | None:
        return transact(self._engine, lambda c: _content(c, user_id, version_id), readonly=True)

    def add(self, shadow: Shadow, now_ms: int, most: int) -> int | None:
        def work(connection: sa.Connection) -> int | None:
            living_user(connection, shadow.user_id)
            is_there = not shadow.version_id or _content(connection, shadow.user_id, shadow.version_id) is not None
            if not is_there or _running(connection, shadow.user_id) >= most:
                return None
            values = {
                "user_id": shadow.user_id, "version_id": shadow.version_id or None, "model": shadow.model,
                "day_calls": shadow.budget.calls, "day_usd": shadow.budget.usd, "made_ms": now_ms,
                "changed_ms": now_ms,
            }  # fmt: skip
            made = connection.execute(sa.insert(shadows).values(values)).inserted_primary_key
            return int(made[0]) if made else 0

        return transact(self._engine, work)

    def set_running(self, user_id: int, shadow_id: int, running: bool, now_ms: int, most: int) -> bool | None:
        def work(connection: sa.Connection) -> bool | None:
            living_user(connection, user_id)
            runs = connection.scalar(sa.select(_S.running).where(*_mine(user_id, shadow_id)))
            if runs is None or runs == running:
                return None if runs is None else True
            if running and _running(connection, user_id) >= most:
                return False
            changed = {"running": running, "changed_ms": now_ms}
            connection.execute(sa.update(shadows).where(*_mine(user_id, shadow_id)).values(changed))
            return True

        return transact(self._engine, work)

    def set_budget(self, user_id: int, shadow_id: int, budget: ShadowBudget) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            if connection.scalar(sa.select(_S.id).where(*_mine(user_id, shadow_id))) is None:
                return False  # before: an update that changes nothing is no row's on MySQL
            values = {"day_calls": budget.calls, "day_usd": budget.usd}
            connection.execute(sa.update(shadows).where(*_mine(user_id, shadow_id)).values(values))
            return True

        return transact(self._engine, work)

    def remove(self, user_id: int, shadow_id: int, now_ms: int) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            mine, called = _mine(user_id, shadow_id), shadow_calls.c.shadow_id == shadow_id
            if connection.scalar(sa.select(_S.id).where(*mine)) is None:
                return False
            has_answers = sa.select(shadow_calls.c.t_ms).where(called, shadow_calls.c.cycle_id.is_not(None)).limit(1)
            if connection.scalar(has_answers) is None:
                connection.execute(sa.delete(shadow_calls).where(called))
                connection.execute(sa.delete(shadows).where(*mine))
            else:
                gone = {"running": False, "changed_ms": now_ms, "removed_ms": now_ms}
                connection.execute(sa.update(shadows).where(*mine).values(gone))
            return True

        return transact(self._engine, work)


def _mine(user_id: int, shadow_id: int) -> "tuple[sa.ColumnElement[bool], ...]":
    return _S.id == shadow_id, _S.user_id == user_id, _S.removed_ms == 0


def _running(connection: sa.Connection, user_id: int) -> int:
    mine = (_S.user_id == user_id, _S.running, _S.removed_ms == 0)
    return connection.scalar(sa.select(sa.func.count()).select_from(shadows).where(*mine)) or 0


def _content(connection: sa.Connection, user_id: int, version_id: int) -> tuple[int, Strategy] | None:
    """Of *version_id*, 0 = what trades; with the number of the version, 0 = the original design."""
    if not version_id:
        running = sa.select(users.c.strategy_version_id).where(users.c.id == user_id)
        version_id = connection.scalar(running) or 0
    if not version_id:
        return 0, DESIGN
    text = connection.scalar(sa.select(_V.content).where(_V.id == version_id, _V.user_id == user_id))
    return None if text is None else (version_id, read(text))
