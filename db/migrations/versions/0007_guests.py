"""
Guests as such, and the browsers somebody signed in with before.

Revision 0007. Guests of before are known by the name the system gave them.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.add_column("users", sa.Column("is_guest", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    op.create_index(op.f("ix_users_is_guest_deleted_at"), "users", ["is_guest", "deleted_at"])
    users = sa.table("users", sa.column("email", sa.String()), sa.column("is_guest", sa.Boolean()))
    op.execute(sa.update(users).where(users.c.email.like("guest-%@maemae.local")).values(is_guest=True))
    op.create_table(
        "known_browsers",
        sa.Column("token_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_known_browsers_user_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_known_browsers")),
        **TABLE,
    )
    op.create_index(op.f("ix_known_browsers_seen_ms"), "known_browsers", ["seen_ms"])
    op.create_index(op.f("ix_known_browsers_user_id"), "known_browsers", ["user_id"])


def downgrade() -> None:
    op.drop_table("known_browsers")
    op.drop_index("ix_users_is_guest_deleted_at", "users")
    op.drop_column("users", "is_guest")
