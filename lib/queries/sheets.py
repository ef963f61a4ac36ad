"""
Orders, executions, funding and transfers of one account as tables: newest first, filtered, a page at a time.

A page begins at a place between two rows (`lib.queries.paging`) and is read from an index, however deep it lies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import read_charges
from lib.adapters.sql.ledger.rows import order_from
from lib.adapters.sql.tables.trading import fills, orders, transfers
from lib.domain.books import Charge, FillKind
from lib.domain.order import Order, OrderState
from lib.domain.position import Side
from lib.domain.round_trips import RoundTrip
from lib.queries.own import own_account
from lib.queries.paging import NEWEST, Cursor
from lib.queries.reading import Reading
from lib.queries.results import TransferRow

T = TypeVar("T")
FILL_FILTERS = ("trade", "stop", "liquidation", "adl", "other")
"""Kinds of executions; *stop* is a trade of a protective order."""
_FILLED = (OrderState.FILLED, OrderState.PARTIAL)
_WORKING = (OrderState.PLANNED, OrderState.SUBMITTING, OrderState.ACCEPTED, OrderState.UNKNOWN, OrderState.NEEDS_HUMAN)
_UNFILLED = tuple(state for state in OrderState if state not in (*_FILLED, *_WORKING))
ORDER_GROUPS = {"filled": _FILLED, "working": _WORKING, "unfilled": _UNFILLED}
"""The filters of the orders' table, and the states each lets through."""


@dataclass(frozen=True, slots=True)
class BookedFill:
    """One execution as it was booked; *realised* is before *fee*; funding is a row whose *fee* is what it cost."""

    id: int
    at_ms: int
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realised: Decimal
    kind: FillKind
    is_stop: bool
    exec_id: str
    order_link_id: str
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a page of a table lets through, each None for everything: a *side* (buy or sell), a *symbol*, a *kind* of the
    table's own (`ORDER_GROUPS`, `FILL_FILTERS`, "received" or "paid" of funding, a kind of transfer).
    """

    side: str | None = None
    kind: str | None = None
    symbol: str | None = None


EVERYTHING = Asked()


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """One page of a table, newest first, and the places its neighbours begin at (None = there is none)."""

    rows: tuple[T, ...] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


_FILL = [fills.c[name] for name in BookedFill.__dataclass_fields__]
_TRANSFER = [transfers.c[name] for name in TransferRow.__dataclass_fields__]


class SheetReadings(Reading):
    """Of the person's account *account_id* (None: the one in use); empty for another's."""

    def orders_sheet(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        only: Asked = EVERYTHING,
        since_ms: int = 0,
        account_id: int | None = None,
    ) -> Sheet[Order]:
        """Orders planned since *since_ms*; their kinds are groups of states."""
        where = [orders.c.t_ms >= since_ms, *_same(orders.c.side, only.side), *_same(orders.c.symbol, only.symbol)]
        if only.kind is not None:
            where.append(orders.c.state.in_([state.value for state in ORDER_GROUPS.get(only.kind, ())]))
        table = _Table(orders, orders.c.t_ms, list(orders.c), order_from)
        return self._sheet(user_id, account_id, table, where, cursor, limit)

    def fills_sheet(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        only: Asked = EVERYTHING,
        since_ms: int = 0,
        account_id: int | None = None,
    ) -> Sheet[BookedFill]:
        """Executions since *since_ms* that traded."""
        ways = [fills.c.kind != "funding"] if only.kind is None else _of_kind(only.kind)
        where = [*ways, *_same(fills.c.side, only.side), *_same(fills.c.symbol, only.symbol), fills.c.at_ms >= since_ms]
        return self._sheet(user_id, account_id, _FILLS, where, cursor, limit)

    def funding_sheet(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        only: Asked = EVERYTHING,
        since_ms: int = 0,
        account_id: int | None = None,
    ) -> Sheet[BookedFill]:
        """Funding since *since_ms*, received or paid."""
        where = [fills.c.kind == "funding", *_same(fills.c.symbol, only.symbol), fills.c.at_ms >= since_ms]
        if only.kind is not None:
            # money is text on SQLite: its sign is its first character, there and in MySQL's eyes alike
            is_received = sa.type_coerce(fills.c.fee, sa.Text).like("-%")
            where.append(is_received if only.kind == "received" else sa.not_(is_received))
        return self._sheet(user_id, account_id, _FILLS, where, cursor, limit)

    def transfers_sheet(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        only: Asked = EVERYTHING,
        since_ms: int = 0,
        account_id: int | None = None,
    ) -> Sheet[TransferRow]:
        """What was paid in and out since *since_ms*."""
        table = _Table(transfers, transfers.c.at_ms, _TRANSFER, lambda row: TransferRow(**row))
        where = [*_same(transfers.c.kind, only.kind), transfers.c.at_ms >= since_ms]
        return self._sheet(user_id, account_id, table, where, cursor, limit)

    def _sheet(
        self,
        user_id: int,
        account_id: int | None,
        table: "_Table[T]",
        where: Sequence[sa.ColumnElement[bool]],
        cursor: Cursor | None,
        limit: int,
    ) -> Sheet[T]:
        def read(connection: sa.Connection) -> Sheet[T]:
            mine = own_account(connection, user_id, account_id)
            if mine is None:
                return Sheet()
            return table.page(connection, [table.of.c.account_id == mine.id, *where], cursor, limit)

        return self._read(read)


@dataclass(frozen=True, slots=True)
class _Table(Generic[T]):
    """How the rows of a table are read: its moment (epoch ms), its columns, what a row is made into."""

    of: sa.Table
    at: "sa.ColumnElement[int]"
    columns: "Sequence[sa.ColumnElement[Any]]"
    make: Callable[[Any], T]

    def page(
        self, connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], cursor: Cursor | None, limit: int
    ) -> Sheet[T]:
        at = cursor or NEWEST
        place = at.beyond(self.at, self.of.c.id)
        query = sa.select(*self.columns).where(*where, place).order_by(*at.away(self.at, self.of.c.id))
        found = connection.execute(query.limit(limit + 1)).mappings().all()
        more, rows = len(found) > limit, found[:limit]
        if cursor is not None and not (rows if at.older else more):
            # nothing beyond it, or less than a page: the newest page, whole
            return self.page(connection, where, None, limit)
        rows = rows if at.older else rows[::-1]
        older = self._beside(rows[-1], older=True) if rows and (more or not at.older) else None
        newer = self._beside(rows[0], older=False) if rows and cursor is not None else None
        return Sheet(tuple(self.make(dict(row)) for row in rows), older, newer)

    def _beside(self, row: sa.RowMapping, *, older: bool) -> Cursor:
        return Cursor(older, row[self.at.key or ""], row["id"])


def _same(column: "sa.ColumnElement[Any]", asked: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if asked is None else [column == asked]


def _of_kind(kind: str) -> list[sa.ColumnElement[bool]]:
    if kind == "stop":
        return [fills.c.kind == "trade", fills.c.is_stop]
    return [fills.c.kind == kind, *([sa.not_(fills.c.is_stop)] if kind == "trade" else [])]


def closed_sheet(trips: Sequence[RoundTrip], cursor: Cursor | None, limit: int) -> Sheet[RoundTrip]:
    """One page of closed *trips*, the one that ended last first, as a table in the database is paged."""
    newest = sorted(trips, key=_ended, reverse=True)
    at = cursor or NEWEST
    place = (at.at_ms, at.row_id)
    beside = [trip for trip in newest if (_ended(trip) < place if at.older else _ended(trip) > place)]
    rows = beside[:limit] if at.older else beside[-limit:]
    if cursor is not None and (not rows or (not at.older and len(rows) < limit)):
        return closed_sheet(newest, None, limit)
    if not rows:
        return Sheet()
    older, newer = rows[-1] is not newest[-1], rows[0] is not newest[0]
    return Sheet(
        tuple(rows),
        Cursor(True, *_ended(rows[-1])) if older else None,
        Cursor(False, *_ended(rows[0])) if newer else None,
    )


def _ended(trip: RoundTrip) -> tuple[int, int]:
    return (trip.closed_ms or 0, trip.trip_id)


def _booked(row: dict[str, Any]) -> BookedFill:
    return BookedFill(**{**row, "charges": read_charges(row["charges"])})


_FILLS = _Table(fills, fills.c.at_ms, _FILL, _booked)
