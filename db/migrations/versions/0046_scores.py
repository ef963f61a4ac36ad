"""
What each answer was worth, whoever followed it: once per method, never changed.

Revision 0046. Nothing is scored yet: the notifier begins with the oldest answer whose candles are still kept.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
ENDS = ("nothing", "no_entry", "stop", "target", "liquidation", "time")


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("cycle_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("method", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ended", columns.choice("ended", *ENDS), nullable=False),
        *map(_zero, ("entered_ms", "closed_ms")),
        *map(_money, ("entry_price", "exit_price", "gross", "fees", "funding")),
        sa.Column("cost_usd", columns.Dec()),
        *map(_money, ("net", "r_multiple")),
        _zero("scored_ms"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_scores_cycle_id")),
        sa.PrimaryKeyConstraint("cycle_id", "method", name=op.f("pk_scores")),
        **TABLE,
    )


def downgrade() -> None:
    """Scores are lost; those whose candles are still kept are made again."""
    op.drop_table("scores")


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _money(name: str) -> sa.Column[object]:
    return sa.Column(name, columns.Dec(), nullable=False)
