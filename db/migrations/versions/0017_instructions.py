"""
Every version of a person's own instructions.

Revision 0017. It begins empty: what stands when the next one is saved becomes the first version then.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "instructions",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", columns.ascii_text(64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_instructions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructions")),
        sa.UniqueConstraint("user_id", "number", name=op.f("uq_instructions_user_id_number")),
        **TABLE,
    )


def downgrade() -> None:
    op.drop_table("instructions")
