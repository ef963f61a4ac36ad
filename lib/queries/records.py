"""A person's records as they were sealed, as a file, a proof of one decision, and what a link opens."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.records.days import SealedDay, days_of
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.records import record_days, record_links, records
from lib.adapters.sql.tables.strategies import strategies, strategy_versions
from lib.domain.day import DAY_MS
from lib.domain.record import LATE_DAYS, Version, day_lines, day_named, first_line, proof
from lib.queries.reading import Reading

_B, _D, _K = records.c, record_days.c, record_links.c
AT_ONCE = 10
"""Days read at once for a file."""


@dataclass(frozen=True, slots=True)
class RecordLine:
    """
    A record with at least one sealed day: days as YYYY-MM-DD, the newest *head* (hex), the index at its end ("" = no
    equity point). *name* "" = the strategy has none.
    """

    record_id: int
    name: str
    number: int
    sha256: str
    since: str
    until: str
    days: int
    leaves: int
    decisions: int
    head: str
    index: str
    sealed_ms: int


@dataclass(frozen=True, slots=True)
class RecordLinkLine:
    """A link that opens a record; its code is known to nobody but who has the link."""

    link_id: int
    record_id: int
    named: bool
    amounts: bool
    made_ms: int


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """What a link opens: whose and which record, and what it shows beside."""

    user_id: int
    record_id: int
    named: bool
    amounts: bool


class RecordReadings(Reading):
    """Records; never somebody else's, but for who has a link."""

    def records(self, user_id: int) -> list[RecordLine]:
        """The person's records, the one that was sealed last first."""
        sums = (
            sa.select(
                _D.record_id,
                sa.func.min(_D.day).label("since"),
                sa.func.max(_D.day).label("until"),
                sa.func.count().label("days"),
                sa.func.sum(_D.leaves).label("leaves"),
                sa.func.sum(_D.decisions).label("decisions"),
            )
            .join(records, _B.id == _D.record_id)
            .where(_B.user_id == user_id)
            .group_by(_D.record_id)
            .subquery()
        )
        query = (
            sa.select(records, sums, strategies.c.name, _D.head, _D.closing_index, _D.sealed_ms)
            .join(sums, sums.c.record_id == _B.id)
            .join(record_days, sa.and_(_D.record_id == _B.id, _D.day == sums.c.until))
            .outerjoin(strategy_versions, strategy_versions.c.id == _B.version_id)
            .outerjoin(strategies, strategies.c.id == strategy_versions.c.strategy_id)
            .where(_B.user_id == user_id)
            .order_by(sums.c.until.desc(), _B.id.desc())
        )
        return [_line(row) for row in self._read(lambda c: c.execute(query).mappings().all())]

    def record_links(self, user_id: int) -> list[RecordLinkLine]:
        """Links of the person's that open a record now, newest first."""
        query = (
            sa.select(_K.id, _K.record_id, _K.named, _K.amounts, _K.made_ms)
            .where(_K.user_id == user_id, _K.revoked_ms == 0)
            .order_by(_K.id.desc())
        )
        return [RecordLinkLine(*row) for row in self._read(lambda c: c.execute(query).all())]

    def record_curve(self, user_id: int, record_id: int) -> list[tuple[int, str]]:
        """The index at the end of each day that has one: (epoch ms of the day, index)."""
        query = sa.select(_D.day, _D.closing_index).join(records, _B.id == _D.record_id)
        query = query.where(_B.id == record_id, _B.user_id == user_id, _D.closing_index != "").order_by(_D.day)
        return [(day * DAY_MS, index) for day, index in self._read(lambda c: c.execute(query).all())]

    def record_file(self, user_id: int, record_id: int, *, amounts: bool) -> Iterator[bytes] | None:
        """The whole record in pieces, with the *amounts* behind equity points or without; None for another's."""
        version = self._version(user_id, record_id)
        return None if version is None else self._pieces(version, record_id, amounts=amounts)

    def _version(self, user_id: int, record_id: int) -> Version | None:
        query = sa.select(_B.number, _B.sha256).where(_B.id == record_id, _B.user_id == user_id)
        row = self._read(lambda c: c.execute(query).one_or_none())
        return None if row is None else Version(*row)

    def _pieces(self, version: Version, record_id: int, *, amounts: bool) -> Iterator[bytes]:
        yield first_line(version)
        found = self._some_days(record_id, -1)
        while found:
            yield b"".join(day_lines(day.entries, day.seal, amounts=amounts) for day in found)
            found = self._some_days(record_id, found[-1].day)

    def _some_days(self, record_id: int, after_day: int) -> list[SealedDay]:
        return self._read(lambda c: days_of(c, record_id, after_day, AT_ONCE))

    def record_proof(self, user_id: int, record_id: int, t_ms: int, symbol: str) -> dict[str, object] | None:
        """That the decision of T and symbol was sealed, as `lib.domain.record.proof` tells it; None for none."""
        version = self._version(user_id, record_id)
        if version is None:
            return None
        first = t_ms // DAY_MS
        head = self._read(lambda c: _head_before(c, record_id, first)) or version.genesis
        for day in self._read(lambda c: days_of(c, record_id, first - 1, LATE_DAYS + 1)):
            entries = day.entries
            for place, entry in enumerate(entries):
                if entry.key == (t_ms, "decision", symbol):
                    return proof(entries, place, day.seal, head)
            head = day.seal.head
        return None

    def opened_record(self, code_sha256: str) -> OpenedRecord | None:
        """What the code opens now; None for a link that was taken back, or invented, or whose person left."""
        query = (
            sa.select(_K.user_id, _K.record_id, _K.named, _K.amounts)
            .join(users, users.c.id == _K.user_id)
            .where(_K.code_sha256 == code_sha256, _K.revoked_ms == 0, users.c.deleted_at.is_(None))
        )
        row = self._read(lambda c: c.execute(query).one_or_none())
        return None if row is None else OpenedRecord(*row)


def _head_before(connection: sa.Connection, record_id: int, day: int) -> str:
    query = sa.select(_D.head).where(_D.record_id == record_id, _D.day < day).order_by(_D.day.desc()).limit(1)
    return str(connection.scalar(query) or "")


def _line(row: sa.RowMapping) -> RecordLine:
    return RecordLine(
        row["id"],
        row["name"] or "",
        row["number"],
        row["sha256"],
        day_named(row["since"]),
        day_named(row["until"]),
        row["days"],
        int(row["leaves"]),
        int(row["decisions"]),
        row["head"],
        row["closing_index"],
        row["sealed_ms"],
    )
