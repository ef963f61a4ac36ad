"""
Where the venue would liquidate an account's open position.

Revision 0034. NULL: the venue has told nothing of the position as it is.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("liquidation", columns.Dec(), nullable=True))


def downgrade() -> None:
    op.drop_column("accounts", "liquidation")
