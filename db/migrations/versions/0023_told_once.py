"""
What people are told of is kept once for each thing it tells of, and how far they have read.

Revision 0023. The outbox loses its foreign keys, so that telling somebody of an order takes no lock a claim may wait
for; what was told before is about nothing in particular.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
KEYS = {"fk_outbox_user_id": ("user_id", "users"), "fk_outbox_account_id": ("account_id", "accounts")}


def upgrade() -> None:
    op.create_table(
        "notice_choices",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("switched", columns.JSON, nullable=True),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_choices_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_choices")),
        **TABLE,
    )
    with op.batch_alter_table("outbox") as outbox:
        for name in KEYS:
            outbox.drop_constraint(name, type_="foreignkey")
        outbox.add_column(sa.Column("about", columns.ascii_text(120), nullable=True))
        outbox.create_unique_constraint("uq_outbox_user_id_about", ["user_id", "about"])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM outbox WHERE user_id = 0"))
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint("uq_outbox_user_id_about", type_="unique")
        outbox.drop_column("about")
        for name, (column, table) in KEYS.items():
            outbox.create_foreign_key(name, table, [column], ["id"])
    op.drop_table("notice_choices")
