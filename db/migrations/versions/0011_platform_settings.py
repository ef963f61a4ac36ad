"""
Platform settings get their trail, and registration its invitations.

Revision 0011. The settings themselves are rows of `system_settings`, which is there since the beginning.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _ms(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "setting_changes",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("setting_key", columns.exact_text(100), nullable=False),
        sa.Column("before_value", sa.Text()),
        sa.Column("after_value", sa.Text()),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("why", sa.String(500), server_default=columns.EMPTY, nullable=False),
        _ms("changed_ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_changes")),
        **TABLE,
    )
    op.create_table(
        "invites",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("code_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        _ms("made_ms"),
        _ms("expires_ms"),
        _ms("used_ms"),
        sa.Column("used_by", sa.BigInteger()),
        sa.ForeignKeyConstraint(["used_by"], ["users.id"], name=op.f("fk_invites_used_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_invites_code_sha256")),
        **TABLE,
    )
    op.create_index(op.f("ix_invites_used_by"), "invites", ["used_by"])


def downgrade() -> None:
    op.drop_table("invites")
    op.drop_table("setting_changes")
