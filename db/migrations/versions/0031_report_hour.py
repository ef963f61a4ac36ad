"""
The hour of a person's day that their daily report is told at.

Revision 0031. NULL is the usual one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice_choices", sa.Column("report_hour", sa.Integer()))


def downgrade() -> None:
    op.drop_column("notice_choices", "report_hour")
