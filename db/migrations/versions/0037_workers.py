"""
Accounts divided among processes: who lives, who owns which account, who was lent what of the platform's limits.

Revision 0037. All three are empty where one trader does everything.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("holder", columns.exact_text(64), nullable=False),
        sa.Column("address", columns.ascii_text(64), server_default=columns.EMPTY, nullable=False),
        *map(_number, ("capacity", "seen_ms")),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_workers")),
        **TABLE,
    )
    op.create_table(
        "account_leases",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", columns.exact_text(64), server_default=columns.EMPTY, nullable=False),
        *map(_number, ("epoch", "until_ms")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_leases")),
        **TABLE,
    )
    op.create_index(op.f("ix_account_leases_holder"), "account_leases", ["holder"])
    op.create_table(
        "loans",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("pool", columns.ascii_text(10), nullable=False),
        sa.Column("holder", columns.exact_text(64), nullable=False),
        _number("entries"),
        sa.Column("exposure", columns.Dec(), nullable=False),
        _number("until_ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loans")),
        **TABLE,
    )
    op.create_index(op.f("ix_loans_until_ms"), "loans", ["until_ms"])


def downgrade() -> None:
    op.drop_table("loans")
    op.drop_table("account_leases")
    op.drop_table("workers")
