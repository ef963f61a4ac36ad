"""
Points of an account's equity that other figures are measured from: each one step in the primary key, never a scan.

What they mean is the domain's (`lib.domain.equity`); the loss gate and the pages ask here, so that both mean the same.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.trading import equity_points
from lib.domain.day import midnight_before
from lib.domain.equity import Mark, day_start

_POINTS = equity_points.c


_MARK = sa.select(_POINTS.t_ms, _POINTS.equity, _POINTS.transfers).where(
    _POINTS.account_id == sa.bindparam("of_account")
)
_MIDNIGHT: "sa.BindParameter[int]" = sa.bindparam("midnight")
_BEFORE = _MARK.where(_POINTS.t_ms < _MIDNIGHT).order_by(_POINTS.t_ms.desc()).limit(1)
_FIRST = _MARK.where(_POINTS.t_ms >= _MIDNIGHT, _POINTS.t_ms <= sa.bindparam("until")).order_by(_POINTS.t_ms).limit(1)


def newest_mark(connection: sa.Connection, account_id: int, *when: sa.ColumnElement[bool]) -> Mark | None:
    """The newest of the account's equity points that match *when*."""
    newest = _MARK.where(*when).order_by(_POINTS.t_ms.desc()).limit(1)
    return _read(connection, newest, {"of_account": account_id})


def day_start_of(connection: sa.Connection, account_id: int, t_ms: int, start: Decimal, transfers: Decimal) -> Decimal:
    """Where the UTC day of *t_ms* starts for an account that began with *start* and has counted *transfers*, USDT."""
    midnight = midnight_before(t_ms)
    given = {"of_account": account_id, "midnight": midnight}
    before = _read(connection, _BEFORE, given)
    first = _read(connection, _FIRST, given | {"until": t_ms})
    return day_start(t_ms, before, first, start, transfers)


def _read(connection: sa.Connection, query: "sa.Select[Any]", given: dict[str, int]) -> Mark | None:
    row = connection.execute(query, given).one_or_none()
    return Mark(*row) if row else None
