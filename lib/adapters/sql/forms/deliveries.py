"""
What is still to be sent, over SQL: `lib.ports.notifier.Deliveries`. No lock is held while anything is sent.

A thing told is handed to its reader's channels in one transaction, which also marks it, so it is handed out once. A
channel is held by a lease that one sender can win; whoever comes after its end may send what it held once more.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.telling import choices_of, tell
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts, notice_choices, outbox, users
from lib.adapters.sql.tables.telling import channels, chats, deliveries
from lib.domain.account import NUMBERS
from lib.domain.channel import STALE_MS, TellingChoices
from lib.domain.chat import BOT
from lib.domain.events import Event, EventKind, of_proof
from lib.domain.time_zones import time_zone
from lib.ports.notifier import Batch, Deliveries, Message
from lib.reason_text import TIME_ZONES

CANDIDATES = 8
"""Channels looked at in one try; another sender may win some of them."""
STALE_AT_ONCE = 1_000
PER_PERSON = 2
"""Channels of one person that are sent to at the same time, so that their silent ones hold nobody else's up."""
KNOWN = tuple(kind.value for kind in EventKind)


class SqlDeliveries(Deliveries):
    """`lib.ports.notifier.Deliveries`; takes for chats with the *bot* alone, or for every other channel."""

    def __init__(self, engine: sa.Engine, *, bot: bool = False) -> None:
        self._engine = engine
        self._whose = channels.c.service == BOT if bot else channels.c.service != BOT

    def hand_out(self, now_ms: int, limit: int) -> int:
        return transact(self._engine, lambda c: _hand_out(c, now_ms, limit))

    def take(self, now_ms: int, lease_ms: int, most: int, *, failing: bool = True) -> Batch | None:
        which = self._whose if failing else sa.and_(self._whose, channels.c.failures == 0)
        return transact(self._engine, lambda c: _take(c, now_ms, now_ms + lease_ms, most, which))

    def delivered(self, batch: Batch, now_ms: int) -> None:
        def work(connection: sa.Connection) -> None:
            # whoever holds the channel by now: what was taken is not sent again
            ids = [message.id for message in batch.messages]
            connection.execute(sa.delete(deliveries).where(deliveries.c.id.in_(ids)))
            free = {"lease_ms": 0, "failures": 0, "again_ms": 0, "sent_ms": now_ms}
            connection.execute(_held(batch).values(free))

        transact(self._engine, work)

    def failed(self, batch: Batch, again_ms: int) -> None:
        values = {"lease_ms": 0, "failures": batch.failures + 1, "again_ms": again_ms}
        transact(self._engine, lambda c: c.execute(_held(batch).values(values)))

    def give_up(self, batch: Batch, event: Event) -> None:
        def work(connection: sa.Connection) -> None:
            if connection.execute(_held(batch).values(lease_ms=0, enabled=False)).rowcount != 1:
                return
            connection.execute(sa.delete(deliveries).where(deliveries.c.channel_id == batch.channel_id))
            tell(connection, batch.user_id, None, event)

        transact(self._engine, work)


def _held(batch: Batch) -> sa.Update:
    return sa.update(channels).where(channels.c.id == batch.channel_id, channels.c.lease_ms == batch.lease_ms)


# --- handing out ------------------------------------------------------------------------------------------------------


def _hand_out(connection: sa.Connection, now_ms: int, limit: int) -> int:
    new = sa.select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(limit).with_for_update()
    rows = connection.execute(new).mappings().all()
    _drop_stale(connection, now_ms)
    if not rows:
        return 0
    people = {row["user_id"] for row in rows}
    open_channels, chosen = _channels(connection, people), _choices(connection, people)
    owed = _owed(connection, people)
    made = [
        row
        for told in rows
        for row in _deliveries(told, open_channels, chosen, now_ms)
        if (row["channel_id"], told["about"]) not in owed
    ]
    if made:
        connection.execute(sa.insert(deliveries), made)
    done = sa.update(outbox).where(outbox.c.id.in_([row["id"] for row in rows]))
    connection.execute(done.values(sent_at=utc_from_ms(now_ms)))
    return len(rows)


def _owed(connection: sa.Connection, people: Iterable[int]) -> set[tuple[int, str]]:
    """Proofs that a chat is told in the answer to what it asked, and so not once more: the channel, and about what."""
    query = (
        sa.select(channels.c.id, accounts.c.id.label("account_id"), chats.c.awaits_ms)
        .join(chats, chats.c.user_id == channels.c.user_id)
        .join(accounts, accounts.c.user_id == channels.c.user_id)
        .where(channels.c.user_id.in_(list(people)), channels.c.service == BOT, chats.c.awaits_ms > 0)
    )
    return {(row.id, of_proof(row.account_id, row.awaits_ms).about) for row in connection.execute(query)}


def _drop_stale(connection: sa.Connection, now_ms: int) -> None:
    stale = sa.select(deliveries.c.id).where(deliveries.c.due_ms < now_ms - STALE_MS).limit(STALE_AT_ONCE)
    if ids := connection.scalars(stale).all():
        connection.execute(sa.delete(deliveries).where(deliveries.c.id.in_(ids)))


def _channels(connection: sa.Connection, people: Iterable[int]) -> dict[int, list[sa.RowMapping]]:
    query = sa.select(channels.c.id, channels.c.user_id, channels.c.created_ms)
    found: dict[int, list[sa.RowMapping]] = defaultdict(list)
    theirs = query.where(channels.c.user_id.in_(list(people)), channels.c.enabled)
    for row in connection.execute(theirs).mappings():
        found[row["user_id"]].append(row)
    return found


def _choices(connection: sa.Connection, people: Iterable[int]) -> dict[int, tuple[TellingChoices, Any]]:
    query = (
        sa.select(users.c.id, users.c.locale, users.c.time_zone, notice_choices)
        .outerjoin(notice_choices, notice_choices.c.user_id == users.c.id)
        .where(users.c.id.in_(list(people)))
    )
    rows = connection.execute(query).mappings()
    return {row["id"]: (choices_of(row), time_zone(row["time_zone"]) or TIME_ZONES[row["locale"]]) for row in rows}


def _deliveries(
    told: sa.RowMapping,
    open_channels: dict[int, list[sa.RowMapping]],
    chosen: dict[int, tuple[TellingChoices, Any]],
    now_ms: int,
) -> Iterable[dict[str, int]]:
    choices, zone = chosen.get(told["user_id"], (TellingChoices(), TIME_ZONES["ko"]))
    if told["kind"] not in KNOWN or not choices.wants(EventKind(told["kind"])):
        return
    due_ms = choices.due_ms(EventKind(told["kind"]), now_ms, zone)
    at_ms = round(told["created_at"].timestamp() * 1000)
    for channel in open_channels.get(told["user_id"], ()):
        if channel["created_ms"] <= at_ms and now_ms - at_ms <= STALE_MS:
            yield {"channel_id": channel["id"], "outbox_id": told["id"], "due_ms": due_ms}


# --- taking -----------------------------------------------------------------------------------------------------------


def _take(
    connection: sa.Connection, now_ms: int, lease_ms: int, most: int, which: sa.ColumnElement[bool]
) -> Batch | None:
    ready = (channels.c.enabled, channels.c.again_ms <= now_ms, channels.c.lease_ms <= now_ms, which)
    held = sa.select(channels.c.user_id).where(channels.c.lease_ms > now_ms).group_by(channels.c.user_id)
    busy = connection.scalars(held.having(sa.func.count() >= PER_PERSON)).all()
    waiting = (
        sa.select(channels.c.id)
        .join(deliveries, deliveries.c.channel_id == channels.c.id)
        .where(*ready, deliveries.c.due_ms <= now_ms, channels.c.user_id.not_in(busy))
        .group_by(channels.c.id)
        .order_by(sa.func.min(deliveries.c.due_ms), channels.c.id)
        .limit(CANDIDATES)
    )
    for channel_id in connection.scalars(waiting).all():
        won = sa.update(channels).where(channels.c.id == channel_id, *ready).values(lease_ms=lease_ms)
        if connection.execute(won).rowcount == 1:
            return _batch(connection, channel_id, now_ms, most)
    return None


def _batch(connection: sa.Connection, channel_id: int, now_ms: int, most: int) -> Batch:
    reader = (users.c.locale, users.c.time_zone, users.c.numbers)
    owner = sa.select(channels, *reader).outerjoin(users, users.c.id == channels.c.user_id)
    row = connection.execute(owner.where(channels.c.id == channel_id)).mappings().one()
    query = (
        sa.select(deliveries.c.id, outbox.c.kind, outbox.c.body, outbox.c.created_at)
        .join(outbox, outbox.c.id == deliveries.c.outbox_id)
        .where(deliveries.c.channel_id == channel_id, deliveries.c.due_ms <= now_ms)
        # as it was told: two processes hand out, and the clock of one may be read before the other's transaction
        .order_by(deliveries.c.outbox_id, deliveries.c.id)
        .limit(most)
    )
    told = connection.execute(query).all()
    return Batch(
        channel_id=channel_id,
        user_id=row["user_id"],
        service=row["service"],
        name=row["name"],
        sealed=row["sealed"],
        language=row["locale"] or "ko",
        time_zone=row["time_zone"] or "",
        numbers=row["numbers"] or NUMBERS,
        failures=row["failures"],
        lease_ms=row["lease_ms"],
        messages=tuple(
            Message(one.id, EventKind(one.kind), one.body, round(one.created_at.timestamp() * 1000)) for one in told
        ),
    )
