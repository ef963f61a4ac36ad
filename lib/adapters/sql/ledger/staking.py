"""What an account has at stake in its symbols: positions by the books, entries by their rows. Only reads."""

import sqlalchemy as sa

from lib.adapters.sql.ledger.keeping import last_entry
from lib.adapters.sql.ledger.rows import order_from, symbol_rows
from lib.adapters.sql.tables.trading import orders
from lib.domain.order import TERMINAL, OrderState
from lib.domain.stakes import Stake, coming_stake, held_stake

_OPEN = [state.value for state in OrderState if state not in TERMINAL]
_COMING = sa.select(orders).where(
    orders.c.account_id == sa.bindparam("of_account"), orders.c.leg == "e", orders.c.state.in_(_OPEN)
)


def stakes(connection: sa.Connection, account_id: int, *, but: str) -> tuple[Stake, ...]:
    """The stakes of the account in every symbol *but* that one."""
    rows = symbol_rows(connection, account_id)
    held = {symbol: row for symbol, row in rows.items() if row["position_qty"] and symbol != but}
    coming = (order_from(row) for row in connection.execute(_COMING, {"of_account": account_id}).mappings())
    found = [coming_stake(order) for order in coming if order.symbol != but] if len(rows) > 1 else []
    return (
        *(_held(connection, account_id, symbol, row) for symbol, row in held.items()),
        *(stake for stake in found if stake is not None),
    )


def _held(connection: sa.Connection, account_id: int, symbol: str, row: sa.RowMapping) -> Stake:
    entry = last_entry(connection, (account_id, symbol))
    return held_stake(symbol, row["position_qty"], row["avg_entry_price"], entry.leverage if entry else 0)
