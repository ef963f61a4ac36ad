"""
People's chats with the platform's bot, and the bots.

Revision 0029. Nobody has bound a chat yet.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _ms(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chat_id", sa.BigInteger()),
        _ms("bound_ms"),
        sa.Column("code_sha256", columns.ascii_text(64)),
        *map(_ms, ("code_until_ms", "close_until_ms", "awaits_ms", "told_ms")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_chats")),
        sa.UniqueConstraint("chat_id", name=op.f("uq_chats_chat_id")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_chats_code_sha256")),
        **TABLE,
    )
    op.create_table(
        "bots",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", columns.ascii_text(64), nullable=False),
        *map(_ms, ("next_update", "seen_ms")),
        sa.PrimaryKeyConstraint("bot_id", name=op.f("pk_bots")),
        **TABLE,
    )


def downgrade() -> None:
    op.drop_table("bots")
    op.drop_table("chats")
