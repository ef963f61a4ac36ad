"""
The stops that decisions moved: one row per entry and T, written before the exchange is called.

Revision 0041. No position has a move yet: its stop is its entry's, as before.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "stop_moves",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("entry_link", columns.ascii_text(36), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("price", columns.Dec(), nullable=False),
        *map(_number, ("called_ms", "settled_ms")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_stop_moves_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_moves")),
        sa.UniqueConstraint("entry_link", "t_ms", name=op.f("uq_stop_moves_entry_link_t_ms")),
        **TABLE,
    )
    op.create_index("ix_stop_moves_settled", "stop_moves", ["settled_ms", "account_id"])


def downgrade() -> None:
    op.drop_table("stop_moves")
