"""
People's channels, and what waits to be sent there.

Revision 0026. Nobody has a channel yet.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
MOMENTS = ("created_ms", "tested_ms", "sent_ms", "failures", "again_ms", "lease_ms")


def _ms(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("service", columns.ascii_text(16), nullable=False),
        sa.Column("name", sa.String(40), server_default=columns.EMPTY, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        columns.flag("enabled", default=True),
        *map(_ms, MOMENTS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        **TABLE,
    )
    op.create_index(op.f("ix_channels_user_id"), "channels", ["user_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        _ms("due_ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("channel_id", "outbox_id", name=op.f("uq_deliveries_channel_id_outbox_id")),
        **TABLE,
    )
    op.create_index(op.f("ix_deliveries_due_ms"), "deliveries", ["due_ms"])


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("channels")
