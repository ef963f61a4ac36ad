"""
What pages read stays a step in an index, however many rows there are.

Revision 0010. The trade log by outcome and time, orders by account and T, and finished rounds counted as they end:
the tiles added up a thousand executions at every refresh. Rounds of before are counted once, from the executions.
"""

from collections.abc import Iterable
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BY_OUTCOME = "ix_trade_logs_user_id_outcome_executed_at"
BY_T = "ix_orders_account_id_t_ms"
COUNTS = ("rounds_won", "rounds_lost")


def upgrade() -> None:
    op.create_index(BY_OUTCOME, "trade_logs", ["user_id", "outcome", "executed_at"])
    op.create_index(BY_T, "orders", ["account_id", "t_ms"])
    for name in COUNTS:
        op.add_column("accounts", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    _count_rounds(op.get_bind())


def downgrade() -> None:
    for name in reversed(COUNTS):
        op.drop_column("accounts", name)
    op.drop_index(BY_T, "orders")
    op.drop_index(BY_OUTCOME, "trade_logs")


def _count_rounds(connection: sa.Connection) -> None:
    accounts = sa.table("accounts", sa.column("id"), *(sa.column(name) for name in COUNTS))
    money = columns.Dec()
    fills = sa.table(
        "fills",
        *(sa.column(name) for name in ("id", "account_id", "side", "kind", "at_ms")),
        *(sa.column(name, money) for name in ("qty", "realised", "fee")),
    )
    seen = sa.select(fills.c.side, fills.c.qty, fills.c.realised, fills.c.fee).order_by(fills.c.at_ms, fills.c.id)
    for account_id in connection.execute(sa.select(accounts.c.id)).scalars().all():
        mine = seen.where(fills.c.account_id == account_id, fills.c.kind != "funding")
        won, lost = _won_and_lost(tuple(row) for row in connection.execute(mine))
        this = sa.update(accounts).where(accounts.c.id == account_id)
        connection.execute(this.values(rounds_won=won, rounds_lost=lost))


def _won_and_lost(rows: Iterable[tuple[str, Decimal, Decimal, Decimal]]) -> tuple[int, int]:
    """How many round trips brought something, and cost something; *rows* are (side, qty, realised, fee) in time."""
    held = result = Decimal(0)
    results = []
    for side, qty, realised, fee in rows:
        after = held + qty if side == "buy" else held - qty
        if held != 0 and (held > 0) != (side == "buy"):
            result += realised - fee
            if after == 0 or (after > 0) != (held > 0):
                results.append(result)
                result = Decimal(0)
        held = after
    return sum(one > 0 for one in results), sum(one < 0 for one in results)
