"""
Colours of a rise and a fall, as a person chose them.

Revision 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("colours", sa.String(16), server_default="language", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "colours")
