"""
The time zone a person's pages are written in.

Revision 0020. Empty: as the language has it, which is how it was.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("time_zone", columns.ascii_text(64), server_default=columns.EMPTY, nullable=False))


def downgrade() -> None:
    op.drop_column("users", "time_zone")
