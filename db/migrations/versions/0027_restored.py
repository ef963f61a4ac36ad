"""
The moment of the backup that a database came back from: how far back orders without a row are searched for.

Revision 0027. Zero: from no backup.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("restored_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("system_flags", column)


def downgrade() -> None:
    op.drop_column("system_flags", "restored_ms")
