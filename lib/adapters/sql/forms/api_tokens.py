"""
Personal tokens over SQL: `lib.ports.safety.ApiTokens`. One transaction a method; which live is the use-case's to say.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.forms.trail import acts_still, record
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.safety import api_tokens
from lib.domain.api_token import ApiToken, NewApiToken, TokenHolder
from lib.domain.trail import Note
from lib.ports.safety import ApiTokens


class SqlApiTokens(ApiTokens):
    """`lib.ports.safety.ApiTokens`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, new: NewApiToken, note: Note, most: int) -> bool:
        return transact(self._engine, lambda c: _add(c, new, note, most))

    def find(self, token_sha256: str) -> TokenHolder | None:
        query = (
            sa.select(api_tokens, users.c.email, users.c.locale, users.c.is_demo)
            .join(users, users.c.id == api_tokens.c.user_id)
            .where(api_tokens.c.token_sha256 == token_sha256, users.c.deleted_at.is_(None))
        )
        row = transact(self._engine, lambda c: c.execute(query).mappings().one_or_none(), readonly=True)
        if row is None:
            return None
        return TokenHolder(token_of(row), row["user_id"], row["email"], row["locale"], row["is_demo"])

    def touch(self, token_sha256: str, now_ms: int) -> None:
        mine = (api_tokens.c.token_sha256 == token_sha256, api_tokens.c.used_ms < now_ms)
        transact(self._engine, counted(sa.update(api_tokens).where(*mine).values(used_ms=now_ms)))

    def revoke(self, user_id: int, token_id: int, note: Note) -> bool:
        mine = sa.delete(api_tokens).where(api_tokens.c.user_id == user_id, api_tokens.c.id == token_id)

        def work(connection: sa.Connection) -> bool:
            gone = counted(mine)(connection) == 1
            record(connection, note if gone else None)
            return gone

        return transact(self._engine, work)


def token_of(row: sa.RowMapping) -> ApiToken:
    """The token of a row, never what opens anything."""
    names = ("id", "name", "scope", "created_ms", "expires_ms", "used_ms")
    return ApiToken(**{name: row[name] for name in names})


def _add(connection: sa.Connection, new: NewApiToken, note: Note, most: int) -> bool:
    # the person's row first, so that two at once are counted one after the other
    connection.execute(sa.select(users.c.id).where(users.c.id == new.user_id).with_for_update())
    if not acts_still(connection, note):
        return False
    over = sa.delete(api_tokens).where(api_tokens.c.user_id == new.user_id, api_tokens.c.expires_ms <= new.created_ms)
    connection.execute(over)
    held = sa.select(sa.func.count()).select_from(api_tokens).where(api_tokens.c.user_id == new.user_id)
    if (connection.scalar(held) or 0) >= most:
        return False
    values = {name: getattr(new, name) for name in NewApiToken.__dataclass_fields__}
    connection.execute(sa.insert(api_tokens).values(values))
    record(connection, note)
    return True
