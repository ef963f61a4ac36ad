"""
Answers have versions: which one a person's strategy chose, and the acts of version 2 in logs.

Revision 0040. Everybody begins with version 1, the original design's, as before.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

FIRST = columns.choice("action", "buy", "sell", "hold")
NOW = columns.choice("action", "buy", "sell", "hold", "close", "tighten")


def upgrade() -> None:
    op.add_column("users", sa.Column("answer_version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    _let_be(FIRST, NOW)


def downgrade() -> None:
    op.execute("UPDATE trade_logs SET action = NULL WHERE action IN ('close', 'tighten')")
    _let_be(NOW, FIRST)
    op.drop_column("users", "answer_version")


def _let_be(before: sa.Enum, after: sa.Enum) -> None:
    with op.batch_alter_table("trade_logs") as logs:  # SQLite makes the table anew
        logs.alter_column("action", existing_type=before, type_=after, existing_nullable=True)
