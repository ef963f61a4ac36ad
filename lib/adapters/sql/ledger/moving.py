"""
Moving an order: compare-and-set, one event, the log row with it, in the caller's transaction.

Nothing else writes `orders.state`. The log row is locked before the orders are read for its summary, so that two orders
of one T moving at once cannot leave a summary that has seen only one of them.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import Now, exclusively, insertion, of, order_for_update, order_values, orders_at
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.tables.trading import order_events, orders, trade_logs
from lib.domain.account import Slot
from lib.domain.audit_chain import GENESIS, OrderEvent
from lib.domain.events import of_order
from lib.domain.exchange_records import Verdict
from lib.domain.order import Order, OrderState
from lib.domain.order_rules import check_move, log_summary, moved, shown_order_id, still_movable, with_verdict
from lib.domain.reason import Reason
from lib.domain.stored_reason import stored

_MOVE = sa.update(orders).where(orders.c.id == sa.bindparam("of_order"), orders.c.state == sa.bindparam("from_state"))
_NEWEST_HASH = (
    sa.select(order_events.c.hash)
    .where(order_events.c.order_id == sa.bindparam("of_order"))
    .order_by(order_events.c.id.desc())
    .limit(1)
)
_LOG = exclusively(
    sa.select(trade_logs.c.id, trade_logs.c.planned_outcome, trade_logs.c.reason).where(
        trade_logs.c.account_id == sa.bindparam("of_account"),
        trade_logs.c.t_ms == sa.bindparam("at_t"),
        trade_logs.c.symbol == sa.bindparam("of_symbol"),
    )
)
_SET_LOG = sa.update(trade_logs).where(trade_logs.c.id == sa.bindparam("of_log"))


def insert_order(connection: sa.Connection, order: Order) -> None:
    """Insert *order* and its first event."""
    made = connection.execute(insertion(orders), order_values(order))
    order_id = made.inserted_primary_key[0] if made.inserted_primary_key else 0
    event = OrderEvent(order.order_link_id, order.created_ms, "", order.state.value, stored(order.why), 0, GENESIS)
    _append(connection, order_id, event)


def transition(connection: sa.Connection, before: OrderState, after: Order, code: int = 0) -> Order | None:
    """
    Write *after* over the row of its id if that still is in state *before*; the row as it is then stored, or None.

    The caller has checked that the machine allows the move and set *after.updated_ms*.
    """
    where = {"of_order": after.id, "from_state": before.value}
    changed = connection.execute(_MOVE, order_values(after) | {"last_code": code} | where)
    if changed.rowcount != 1:
        return None
    event = OrderEvent(
        after.order_link_id,
        after.updated_ms,
        before.value,
        after.state.value,
        stored(after.why),
        code,
        _newest_hash(connection, after.id),
    )
    _append(connection, after.id, event)
    if told := of_order(after):
        tell(connection, after.user_id, after.account_id, told)
    rows = refresh_log(connection, after.slot, after.t_ms)
    return next(row for row in rows if row.id == after.id)


def _newest_hash(connection: sa.Connection, order_id: int) -> str:
    return connection.scalar(_NEWEST_HASH, {"of_order": order_id}) or GENESIS


def _append(connection: sa.Connection, order_id: int, event: OrderEvent) -> None:
    values = {
        "order_id": order_id,
        "at_ms": event.at_ms,
        "from_state": event.before,
        "to_state": event.after,
        "why": event.why,
        "code": event.code,
        "prev_hash": event.prev_hash,
        "hash": event.hash,
    }
    connection.execute(insertion(order_events), values)


def refresh_log(connection: sa.Connection, slot: Slot, t_ms: int) -> list[Order]:
    """Make the log row of (account, symbol, T) say what its orders now say; those orders."""
    log = connection.execute(_LOG, of(slot) | {"at_t": t_ms}).mappings().one()
    rows = orders_at(connection, slot, t_ms)
    values = summary_values(log["planned_outcome"], log["reason"], rows)
    connection.execute(_SET_LOG, values | {"of_log": log["id"]})
    return rows


def summary_values(planned: Any, reason: Reason, rows: list[Order]) -> dict[str, Any]:
    """The columns of a log row that follow from its orders."""
    summary = log_summary(planned, reason, rows)
    return {
        "status": summary.status,
        "outcome": summary.outcome,
        "error_message": summary.message,
        "order_id": shown_order_id(rows) or None,
    }


def move(connection: sa.Connection, now: Now, asked: Order, after: OrderState, why: Reason, code: int) -> Order | None:
    """The ledger's `move`: from *asked.state* to *after*."""
    row = _movable(connection, asked, after)
    if row is None:
        return None
    return transition(connection, row.state, moved(row, after, why, now(connection)), code)


def close(connection: sa.Connection, now: Now, asked: Order, verdict: Verdict) -> Order | None:
    """The ledger's `close_order`: as `move`, with the sums a query found."""
    row = _movable(connection, asked, verdict.state)
    if row is None:
        return None
    closed = moved(with_verdict(row, verdict), verdict.state, verdict.why, now(connection))
    return transition(connection, row.state, closed, row.last_code)


def _movable(connection: sa.Connection, asked: Order, after: OrderState) -> Order | None:
    check_move(asked, after)
    row = order_for_update(connection, asked)
    return row if still_movable(row, asked, after) else None
