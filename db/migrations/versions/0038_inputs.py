"""
What the analyst is shown beside the candles: chosen in `users`, recorded with each call.

Revision 0038. Nobody chose anything yet, and what was sent before had no other blocks: both begin empty.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

SHA = columns.ascii_text(64)
EMPTY = sa.text("''")


def upgrade() -> None:
    op.add_column("users", sa.Column("inputs", columns.ascii_text(400), server_default=EMPTY, nullable=False))
    op.add_column("cycles", sa.Column("asked_sha256", SHA, server_default=EMPTY, nullable=False))
    op.add_column("cycles", sa.Column("sent_sha256", SHA, server_default=EMPTY, nullable=False))
    op.add_column("cycles", sa.Column("inputs", sa.Text(), nullable=True))
    op.create_index("ix_cycles_asked", "cycles", ["asked_sha256", "t_ms"])


def downgrade() -> None:
    op.drop_index("ix_cycles_asked", "cycles")
    for name in ("inputs", "sent_sha256", "asked_sha256"):
        op.drop_column("cycles", name)
    op.drop_column("users", "inputs")
