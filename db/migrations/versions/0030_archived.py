"""
Whether the long texts of an analyst call are in a file of the archive instead of its row.

Revision 0030. Nothing is archived yet.
"""

from alembic import op

from lib.adapters.sql.tables import columns

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cycles", columns.flag("archived", default=False))


def downgrade() -> None:
    op.drop_column("cycles", "archived")
