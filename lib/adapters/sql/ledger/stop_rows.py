"""
The committed stops of positions (`stop_moves`): written with the plan, claimed before a call, settled once read back.

Claims and plans of one account hold its row, so that whoever claims a call sees every move and every call before it.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.keeping import last_entry
from lib.adapters.sql.ledger.rows import insert_once, insertion, lock_account, of
from lib.adapters.sql.tables.trading import stop_moves
from lib.domain.account import Slot
from lib.domain.order import Order
from lib.domain.stops import StopMove, called, is_settled_by, stop_to_call, waits

_OF_ENTRY = (
    sa.select(stop_moves)
    .where(stop_moves.c.entry_link == sa.bindparam("of_entry"), stop_moves.c.account_id == sa.bindparam("of_account"))
    .order_by(stop_moves.c.id)
)
_WAITING = sa.select(stop_moves).where(
    stop_moves.c.account_id == sa.bindparam("of_account"),
    stop_moves.c.symbol == sa.bindparam("of_symbol"),
    stop_moves.c.settled_ms == 0,
)
_SLOTS = sa.select(stop_moves.c.account_id, stop_moves.c.symbol).where(stop_moves.c.settled_ms == 0).distinct()


def read_moves(connection: sa.Connection, entry: Order) -> list[StopMove]:
    """The ledger's `stop_moves`."""
    mine = {"of_entry": entry.order_link_id, "of_account": entry.account_id}
    return [_move(row) for row in connection.execute(_OF_ENTRY, mine).mappings()]


def _move(row: sa.RowMapping) -> StopMove:
    return StopMove(row["entry_link"], row["t_ms"], row["price"], row["called_ms"], row["settled_ms"])


def insert_move(connection: sa.Connection, slot: Slot, t_ms: int, price: Decimal) -> None:
    """The move of a plan, of the newest entry there; within the plan's transaction."""
    entry = last_entry(connection, slot)
    if entry is not None:
        insert_once(connection, stop_moves, _values(entry, StopMove(entry.order_link_id, t_ms, price)))


def move(connection: sa.Connection, entry: Order, t_ms: int, price: Decimal) -> None:
    """The ledger's `move_stop`."""
    lock_account(connection, entry.account_id)
    insert_once(connection, stop_moves, _values(entry, StopMove(entry.order_link_id, t_ms, price)))


def claim(connection: sa.Connection, entry: Order, known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
    """The ledger's `claim_stop`."""
    lock_account(connection, entry.account_id)
    moves = read_moves(connection, entry)
    price = stop_to_call(entry, moves, known, standing, at_ms)
    if price:
        _keep(connection, entry, called(entry, moves, price, at_ms))
    return price


def _keep(connection: sa.Connection, entry: Order, move: StopMove) -> None:
    row = (stop_moves.c.entry_link == move.entry_link, stop_moves.c.t_ms == move.t_ms)
    values = {"price": move.price, "called_ms": move.called_ms, "settled_ms": move.settled_ms}
    if not connection.execute(sa.update(stop_moves).where(*row).values(values)).rowcount:
        connection.execute(insertion(stop_moves), _values(entry, move))


def settle(connection: sa.Connection, entry: Order, standing: Decimal, at_ms: int) -> bool:
    """The ledger's `settle_stops`."""
    lock_account(connection, entry.account_id)
    rows = connection.execute(_WAITING, of(entry.slot)).mappings().all()
    done = [row["id"] for row in rows if is_settled_by(_move(row), entry, standing)]
    if done:
        connection.execute(sa.update(stop_moves).where(stop_moves.c.id.in_(done)).values(settled_ms=at_ms))
    return waits(entry, (_move(row) for row in rows if row["id"] not in done))


def moved_slots(connection: sa.Connection) -> set[Slot]:
    """The ledger's `moved_slots`."""
    return {(account_id, symbol) for account_id, symbol in connection.execute(_SLOTS)}


def _values(entry: Order, move: StopMove) -> dict[str, Any]:
    return {
        "account_id": entry.account_id,
        "symbol": entry.symbol,
        "entry_link": move.entry_link,
        "t_ms": move.t_ms,
        "price": move.price,
        "called_ms": move.called_ms,
        "settled_ms": move.settled_ms,
    }
