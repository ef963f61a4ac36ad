"""
Demo trading without evidence: a person's act, on one account and with one strategy version.

Revision 0053. What is switched on stays on: only who switches auto-trading on from here is asked.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "demo_overrides",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        sa.Column("account_id", columns.BIG, nullable=False),
        sa.Column("version_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("given_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_demo_overrides_user_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_demo_overrides_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_overrides")),
        **TABLE,
    )
    for column in ("user_id", "account_id"):
        op.create_index(op.f(f"ix_demo_overrides_{column}"), "demo_overrides", [column])


def downgrade() -> None:
    """Who did without is lost; what they wrote in their trail stays."""
    op.drop_table("demo_overrides")
