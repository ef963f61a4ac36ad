"""
The trail of what an account has been through, for its owner to read.

Revision 0013. It begins empty: what happened before was not noted.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("event", columns.ascii_text(40), nullable=False),
        sa.Column("detail", sa.String(400), server_default=columns.EMPTY, nullable=False),
        sa.Column("actor", columns.ascii_text(16), nullable=False),
        sa.Column("network", columns.ascii_text(50), server_default=columns.EMPTY, nullable=False),
        sa.Column("user_agent", sa.String(200), server_default=columns.EMPTY, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_events_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        **TABLE,
    )
    op.create_index(op.f("ix_audit_events_at_ms"), "audit_events", ["at_ms"])
    op.create_index(op.f("ix_audit_events_user_id_id"), "audit_events", ["user_id", "id"])


def downgrade() -> None:
    op.drop_table("audit_events")
