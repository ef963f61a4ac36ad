"""
Exits by rule: those a person's strategy chose, and those each entry was made with.

Revision 0043. Nobody has any yet, and no open position gets one: its stop and target are its entry's, as before.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("users", "orders"):
        rules = sa.Column("exits", columns.ascii_text(160), server_default=sa.text("''"), nullable=False)
        op.add_column(table, rules)


def downgrade() -> None:
    for table in ("orders", "users"):
        op.drop_column(table, "exits")
