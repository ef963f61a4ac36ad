"""
Signing in: sessions, tallies of tries, and when a person said that money can be lost.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.add_column("users", sa.Column("risk_accepted_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    _sessions()
    _throttles()


def downgrade() -> None:
    op.drop_table("throttles")
    op.drop_table("sessions")
    op.drop_column("users", "risk_accepted_ms")


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("token_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("read_only", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("ip", columns.ascii_text(45), server_default=columns.EMPTY, nullable=False),
        sa.Column("user_agent", sa.String(200), server_default=columns.EMPTY, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sessions_token_sha256")),
        **TABLE,
    )
    op.create_index(op.f("ix_sessions_seen_ms"), "sessions", ["seen_ms"])
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])


def _throttles() -> None:
    op.create_table(
        "throttles",
        sa.Column("tally_key", columns.ascii_text(128), nullable=False),
        sa.Column("weight", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tally_key", name=op.f("pk_throttles")),
        **TABLE,
    )
    op.create_index(op.f("ix_throttles_at_ms"), "throttles", ["at_ms"])
