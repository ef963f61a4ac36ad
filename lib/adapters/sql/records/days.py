"""
Sealed days: what a record holds, written once and read back as it was sealed.

A day is one row; who seals the same day at the same moment finds it there and leaves it. Nothing here changes a row.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.records.sources import Kept, Run
from lib.adapters.sql.tables.records import record_days, records
from lib.domain.record import Entry, Seal, Value, day_named, entry_line, read_entry

_D = record_days.c


@dataclass(frozen=True, slots=True)
class SealedDay:
    """A day of a record as it stands; *closing* is the index at its end ("" = there has been no equity point yet)."""

    day: int
    seal: Seal
    decisions: int
    closing: str
    sealed_ms: int
    packed: str

    @property
    def entries(self) -> list[Entry]:
        """Its leaves, in their order."""
        lines = zlib.decompress(base64.b64decode(self.packed)).splitlines()
        return [read_entry(line) for line in lines]


def packed(entries: Sequence[Entry]) -> str:
    """*entries* as one column holds them."""
    text = b"\n".join(entry_line(entry, amounts=True) for entry in entries)
    return base64.b64encode(zlib.compress(text, 9)).decode()


def days_of(connection: sa.Connection, record_id: int, after_day: int = -1, most: int = 100_000) -> list[SealedDay]:
    """*most* days of a record after *after_day*, oldest first."""
    query = sa.select(record_days).where(_D.record_id == record_id, _D.day > after_day).order_by(_D.day).limit(most)
    return [_sealed(row) for row in connection.execute(query)]


def newest_of(connection: sa.Connection, account_id: int, version_id: int) -> SealedDay | None:
    """The newest sealed day of what the account did under that version."""
    query = (
        sa.select(record_days)
        .join(records, records.c.id == _D.record_id)
        .where(records.c.account_id == account_id, records.c.version_id == version_id)
        .order_by(_D.day.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _sealed(row)


def _sealed(row: "sa.Row[tuple[object, ...]]") -> SealedDay:
    seal = Seal(day_named(row.day), row.leaves, row.root, row.head)
    return SealedDay(row.day, seal, row.decisions, row.closing_index, row.sealed_ms, row.packed)


def sealed_outcomes(connection: sa.Connection, account_id: int, from_day: int) -> dict[tuple[int, str], Value]:
    """(T, symbol) → the newest sealed outcome of the account's decisions, of the days from *from_day* on."""
    query = (
        sa.select(record_days)
        .join(records, records.c.id == _D.record_id)
        .where(records.c.account_id == account_id, _D.day >= from_day)
        .order_by(_D.day)
    )
    found: dict[tuple[int, str], Value] = {}
    for row in connection.execute(query):
        found |= outcomes_in(_sealed(row).entries)
    return found


def outcomes_in(entries: Sequence[Entry]) -> dict[tuple[int, str], Value]:
    """(T, symbol) → the outcome that *entries* hold of it."""
    of_decisions = (entry for entry in entries if entry.leaf["kind"] != "equity")
    return {(entry.key[0], entry.key[2]): entry.leaf["outcome"] for entry in of_decisions}


def keep_day(connection: sa.Connection, kept: Kept, run: Run, sealed: SealedDay) -> bool:
    """Write a day, and its record when this is the first; False, and nothing changed, when the day is there already."""
    mine = (records.c.account_id == kept.account_id, records.c.version_id == run.version_id)
    number = connection.scalar(sa.select(records.c.id).where(*mine))
    if number is None:
        values = {
            "user_id": kept.user_id,
            "account_id": kept.account_id,
            "version_id": run.version_id,
            "number": run.version.number,
            "sha256": run.version.sha256,
        }
        insert_once(connection, records, values)
        number = connection.scalar(sa.select(records.c.id).where(*mine))
    day = {
        "record_id": number,
        "day": sealed.day,
        "leaves": sealed.seal.leaves,
        "decisions": sealed.decisions,
        "root": sealed.seal.root,
        "head": sealed.seal.head,
        "closing_index": sealed.closing,
        "sealed_ms": sealed.sealed_ms,
        "packed": sealed.packed,
    }
    return insert_once(connection, record_days, day)
