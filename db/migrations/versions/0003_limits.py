"""
Limits, proof of being stopped, transfers.

Revision 0003. Columns that come to tables with rows carry a default, so that rows of before hold nothing.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
SPENT = ["feed", "t_ms", "state", "prompt_tokens", "completion_tokens", "cost_usd"]
SENT = ["leg", "t_ms", "account_id", "attempts"]


def upgrade() -> None:
    for table, make in ADDED:
        op.add_column(table, make())
    _platform_locks()
    _transfers()
    op.create_index("ix_cycles_spent", "cycles", SPENT)
    op.create_index("ix_orders_sent", "orders", SENT)


def downgrade() -> None:
    op.drop_index("ix_orders_sent", "orders")
    op.drop_index("ix_cycles_spent", "cycles")
    op.drop_table("transfers")
    op.drop_table("platform_locks")
    for table, make in reversed(ADDED):
        op.drop_column(table, make().name)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _text(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), server_default=columns.EMPTY, nullable=False)


def _money(name: str) -> "sa.Column[object]":
    return sa.Column(name, columns.Dec(), server_default=sa.text("0.000000000000000000"), nullable=False)


ADDED = (
    ("accounts", lambda: _money("transfers")),
    ("accounts", lambda: _number("last_transfer_ms")),
    ("accounts", lambda: _number("switched_ms")),
    ("accounts", lambda: _number("proven_ms")),
    ("accounts", lambda: _number("tokens_day")),
    ("accounts", lambda: _number("tokens_spent")),
    ("accounts", lambda: _text("paused_by", 16)),
    ("system_flags", lambda: _number("switched_ms")),
    ("system_flags", lambda: _number("proven_ms")),
    ("system_flags", lambda: _text("why", 500)),
    ("risk_locks", lambda: _text("ended_by", 255)),
    ("risk_locks", lambda: _number("ended_ms")),
    ("equity_points", lambda: _money("transfers")),
)


def _platform_locks() -> None:
    op.create_table(
        "platform_locks",
        sa.Column("kind", columns.ascii_text(40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        _text("ended_by", 255),
        _number("ended_ms"),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_platform_locks")),
        **TABLE,
    )


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", columns.ascii_text(100), nullable=False),
        sa.Column(
            "kind", columns.choice("kind", "deposit", "withdrawal", "transfer", "bonus", "other"), nullable=False
        ),
        sa.Column("amount", columns.Dec(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_transfers_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("account_id", "transfer_id", name=op.f("uq_transfers_account_id_transfer_id")),
        **TABLE,
    )
