"""The trade log of a person, cut into pages by the database, and one of its rows in full."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.charges import read_charges
from lib.adapters.sql.ledger.rows import order_from
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.trading import cycles, fills, order_events, orders, trade_logs
from lib.domain.order import Order
from lib.domain.stored_reason import parse
from lib.queries.old_events import event_reason
from lib.queries.paging import NEWEST, Cursor, beside
from lib.queries.reading import Reading
from lib.queries.values import ClampRow, EventRow, FillRow, LogDetail, LogRow, Page

_NAMES = [name for name in LogRow.__dataclass_fields__ if name != "message"]
_COLUMNS = (trade_logs.c.error_message, *(trade_logs.c[name] for name in _NAMES))
_FILL = [fills.c[name] for name in FillRow.__dataclass_fields__]


MOST_COUNTED = 1_000
"""A total is exact up to here: to count a year of rows is to read them."""
CLOCKS_APART = timedelta(hours=1)
"""How much earlier a row with a higher id may say it was: several processes write."""


class LogReadings(Reading):
    """Rows of one person only, of every account they ever had."""

    def logs(self, user_id: int, *, newer_than: int = 0, limit: int = 20) -> list[LogRow]:
        """The newest *limit* log rows with an id above *newer_than*, newest first."""
        return self._read(lambda c: _newest(c, user_id, newer_than, limit))

    def logs_page(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        outcome: str | None = None,
        since_ms: int | None = None,
    ) -> Page:
        """*limit* rows beside *cursor* (None: the newest), of one *outcome* and not before *since_ms* when given."""
        if outcome is not None and outcome not in trade_logs.c.outcome.type.enums:  # type: ignore[attr-defined]
            return Page()
        return self._read(lambda c: _page(c, _where(user_id, outcome, since_ms), cursor, limit))

    def log_detail(self, user_id: int, log_id: int) -> LogDetail | None:
        """Everything about one of the person's own rows; None for another's and for none."""
        return self._read(lambda c: _detail(c, user_id, log_id))


def _where(user_id: int, outcome: str | None, since_ms: int | None) -> list[sa.ColumnElement[bool]]:
    where = [trade_logs.c.user_id == user_id]
    if outcome is not None:
        where.append(trade_logs.c.outcome == outcome)
    if since_ms is not None:
        where.append(trade_logs.c.executed_at >= utc_from_ms(since_ms))
    return where


def _newest(connection: sa.Connection, user_id: int, newer_than: int, limit: int) -> list[LogRow]:
    # in the order of an index, and from the known row on: no news would be a walk to the beginning
    where = [trade_logs.c.user_id == user_id, trade_logs.c.id > newer_than]
    known = sa.select(trade_logs.c.executed_at).where(trade_logs.c.id == newer_than, trade_logs.c.user_id == user_id)
    if newer_than and (at := connection.execute(known).scalar()) is not None:
        where.append(trade_logs.c.executed_at >= at - CLOCKS_APART)
    query = sa.select(*_COLUMNS).where(*where).order_by(*NEWEST.order()).limit(limit)
    return [_log_row(row) for row in connection.execute(query).mappings()]


def _page(connection: sa.Connection, where: list[sa.ColumnElement[bool]], cursor: Cursor | None, limit: int) -> Page:
    at = cursor or NEWEST
    query = sa.select(*_COLUMNS).where(*where, at.where()).order_by(*at.order()).limit(limit + 1)
    found = connection.execute(query).mappings().all()
    more, rows = len(found) > limit, found[:limit]
    if cursor is not None and not (rows if at.older else more):
        # nothing beyond it, or less than a page: the newest page, whole
        return _page(connection, where, None, limit)
    rows = rows if at.older else rows[::-1]
    older = beside(rows, older=True) if more or not at.older else None
    newer = beside(rows, older=False) if cursor is not None else None
    return Page(tuple(_log_row(row) for row in rows), *_counted(connection, where), older, newer)


def _counted(connection: sa.Connection, where: list[sa.ColumnElement[bool]]) -> tuple[int, bool]:
    """How many rows match, and whether that is all of them: counting stops at `MOST_COUNTED`."""
    # in the order of the index, or the database might begin at the far end of the table
    some = sa.select(trade_logs.c.id).where(*where).order_by(trade_logs.c.executed_at.desc()).limit(MOST_COUNTED + 1)
    total = connection.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    return min(total, MOST_COUNTED), total <= MOST_COUNTED


def _log_row(row: sa.RowMapping) -> LogRow:
    return LogRow(message=row["error_message"], **{name: row[name] for name in _NAMES})


def _detail(connection: sa.Connection, user_id: int, log_id: int) -> LogDetail | None:
    query = sa.select(trade_logs).where(trade_logs.c.id == log_id, trade_logs.c.user_id == user_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    of_log = (orders.c.account_id == row["account_id"], orders.c.t_ms == row["t_ms"], orders.c.user_id == user_id)
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
    names = (cycles.c.prompt, cycles.c.raw_answer, cycles.c.candles, cycles.c.model, cycles.c.latency_ms)
    row = connection.execute(sa.select(*names).where(cycles.c.id == cycle_id)).mappings().one_or_none()
    return dict(row) if row else {}


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
