"""
Records a stranger can check: one per account and version, its sealed days, the links that show one.

Revision 0045. Nothing is sealed yet: the notifier begins with the oldest day there is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from lib.adapters.sql.tables import columns

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        *map(_big, ("user_id", "account_id")),
        _zero("version_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", columns.ascii_text(64), nullable=False),
        _to("records", "user_id", "users"),
        _to("records", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sa.UniqueConstraint("account_id", "version_id", name=op.f("uq_records_account_id_version_id")),
        **TABLE,
    )
    op.create_index(op.f("ix_records_user_id"), "records", ["user_id"])
    op.create_table(
        "record_days",
        _big("record_id"),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("leaves", "decisions")),
        *(sa.Column(name, columns.ascii_text(64), nullable=False) for name in ("root", "head")),
        sa.Column("closing_index", columns.ascii_text(40), server_default=sa.text("''"), nullable=False),
        _zero("sealed_ms"),
        sa.Column("packed", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        _to("record_days", "record_id", "records"),
        sa.PrimaryKeyConstraint("record_id", "day", name=op.f("pk_record_days")),
        **TABLE,
    )
    op.create_table(
        "record_links",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        *map(_big, ("user_id", "record_id")),
        sa.Column("code_sha256", columns.ascii_text(64), nullable=False),
        *(sa.Column(name, sa.Boolean(), server_default=sa.text("0"), nullable=False) for name in ("named", "amounts")),
        *map(_zero, ("made_ms", "revoked_ms")),
        _to("record_links", "user_id", "users"),
        _to("record_links", "record_id", "records"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_links")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_record_links_code_sha256")),
        **TABLE,
    )
    for column in ("user_id", "record_id"):
        op.create_index(op.f(f"ix_record_links_{column}"), "record_links", [column])


def downgrade() -> None:
    """What was sealed is lost; it can be sealed anew, with other salts and so other heads."""
    for name in ("record_links", "record_days", "records"):
        op.drop_table(name)


def _big(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
