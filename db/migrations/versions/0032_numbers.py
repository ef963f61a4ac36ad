"""
How pages write numbers, as the person chose it.

Revision 0032. "point" is 1,234.5, which is how it was.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("numbers", columns.ascii_text(8), server_default="point", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "numbers")
