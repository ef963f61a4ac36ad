"""
What either side of a moment was worth, beside what the answer of it was: for comparisons with chance.

Revision 0047. Rows of before have neither, for good; those whose candles are still kept get a row by the second method.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

NAMES = ("long_net", "short_net")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("scores", sa.Column(name, columns.Dec()))


def downgrade() -> None:
    """Both ways are lost, and the rows that had them."""
    op.execute("DELETE FROM scores WHERE method = 2")
    for name in NAMES:
        op.drop_column("scores", name)
