"""
Operators: people with the operator's role, and what they ask for on the web.

Revision 0015.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _ms(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "operators",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("granted_by", sa.String(255), nullable=False),
        _ms("granted_ms"),
        sa.Column("revoked_by", sa.String(255), server_default=columns.EMPTY, nullable=False),
        _ms("revoked_ms"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operators_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operators")),
        **TABLE,
    )
    op.create_table(
        "operator_acts",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", columns.ascii_text(40), nullable=False),
        sa.Column("account_id", sa.BigInteger()),
        sa.Column("args", sa.JSON()),
        sa.Column("origin", columns.ascii_text(45), server_default=columns.EMPTY, nullable=False),
        _ms("asked_ms"),
        _ms("taken_ms"),
        _ms("done_ms"),
        sa.Column("result", sa.String(500), server_default=columns.EMPTY, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operator_acts_user_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_operator_acts_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_acts")),
        **TABLE,
    )
    op.create_index(op.f("ix_operator_acts_user_id"), "operator_acts", ["user_id"])
    op.create_index(op.f("ix_operator_acts_account_id"), "operator_acts", ["account_id"])
    op.create_index(op.f("ix_operator_acts_kind_done_ms"), "operator_acts", ["kind", "done_ms"])


def downgrade() -> None:
    op.drop_table("operator_acts")
    op.drop_table("operators")
