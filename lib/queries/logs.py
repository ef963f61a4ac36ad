"""The trade log of a person, cut into pages by the database, and one of its rows in full."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import read_charges
from lib.adapters.sql.ledger.rows import order_from
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.trading import cycles, fills, order_events, orders, trade_logs
from lib.domain.input_blocks import read_shown
from lib.domain.order import Order
from lib.domain.stored_reason import parse
from lib.queries.log_search import Words, holds, search
from lib.queries.old_events import event_reason
from lib.queries.paging import NEWEST, Cursor, beside
from lib.queries.reading import Reading, epoch_ms
from lib.queries.values import ClampRow, EventRow, FillRow, LogDetail, LogRow, Page

_NAMES = [name for name in LogRow.__dataclass_fields__ if name != "message"]
_COLUMNS = (trade_logs.c.error_message, *(trade_logs.c[name] for name in _NAMES))
_CALL = [
    cycles.c[name]
    for name in (
        *("prompt", "raw_answer", "candles", "model", "latency_ms", "prompt_tokens", "completion_tokens", "cost_usd"),
        "created_at",
        *("archived", "sent_sha256", "inputs"),
    )
]
_FILL = [fills.c[name] for name in FillRow.__dataclass_fields__]

TRADED = ("bought", "sold", "closed")
"""Outcomes of decisions that moved a position."""
MOST_COUNTED = 1_000
"""A total is exact up to here: to count a year of rows is to read them."""
CLOCKS_APART = timedelta(hours=1)
"""How much earlier a row with a higher id may say it was: several processes write."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """
    Rows of one *outcome*, of one *symbol*, from *since_ms* until before *until_ms*, only those that *traded*, only
    those whose reason or raw answer holds *words*; each only when given.
    """

    outcome: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    traded: bool = False
    words: Words | None = None
    symbol: str = ""


EVERYTHING = LogFilter()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which rows: those that match *where* and have one of *outcomes* (none: any)."""

    where: list[sa.ColumnElement[bool]]
    outcomes: tuple[str, ...]

    def stretches(self) -> list[list[sa.ColumnElement[bool]]]:
        """The conditions, once for each outcome."""
        if not self.outcomes:
            return [self.where]
        return [[*self.where, trade_logs.c.outcome == outcome] for outcome in self.outcomes]


@dataclass(frozen=True, slots=True)
class _Sought:
    """Which rows are looked through for *words*: those that match *where*; of them one of *outcomes* is wanted."""

    where: list[sa.ColumnElement[bool]]
    outcomes: tuple[str, ...]
    words: Words

    def page(self, connection: sa.Connection, cursor: Cursor | None, limit: int) -> Page:
        looked_for = holds(self.words)
        if self.outcomes:
            looked_for = sa.and_(trade_logs.c.outcome.in_(self.outcomes), looked_for)
        found = search(connection, _COLUMNS, self.where, looked_for, cursor, limit)
        whole = found.older is None and found.newer is None
        return Page(tuple(map(_log_row, found.rows)), len(found.rows), whole, found.older, found.newer)


class LogReadings(Reading):
    """Rows of one person only, of every account they ever had."""

    def logs(self, user_id: int, *, newer_than: int = 0, limit: int = 20, symbol: str = "") -> list[LogRow]:
        """The newest *limit* log rows of *symbol* ("" = of any) with an id above *newer_than*, newest first."""
        return self._read(lambda c: _newest(c, user_id, newer_than, limit, symbol))

    def logs_page(
        self, user_id: int, *, limit: int, cursor: Cursor | None = None, only: LogFilter = EVERYTHING
    ) -> Page:
        """
        *limit* rows beside *cursor* (None: the newest), *only* those that the filter lets through.

        A search for words looks through so many rows and no more: where it has *older*, it goes on from there.
        """
        known: list[str] = trade_logs.c.outcome.type.enums  # type: ignore[attr-defined]
        outcomes = [one for one in (TRADED if only.traded else known) if only.outcome in (None, one)]
        if not outcomes:
            return Page()
        apart = tuple(outcomes) if only.traded or only.outcome else ()
        if only.words is not None:
            seen = _Sought(_where(user_id, only), apart, only.words)
            return self._read(lambda c: seen.page(c, cursor, limit))
        asked = _Asked(_where(user_id, only), apart)
        return self._read(lambda c: _page(c, asked, cursor, limit))

    def log_detail(self, user_id: int, log_id: int) -> LogDetail | None:
        """Everything about one of the person's own rows; None for another's and for none."""
        return self._read(lambda c: _detail(c, user_id, log_id))


def _where(user_id: int, only: LogFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [trade_logs.c.user_id == user_id]
    if only.since_ms is not None:
        where.append(trade_logs.c.executed_at >= utc_from_ms(only.since_ms))
    if only.until_ms is not None:
        where.append(trade_logs.c.executed_at < utc_from_ms(only.until_ms))
    if only.symbol:
        where.append(trade_logs.c.symbol == only.symbol)
    return where


def _newest(connection: sa.Connection, user_id: int, newer_than: int, limit: int, symbol: str) -> list[LogRow]:
    # in the order of an index, and from the known row on: no news would be a walk to the beginning
    where = [trade_logs.c.user_id == user_id, trade_logs.c.id > newer_than]
    if symbol:
        where.append(trade_logs.c.symbol == symbol)
    known = sa.select(trade_logs.c.executed_at).where(trade_logs.c.id == newer_than, trade_logs.c.user_id == user_id)
    if newer_than and (at := connection.execute(known).scalar()) is not None:
        where.append(trade_logs.c.executed_at >= at - CLOCKS_APART)
    query = sa.select(*_COLUMNS).where(*where).order_by(*NEWEST.order()).limit(limit)
    return [_log_row(row) for row in connection.execute(query).mappings()]


def _page(connection: sa.Connection, asked: _Asked, cursor: Cursor | None, limit: int) -> Page:
    at = cursor or NEWEST
    found = _beside(connection, asked, at, limit + 1)
    more, rows = len(found) > limit, found[:limit]
    if cursor is not None and not (rows if at.older else more):
        # nothing beyond it, or less than a page: the newest page, whole
        return _page(connection, asked, None, limit)
    rows = rows if at.older else rows[::-1]
    older = beside(rows, older=True) if more or not at.older else None
    newer = beside(rows, older=False) if cursor is not None else None
    return Page(tuple(_log_row(row) for row in rows), *_counted(connection, asked), older, newer)


def _beside(connection: sa.Connection, asked: _Asked, at: Cursor, limit: int) -> list[sa.RowMapping]:
    """*limit* rows beside *at*, away from it: those of each outcome are steps in its own stretch of the index."""
    found: list[sa.RowMapping] = []
    for where in asked.stretches():
        query = sa.select(*_COLUMNS).where(*where, at.where()).order_by(*at.order()).limit(limit)
        found += connection.execute(query).mappings().all()
    found.sort(key=lambda row: (row["executed_at"], row["id"]), reverse=at.older)
    return found[:limit]


def _counted(connection: sa.Connection, asked: _Asked) -> tuple[int, bool]:
    """How many rows match, and whether that is all of them: counting stops at `MOST_COUNTED`."""
    total = 0
    for where in asked.stretches():
        # in the order of the index, or the database might begin at the far end of the table
        ordered = sa.select(trade_logs.c.id).where(*where).order_by(trade_logs.c.executed_at.desc())
        some = ordered.limit(MOST_COUNTED + 1 - total)
        total += connection.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    return min(total, MOST_COUNTED), total <= MOST_COUNTED


def _log_row(row: sa.RowMapping) -> LogRow:
    return LogRow(message=row["error_message"], **{name: row[name] for name in _NAMES})


def _detail(connection: sa.Connection, user_id: int, log_id: int) -> LogDetail | None:
    query = sa.select(trade_logs).where(trade_logs.c.id == log_id, trade_logs.c.user_id == user_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    of_t = (orders.c.account_id == row["account_id"], orders.c.t_ms == row["t_ms"])
    of_log = (*of_t, orders.c.symbol == row["symbol"], orders.c.user_id == user_id)
    found = connection.execute(sa.select(orders).where(*of_log).order_by(orders.c.id)).mappings().all()
    made, analysis = tuple(order_from(order) for order in found), row["gpt_analysis"] or {}
    return LogDetail(
        row=_log_row(row),
        decision=None if "abstained" in analysis else row["gpt_analysis"],
        abstained=parse(analysis.get("abstained")),
        clamps=tuple(ClampRow(**clamp) for clamp in row["clamps"] or ()),
        orders=made,
        events=_events(connection, made),
        fills=_fills(connection, made),
        **_call(connection, row["cycle_id"]),
    )


def _call(connection: sa.Connection, cycle_id: int | None) -> dict[str, Any]:
    row = connection.execute(sa.select(*_CALL).where(cycles.c.id == cycle_id)).mappings().one_or_none()
    if row is None:
        return {}
    call = dict(row)
    return call | {"answered_ms": epoch_ms(call.pop("created_at")), "inputs": read_shown(row["inputs"])}


def _events(connection: sa.Connection, made: tuple[Order, ...]) -> tuple[EventRow, ...]:
    links = {order.id: order.order_link_id for order in made}
    query = sa.select(order_events).where(order_events.c.order_id.in_(links)).order_by(order_events.c.id)
    return tuple(
        EventRow(
            links[row["order_id"]],
            row["at_ms"],
            row["from_state"],
            row["to_state"],
            event_reason(row["why"]),
            row["code"],
        )
        for row in connection.execute(query).mappings()
    )


def _fills(connection: sa.Connection, made: tuple[Order, ...]) -> tuple[FillRow, ...]:
    ids = [order.id for order in made]
    query = sa.select(*_FILL).where(fills.c.order_id.in_(ids)).order_by(fills.c.at_ms, fills.c.id)
    rows = connection.execute(query).mappings()
    return tuple(FillRow(**{**row, "charges": read_charges(row["charges"])}) for row in rows)
