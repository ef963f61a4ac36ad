"""
Chats bound to people, over SQL: `lib.ports.chat.Chats`. One transaction a method.

A bound chat is also a channel of its person, which holds no address: that is in the chat's own row. Removing the
channel unbinds the chat (`lib.adapters.sql.forms.channels`).
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.telling import bots, channels, chats, deliveries
from lib.domain import reason_codes as codes
from lib.domain.chat import BOT, BoundChat
from lib.domain.errors import Pause
from lib.ports.chat import BotName, Chats
from lib.ports.secrets import ChannelOpener

FAR = 1_000_000
"""A number so far below is no old message but a new count: after a week without any, Telegram begins anywhere."""
_BOUND: sa.Select[Any] = (
    sa.select(
        chats.c.user_id, chats.c.chat_id, users.c.email, users.c.locale, users.c.time_zone, users.c.is_guest,
        chats.c.close_until_ms, chats.c.awaits_ms, chats.c.told_ms, users.c.numbers,
    )
    .join(users, users.c.id == chats.c.user_id)
    .where(chats.c.chat_id.is_not(None), users.c.deleted_at.is_(None))
)  # fmt: skip


class SqlChats(Chats):
    """`lib.ports.chat.Chats`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def offer(self, user_id: int, code_sha256: str, until_ms: int) -> None:
        self._set(user_id, code_sha256=code_sha256, code_until_ms=until_ms)

    def bind(self, code_sha256: str, chat_id: int, name: str, now_ms: int) -> int | None:
        return transact(self._engine, lambda c: _bind(c, code_sha256, chat_id, name, now_ms))

    def owner(self, chat_id: int) -> BoundChat | None:
        return self._one(chats.c.chat_id == chat_id)

    def chat_of(self, user_id: int) -> BoundChat | None:
        return self._one(chats.c.user_id == user_id)

    def wait_for_code(self, user_id: int, until_ms: int) -> None:
        self._set(user_id, close_until_ms=until_ms)

    def await_proof(self, user_id: int, switched_ms: int) -> None:
        self._set(user_id, awaits_ms=switched_ms, told_ms=0, close_until_ms=0)

    def owed(self) -> list[BoundChat]:
        query = _BOUND.where(chats.c.awaits_ms > 0, chats.c.told_ms == 0)
        return transact(self._engine, lambda c: [BoundChat(*row) for row in c.execute(query)])

    def proof_told(self, user_id: int, now_ms: int) -> None:
        self._set(user_id, told_ms=now_ms)

    def serve(self, bot: BotName, now_ms: int) -> int:
        def work(connection: sa.Connection) -> int:
            new = {"bot_id": bot.bot_id, "name": bot.name, "seen_ms": now_ms}
            if insert_once(connection, bots, new):
                return 0
            mine = sa.update(bots).where(bots.c.bot_id == bot.bot_id)
            connection.execute(mine.values(name=bot.name, seen_ms=now_ms))
            return connection.scalar(sa.select(bots.c.next_update).where(bots.c.bot_id == bot.bot_id)) or 0

        return transact(self._engine, work)

    def claim(self, bot_id: int, update_id: int) -> bool:
        is_new = (bots.c.next_update <= update_id) | (bots.c.next_update > update_id + FAR)
        new = sa.update(bots).where(bots.c.bot_id == bot_id, is_new)
        taken = new.values(next_update=update_id + 1)
        return transact(self._engine, lambda c: c.execute(taken).rowcount == 1)

    def _set(self, user_id: int, **values: object) -> None:
        def work(connection: sa.Connection) -> None:
            if not insert_once(connection, chats, {"user_id": user_id, **values}):
                connection.execute(sa.update(chats).where(chats.c.user_id == user_id).values(values))

        transact(self._engine, work)

    def _one(self, which: sa.ColumnElement[bool]) -> BoundChat | None:
        row = transact(self._engine, lambda c: c.execute(_BOUND.where(which)).first())
        return None if row is None else BoundChat(*row)


class ChatOpener(ChannelOpener):
    """A channel's address is its person's chat."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def open(self, sealed: str, user_id: int, service: str) -> str:
        found = self._chats.chat_of(user_id)
        if found is None:
            raise Pause(codes.CHANNEL_ADDRESS_BAD())
        return str(found.chat_id)


def _bind(connection: sa.Connection, code_sha256: str, chat_id: int, name: str, now_ms: int) -> int | None:
    live = (chats.c.code_sha256 == code_sha256, chats.c.code_until_ms > now_ms)
    user_id: int | None = connection.scalar(sa.select(chats.c.user_id).where(*live).with_for_update())
    if user_id is None:
        return None
    before = connection.scalars(sa.select(chats.c.user_id).where(chats.c.chat_id == chat_id)).all()
    for loser in {user_id, *before}:
        unbind(connection, loser)
    fresh = {"code_sha256": None, "code_until_ms": 0, "chat_id": chat_id, "bound_ms": now_ms}
    connection.execute(sa.update(chats).where(chats.c.user_id == user_id).values(fresh))
    made = {"user_id": user_id, "service": BOT, "name": name, "sealed": "", "created_ms": now_ms}
    connection.execute(sa.insert(channels).values(made))
    return user_id


def unbind(connection: sa.Connection, user_id: int) -> bool:
    """The person has no chat, no channel there and nothing that waits for it; whether they had a chat."""
    gone = {"chat_id": None, "bound_ms": 0, "close_until_ms": 0, "awaits_ms": 0, "told_ms": 0}
    connection.execute(sa.update(chats).where(chats.c.user_id == user_id).values(gone))
    theirs = sa.select(channels.c.id).where(channels.c.user_id == user_id, channels.c.service == BOT)
    found = connection.scalars(theirs).all()
    for channel_id in found:
        connection.execute(sa.delete(deliveries).where(deliveries.c.channel_id == channel_id))
        connection.execute(sa.delete(channels).where(channels.c.id == channel_id))
    return bool(found)
