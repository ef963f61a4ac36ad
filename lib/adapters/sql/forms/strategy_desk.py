"""
What people do with their strategies, over SQL: `lib.ports.strategies.Strategies`. One transaction a method.

The person's row is locked first by whoever writes, as in every form, so a number is given once.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user, write_settings
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.forms.strategies import add_strategy, add_version, record_run, version_from
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.rows import settings_from
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.shadows import shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.domain.strategy import SharedStrategy, Strategy, StrategyVersion, read, settings_with
from lib.domain.trail import Note
from lib.ports.strategies import Strategies

_S, _V, _H = strategies.c, strategy_versions.c, strategy_shares.c


class SqlStrategies(Strategies):
    """`lib.ports.strategies.Strategies`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create(self, user_id: int, name: str, content: Strategy, now_ms: int, most: int) -> int | None:
        def work(connection: sa.Connection) -> int | None:
            living_user(connection, user_id)
            kept = sa.select(sa.func.count()).select_from(strategies).where(_S.user_id == user_id)
            if (connection.scalar(kept) or 0) >= most:
                return None
            strategy_id = add_strategy(connection, user_id, name, now_ms)
            return add_version(connection, user_id, strategy_id, content, now_ms)

        return transact(self._engine, work)

    def save(self, user_id: int, strategy_id: int, content: Strategy, newest: int, now_ms: int) -> int | None:
        def work(connection: sa.Connection) -> int | None:
            living_user(connection, user_id)
            mine = (_V.strategy_id == strategy_id, _V.user_id == user_id)
            if connection.scalar(sa.select(sa.func.max(_V.number)).where(*mine)) != newest:
                return None
            return add_version(connection, user_id, strategy_id, content, now_ms)

        return transact(self._engine, work)

    def rename(self, user_id: int, strategy_id: int, name: str) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            if not _is_mine(connection, user_id, strategy_id):
                return False
            connection.execute(sa.update(strategies).where(_S.id == strategy_id).values(name=name))
            return True

        return transact(self._engine, work)

    def delete(self, user_id: int, strategy_id: int) -> bool | None:
        def work(connection: sa.Connection) -> bool | None:
            living_user(connection, user_id)
            if not _is_mine(connection, user_id, strategy_id):
                return None
            numbers = connection.scalars(sa.select(_V.id).where(_V.strategy_id == strategy_id)).all()
            ran = sa.select(strategy_runs.c.id).where(strategy_runs.c.version_id.in_(numbers)).limit(1)
            shadowed = sa.select(shadows.c.id).where(shadows.c.version_id.in_(numbers)).limit(1)
            if connection.scalar(ran) is not None or connection.scalar(shadowed) is not None:
                return False
            connection.execute(sa.delete(strategy_shares).where(_H.version_id.in_(numbers)))
            connection.execute(sa.delete(strategy_versions).where(_V.strategy_id == strategy_id))
            connection.execute(sa.delete(strategies).where(_S.id == strategy_id))
            return True

        return transact(self._engine, work)

    def version(self, user_id: int, version_id: int) -> StrategyVersion | None:
        return transact(self._engine, lambda c: _version(c, user_id, version_id), readonly=True)

    def run(self, user_id: int, version_id: int, version: int, now_ms: int, notes: tuple[Note, ...]) -> bool:
        def work(connection: sa.Connection) -> bool:
            row = living_user(connection, user_id)
            wanted = _version(connection, user_id, version_id)
            if wanted is None or row["settings_version"] != version:
                return False
            write_settings(connection, row, settings_with(wanted.content, settings_from(row)), version_id)
            record_run(connection, user_id, version_id, now_ms)
            for note in notes:
                record(connection, note)
            return True

        return transact(self._engine, work)

    def share(self, user_id: int, version_id: int, shared: SharedStrategy, most: int) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            opening = sa.select(sa.func.count()).select_from(strategy_shares)
            held = connection.scalar(opening.where(_H.user_id == user_id, _H.revoked_ms == 0)) or 0
            if held >= most or _version(connection, user_id, version_id) is None:
                return False
            values = {name: getattr(shared, name) for name in ("code_sha256", "shown_as", "made_ms")}
            connection.execute(
                sa.insert(strategy_shares).values(values | {"user_id": user_id, "version_id": version_id})
            )
            return True

        return transact(self._engine, work)

    def unshare(self, user_id: int, share_id: int, now_ms: int) -> bool:
        mine = sa.update(strategy_shares).where(_H.id == share_id, _H.user_id == user_id, _H.revoked_ms == 0)
        return transact(self._engine, counted(mine.values(revoked_ms=now_ms))) == 1

    def shared(self, code_sha256: str) -> SharedStrategy | None:
        query = (
            sa.select(_H.code_sha256, _S.name, _V.content, _H.shown_as, _H.made_ms)
            .join(strategy_versions, _V.id == _H.version_id)
            .join(strategies, _S.id == _V.strategy_id)
            .join(users, users.c.id == _H.user_id)
            .where(_H.code_sha256 == code_sha256, _H.revoked_ms == 0, users.c.deleted_at.is_(None))
        )
        row = transact(self._engine, lambda c: c.execute(query).mappings().one_or_none(), readonly=True)
        return None if row is None else SharedStrategy(**{**row, "content": read(row["content"])})


def _is_mine(connection: sa.Connection, user_id: int, strategy_id: int) -> bool:
    query = sa.select(_S.id).where(_S.id == strategy_id, _S.user_id == user_id)
    return connection.scalar(query) is not None


def _version(connection: sa.Connection, user_id: int, version_id: int) -> StrategyVersion | None:
    query = (
        sa.select(strategy_versions, _S.name)
        .join(strategies, _S.id == _V.strategy_id)
        .where(_V.id == version_id, _V.user_id == user_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else version_from(row)
