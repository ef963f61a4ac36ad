"""
Single-use links to a new e-mail.

Revision 0028. Nobody has one yet.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "email_links",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("email", columns.exact_text(255), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_links_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_email_links")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_email_links_token_sha256")),
        **TABLE,
    )


def downgrade() -> None:
    op.drop_table("email_links")
