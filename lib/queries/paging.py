"""
Where a page of a table begins: a place between two rows, so that the thousandth page costs what the first does.

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
        """The rows of the trade log on that side."""
        beyond: sa.ColumnElement[bool] = self._beyond(_LOG.executed_at, _LOG.id, utc_from_ms(self.at_ms))
        return beyond

    def order(self) -> "tuple[sa.UnaryExpression[Any], ...]":
        """Away from the place."""
        return self.away(_LOG.executed_at, _LOG.id)

    def beyond(self, at: "sa.ColumnElement[int]", row_id: "sa.ColumnElement[int]") -> sa.ColumnElement[bool]:
        """The rows on that side of a table whose columns are *at* (epoch ms) and *row_id*."""
        beyond: sa.ColumnElement[bool] = self._beyond(at, row_id, self.at_ms)
        return beyond

    def _beyond(self, at: "sa.ColumnElement[Any]", row_id: "sa.ColumnElement[int]", place: Any) -> Any:
        # a range first: a database walks the index by it, not by a pair
        if self.older:
            return sa.and_(at <= place, sa.or_(at < place, row_id < self.row_id))
        return sa.and_(at >= place, sa.or_(at > place, row_id > self.row_id))

    def away(self, at: "sa.ColumnElement[Any]", row_id: "sa.ColumnElement[int]") -> tuple[Any, ...]:
        """The order of such a table's rows, away from the place."""
        if self.older:
            return (at.desc(), row_id.desc())
        return (at.asc(), row_id.asc())


NEWEST = Cursor(older=True, at_ms=10**14 - 1, row_id=10**18 - 1)
"""Before every row."""


def read_cursor(text: str) -> Cursor | None:
    """The place *text* names, None when it names none."""
    found = _TEXT.fullmatch(text)
    return Cursor(found[1] == "older", int(found[2]), int(found[3])) if found else None


def place_of(row: sa.RowMapping, *, older: bool, with_it: bool = False) -> Cursor:
    """The place beside *row*, beyond which lies what is *older*, or newer; *with_it*: and the row itself."""
    number = row["id"] + ((1 if older else -1) if with_it else 0)
    return Cursor(older, epoch_ms(row["executed_at"]), number)


def beside(rows: Sequence[sa.RowMapping], *, older: bool) -> Cursor | None:
    """The place after the last of *rows* (newest first), or before the first."""
    if not rows:
        return None
    return place_of(rows[-1] if older else rows[0], older=older)
