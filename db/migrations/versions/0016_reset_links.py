"""
Single-use links to a new password.

Revision 0016.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "reset_links",
        sa.Column("token_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("drops_factor", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reset_links_user_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_reset_links")),
        **TABLE,
    )
    op.create_index(op.f("ix_reset_links_user_id"), "reset_links", ["user_id"])


def downgrade() -> None:
    op.drop_table("reset_links")
