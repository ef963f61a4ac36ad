"""
What the exchange did not tell or set of an account that was taken all the same.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("doubts", columns.ascii_text(64), server_default=columns.EMPTY, nullable=False))


def downgrade() -> None:
    op.drop_column("accounts", "doubts")
