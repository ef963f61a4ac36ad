"""
A person's own won for one USDT, by date.

Revision 0022. Nobody has one yet.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "krw_rates",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", columns.ascii_text(10), nullable=False),
        sa.Column("rate", columns.Dec(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_krw_rates_user_id")),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_krw_rates")),
        **TABLE,
    )


def downgrade() -> None:
    op.drop_table("krw_rates")
