"""
Which runs of the acceptance cards passed every order card, told apart from those that only read.

Revision 0035. A canary is found by this, however many reading runs came after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FLOWN = "UPDATE preflight_runs SET orders_passed = 1 WHERE cards LIKE '%\"cancel\": true%' AND cards NOT LIKE '%false%'"
"""The last order card passed, and none that was asked failed."""


def upgrade() -> None:
    op.add_column(
        "preflight_runs", sa.Column("orders_passed", sa.Boolean(), server_default=sa.text("0"), nullable=False)
    )
    op.execute(FLOWN)


def downgrade() -> None:
    op.drop_column("preflight_runs", "orders_passed")
