"""
A light or a dark page, as the person chose it.

Revision 0025. "system": as the device has it, which is how it was.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("theme", columns.ascii_text(8), server_default="system", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "theme")
