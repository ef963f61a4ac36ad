"""
What a holder had reserved when it was lent a part of the platform's limits: two loans of one are not two rooms.

Revision 0042. Loans of before end within two minutes, and count as if nothing had been reserved before them.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loans", sa.Column("made_entries", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("loans", columns.added_money("made_exposure"))


def downgrade() -> None:
    op.drop_column("loans", "made_exposure")
    op.drop_column("loans", "made_entries")
