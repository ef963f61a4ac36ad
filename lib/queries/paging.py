"""
Where a page of the trade log begins: a place between two rows, so that the thousandth page costs what the first does.

An offset would have the database read everything before it. A place is text in addresses and requests, so it comes from
outside: anything `read_cursor` cannot read is no place, whatever it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.trading import trade_logs
from lib.queries.reading import epoch_ms

_TEXT = re.compile(r"(older|newer)-([0-9]{1,14})-([0-9]{1,18})", re.ASCII)
_LOG = trade_logs.c


@dataclass(frozen=True, slots=True)
class Cursor:
    """Beside the row *row_id* of *at_ms* (epoch ms); the page is what is *older* than it, or what is newer."""

    older: bool
    at_ms: int
    row_id: int

    def __str__(self) -> str:
        return f"{'older' if self.older else 'newer'}-{self.at_ms}-{self.row_id}"

    def where(self) -> sa.ColumnElement[bool]:
        """The rows on that side. Written as a range first: a database walks the index by it, not by a pair."""
        at = utc_from_ms(self.at_ms)
        if self.older:
            return sa.and_(_LOG.executed_at <= at, sa.or_(_LOG.executed_at < at, _LOG.id < self.row_id))
        return sa.and_(_LOG.executed_at >= at, sa.or_(_LOG.executed_at > at, _LOG.id > self.row_id))

    def order(self) -> "tuple[sa.UnaryExpression[Any], ...]":
        """Away from the place."""
        if self.older:
            return (_LOG.executed_at.desc(), _LOG.id.desc())
        return (_LOG.executed_at.asc(), _LOG.id.asc())


NEWEST = Cursor(older=True, at_ms=10**14 - 1, row_id=10**18 - 1)
"""Before every row."""


def read_cursor(text: str) -> Cursor | None:
    """The place *text* names, None when it names none."""
    found = _TEXT.fullmatch(text)
    return Cursor(found[1] == "older", int(found[2]), int(found[3])) if found else None


def beside(rows: Sequence[sa.RowMapping], *, older: bool) -> Cursor | None:
    """The place after the last of *rows* (newest first), or before the first."""
    if not rows:
        return None
    row = rows[-1] if older else rows[0]
    return Cursor(older, epoch_ms(row["executed_at"]), row["id"])
