"""
What an execution cost beside a fee in USDT; how far wallet and books differ.

Revision 0005. Executions of before name no charges; an account starts with the difference its newest point tells of.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


NEWEST = """
UPDATE accounts SET checked_ms = COALESCE(
    (SELECT MAX(t_ms) FROM equity_points WHERE equity_points.account_id = accounts.id), 0)
"""
DIFFERENCE = """
UPDATE accounts SET difference = COALESCE(
    (SELECT p.difference FROM equity_points p WHERE p.account_id = accounts.id AND p.t_ms = accounts.checked_ms), 0)
"""


def upgrade() -> None:
    op.add_column("fills", sa.Column("charges", columns.JSON, nullable=True))
    op.add_column(
        "accounts",
        sa.Column("difference", columns.Dec(), server_default=sa.text("0.000000000000000000"), nullable=False),
    )
    op.add_column("accounts", sa.Column("checked_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for statement in (NEWEST, DIFFERENCE):
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("accounts", "checked_ms")
    op.drop_column("accounts", "difference")
    op.drop_column("fills", "charges")
