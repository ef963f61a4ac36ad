"""
People's channels over SQL: `lib.ports.notifier.Channels`. One transaction a method, a person's own alone.

The notifier's own channels, told by settings, belong to person 0 and are kept by their name.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.chats import unbind
from lib.adapters.sql.ledger.telling import OPERATORS, tell
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import outbox, users
from lib.adapters.sql.tables.telling import channels, deliveries
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.chat import BOT
from lib.domain.events import Event, EventKind
from lib.ports.notifier import Channels


class SqlChannels(Channels):
    """`lib.ports.notifier.Channels`; *clock* dates what is made."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, user_id: int, service: str, name: str, sealed: str, most: int) -> bool:
        made = {
            "user_id": user_id,
            "service": service,
            "name": name,
            "sealed": sealed,
            "created_ms": self._clock.now_ms(),
        }

        def work(connection: sa.Connection) -> bool:
            # the person's row first, so that two at once are counted one after the other
            connection.execute(sa.select(users.c.id).where(users.c.id == user_id).with_for_update())
            held = sa.select(sa.func.count()).select_from(channels).where(channels.c.user_id == user_id)
            if (connection.scalar(held) or 0) >= most:
                return False
            connection.execute(sa.insert(channels).values(made))
            return True

        return transact(self._engine, work)

    def remove(self, user_id: int, channel_id: int) -> bool:
        service = sa.select(channels.c.service).where(*_mine(user_id, channel_id))

        def work(connection: sa.Connection) -> bool:
            is_chat = connection.scalar(service) == BOT
            if connection.execute(sa.delete(channels).where(*_mine(user_id, channel_id))).rowcount != 1:
                return False
            _forget(connection, channel_id)
            if is_chat:
                unbind(connection, user_id)
            return True

        return transact(self._engine, work)

    def enable(self, user_id: int, channel_id: int, on: bool) -> bool:
        fresh = {"enabled": on, "failures": 0, "again_ms": 0}

        def work(connection: sa.Connection) -> bool:
            if connection.execute(sa.update(channels).where(*_mine(user_id, channel_id)).values(fresh)).rowcount != 1:
                return False
            if not on:
                _forget(connection, channel_id)
            return True

        return transact(self._engine, work)

    def test(self, user_id: int, channel_id: int, now_ms: int, pause_ms: int) -> bool:
        ready = (channels.c.enabled, channels.c.tested_ms <= now_ms - pause_ms)

        def work(connection: sa.Connection) -> bool:
            mine = sa.update(channels).where(*_mine(user_id, channel_id), *ready)
            if connection.execute(mine.values(tested_ms=now_ms, again_ms=0)).rowcount != 1:
                return False
            about = f"test:{channel_id}:{now_ms}"
            tell(connection, user_id, None, Event(EventKind.TEST, codes.CHANNEL_TEST(), about))
            told = sa.select(outbox.c.id).where(outbox.c.user_id == user_id, outbox.c.about == about)
            outbox_id = connection.execute(told).scalar_one()
            # for this channel alone: the others are not handed it
            done = sa.update(outbox).where(outbox.c.id == outbox_id)
            connection.execute(done.values(sent_at=utc_from_ms(now_ms)))
            row = {"channel_id": channel_id, "outbox_id": outbox_id, "due_ms": now_ms}
            connection.execute(sa.insert(deliveries).values(row))
            return True

        return transact(self._engine, work)


def keep_operators(engine: sa.Engine, wanted: Mapping[str, tuple[str, str]], now_ms: int) -> None:
    """
    Make the channels of whoever runs the platform those of *wanted*: (service, sealed address) by a name that follows
    from the address. One that stays keeps what waits for it.
    """

    def work(connection: sa.Connection) -> None:
        theirs = sa.select(channels.c.id, channels.c.name).where(channels.c.user_id == OPERATORS)
        held = {row.name: row.id for row in connection.execute(theirs)}
        for name in held.keys() - wanted.keys():
            connection.execute(sa.delete(channels).where(channels.c.id == held[name]))
            _forget(connection, held[name])
        for name in wanted.keys() - held.keys():
            service, sealed = wanted[name]
            made = {"user_id": OPERATORS, "service": service, "name": name, "sealed": sealed, "created_ms": now_ms}
            connection.execute(sa.insert(channels).values(made))
        again = sa.update(channels).where(channels.c.user_id == OPERATORS, channels.c.enabled.is_(False))
        connection.execute(again.values(enabled=True, failures=0, again_ms=0))

    transact(engine, work)


def _mine(user_id: int, channel_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return channels.c.user_id == user_id, channels.c.id == channel_id


def _forget(connection: sa.Connection, channel_id: int) -> None:
    connection.execute(sa.delete(deliveries).where(deliveries.c.channel_id == channel_id))
