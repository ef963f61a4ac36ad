"""
Who seals and judges stretches of evidence, over SQL: `lib.ports.stretches.StretchBook`. Marks are written once.

What went wrong in a stretch is counted as the gates count it: from what was told to people, and from equity's points.
"""

from dataclasses import replace

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.ledger.stretches import open_stretches
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import outbox
from lib.adapters.sql.tables.stretches import stretch_marks
from lib.adapters.sql.tables.trading import equity_points
from lib.domain.events import EventKind
from lib.domain.real_money import INCIDENTS
from lib.domain.stretch import Measured, Stretch, measured_text, seal_of
from lib.ports.stretches import StretchBook

BROKEN = INCIDENTS - {EventKind.BOOKS}
"""Differing books are counted by themselves."""


class SqlStretchBook(StretchBook):
    """`lib.ports.stretches.StretchBook`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open(self) -> list[Stretch]:
        found = transact(self._engine, open_stretches, readonly=True)
        return sorted(found, key=lambda one: bool(one.begun_ms))

    def seal(self, stretch: Stretch, at_ms: int) -> None:
        seal = seal_of(replace(stretch, begun_ms=at_ms))
        values = {"stretch_id": stretch.stretch_id, "kind": "begun", "at_ms": at_ms, "seal": seal}
        transact(self._engine, lambda c: insert_once(c, stretch_marks, values))

    def flaws(self, stretch: Stretch) -> tuple[int, int]:
        return transact(self._engine, lambda c: _flaws(c, stretch), readonly=True)

    def end(self, stretch: Stretch, measured: Measured, at_ms: int) -> None:
        told = {"at_ms": at_ms, "seal": stretch.seal, "measured": measured_text(measured)}
        values = {"stretch_id": stretch.stretch_id, "kind": "ended", **told}
        transact(self._engine, lambda c: insert_once(c, stretch_marks, values))


def _flaws(connection: sa.Connection, stretch: Stretch) -> tuple[int, int]:
    told = sa.select(sa.func.count()).where(
        outbox.c.account_id == stretch.account_id,
        outbox.c.kind.in_([kind.value for kind in BROKEN]),
        outbox.c.created_at >= utc_from_ms(stretch.begun_ms),
        outbox.c.created_at < utc_from_ms(stretch.until_ms),
    )
    points = sa.select(equity_points.c.difference).where(
        equity_points.c.account_id == stretch.account_id,
        equity_points.c.t_ms >= stretch.begun_ms,
        equity_points.c.t_ms < stretch.until_ms,
    )
    # money is text on SQLite: it is told apart here
    differing = sum(1 for difference in connection.scalars(points) if difference)
    return connection.scalar(told) or 0, differing
