"""
What is done on a terminal is among the operators' acts too: without a person, by the name of who ran it.

Revision 0024.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operator_acts", sa.Column("who", sa.String(255), server_default=columns.EMPTY, nullable=False))
    with op.batch_alter_table("operator_acts") as acts:  # SQLite makes the table anew
        acts.alter_column("user_id", existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM operator_acts WHERE user_id IS NULL")
    with op.batch_alter_table("operator_acts") as acts:
        acts.alter_column("user_id", existing_type=sa.BigInteger(), nullable=False)
        acts.drop_column("who")
