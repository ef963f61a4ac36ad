"""
What an account's owner has stopped while an operator's stop stands over it.

Revision 0021. Empty: nothing, which is how an operator's resume took it.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("owner_stop", columns.ascii_text(16), server_default=columns.EMPTY, nullable=False)
    )


def downgrade() -> None:
    op.drop_column("accounts", "owner_stop")
