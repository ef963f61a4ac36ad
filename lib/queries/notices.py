"""
What a person was told: the newest of it, page by page, and how much of it they have not seen.

A page begins below a row's number, so the thousandth costs what the first does. A kind an older release wrote and this
one does not know is shown by its words alone.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.telling import choices_of
from lib.adapters.sql.tables.people import notice_choices, outbox
from lib.adapters.sql.tables.telling import bots, channels
from lib.domain.channel import TellingChoices
from lib.domain.events import MANNERS, EventKind
from lib.domain.reason import NOTHING, Reason
from lib.queries.reading import Reading, epoch_ms

MOST_UNSEEN = 100
"""So many are counted; more is this many."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One thing told: *title* (`NOTHING` for an unknown kind) and *why*; *urgent* as its kind is."""

    id: int
    kind: str
    title: Reason
    why: Reason
    at_ms: int
    urgent: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A page, newest first; *older* is where the next begins, None = there is none."""

    rows: tuple[NoticeRow, ...] = ()
    older: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as its person sees it; never its address. *failures* in a row, *sent_ms* 0 = nothing was sent yet."""

    id: int
    service: str
    name: str
    enabled: bool
    failures: int
    sent_ms: int


class NoticeReadings(Reading):
    """Of one person, whoever tells them."""

    def notices(self, user_id: int, limit: int = 20, below: int | None = None) -> NoticePage:
        """The newest *limit* things the person was told, or the newest below that row."""
        return self._read(lambda c: _page(c, user_id, limit, below))

    def unseen(self, user_id: int) -> int | None:
        """How many of them they have not seen, at most `MOST_UNSEEN`; None for who was never told anything."""
        return self._read(lambda c: _unseen(c, user_id))

    def channels(self, user_id: int) -> list[ChannelRow]:
        """The person's channels, oldest first."""
        shown = (channels.c[name] for name in ChannelRow.__dataclass_fields__)
        query = sa.select(*shown).where(channels.c.user_id == user_id).order_by(channels.c.id)
        return [ChannelRow(*row) for row in self._read(lambda c: c.execute(query).all())]

    def bot(self) -> str:
        """The name of the platform's bot; "" while there never was one."""
        return self._read(_bot)

    def telling(self, user_id: int) -> TellingChoices | None:
        """How the person chose to be told; None while they chose nothing."""
        query = sa.select(notice_choices).where(notice_choices.c.user_id == user_id)
        row = self._read(lambda c: c.execute(query).mappings().one_or_none())
        return None if row is None else choices_of(row)


def _bot(connection: sa.Connection) -> str:
    newest = sa.select(bots.c.name).order_by(bots.c.seen_ms.desc()).limit(1)
    return connection.scalar(newest) or ""


def _seen_id(connection: sa.Connection, user_id: int) -> int:
    return connection.scalar(sa.select(notice_choices.c.seen_id).where(notice_choices.c.user_id == user_id)) or 0


def _page(connection: sa.Connection, user_id: int, limit: int, below: int | None) -> NoticePage:
    seen_id = _seen_id(connection, user_id)
    mine = [outbox.c.user_id == user_id, *([outbox.c.id < below] if below is not None else [])]
    query = sa.select(outbox).where(*mine).order_by(outbox.c.id.desc()).limit(limit + 1)
    rows = [_row(row, seen_id) for row in connection.execute(query).mappings()]
    return NoticePage(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def _row(row: sa.RowMapping, seen_id: int) -> NoticeRow:
    known = row["kind"] in set(EventKind)
    manner = MANNERS[EventKind(row["kind"])] if known else None
    return NoticeRow(
        id=row["id"],
        kind=row["kind"] if known else "",
        title=manner.title if manner else NOTHING,
        why=row["body"],
        at_ms=epoch_ms(row["created_at"]),
        urgent=bool(manner and manner.urgent),
        seen=row["id"] <= seen_id,
    )


def _unseen(connection: sa.Connection, user_id: int) -> int | None:
    newest = connection.scalar(sa.select(sa.func.max(outbox.c.id)).where(outbox.c.user_id == user_id))
    if newest is None:
        return None
    seen_id = _seen_id(connection, user_id)
    new = sa.select(outbox.c.id).where(outbox.c.user_id == user_id, outbox.c.id > seen_id).limit(MOST_UNSEEN)
    return connection.scalar(sa.select(sa.func.count()).select_from(new.subquery())) or 0
