"""
Backtests: what people asked of the past, how far it is, what came of it.

Revision 0049. Nothing was asked yet.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from lib.adapters.sql.tables import columns

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
STATES = ("queued", "running", "done", "cancelled", "failed")


def upgrade() -> None:
    op.create_table(
        "backtests",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        sa.Column("feed", columns.exact_text(255), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        *map(_zero, ("since_ms", "until_ms")),
        sa.Column("content_key", columns.ascii_text(64), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("state", columns.choice("state", *STATES), nullable=False),
        sa.Column("why", sa.String(500), nullable=True),
        *map(_zero, ("attempts", "done", "whole", "asked_ms", "started_ms")),
        *map(_zero, ("beat_ms", "cancel_ms", "ended_ms", "hidden_ms")),
        sa.Column("earned", columns.Dec(), nullable=True),
        sa.Column("result", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=True),
        sa.Column("code_sha256", columns.ascii_text(64), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_backtests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_backtests_code_sha256")),
        **TABLE,
    )
    for column in ("user_id", "content_key", "state"):
        op.create_index(op.f(f"ix_backtests_{column}"), "backtests", [column])


def downgrade() -> None:
    """What was asked is lost; candles and answers it rested on stay."""
    op.drop_table("backtests")


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
