"""
Points of an account's equity that other figures are measured from: each one step in the primary key, never a scan.

What they mean is the domain's (`lib.domain.equity`); the loss gate and the pages ask here, so that both mean the same.
"""

from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import equity_points
from lib.domain.day import midnight_before
from lib.domain.equity import Mark, day_start

_POINTS = equity_points.c


def newest_mark(connection: sa.Connection, account_id: int, *when: sa.ColumnElement[bool]) -> Mark | None:
    """The newest point of the account, of those that are *when*."""
    return _one(connection, account_id, _POINTS.t_ms.desc(), *when)


def day_start_of(connection: sa.Connection, account_id: int, t_ms: int, start: Decimal, transfers: Decimal) -> Decimal:
    """Where the UTC day of *t_ms* starts for an account that began with *start* and has counted *transfers*, USDT."""
    midnight = midnight_before(t_ms)
    before = newest_mark(connection, account_id, _POINTS.t_ms < midnight)
    first = _one(connection, account_id, _POINTS.t_ms, _POINTS.t_ms >= midnight, _POINTS.t_ms <= t_ms)
    return day_start(t_ms, before, first, start, transfers)


def _one(
    connection: sa.Connection, account_id: int, order: "sa.ColumnElement[int]", *when: sa.ColumnElement[bool]
) -> Mark | None:
    mine = sa.select(_POINTS.t_ms, _POINTS.equity, _POINTS.transfers).where(_POINTS.account_id == account_id, *when)
    row = connection.execute(mine.order_by(order).limit(1)).one_or_none()
    return Mark(*row) if row else None
