"""
The arena: seasons with sealed rules, who entered, and where each entry stands.

Revision 0051. No season has begun: an operator begins one from the terminal.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "arena_seasons",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        _zero("begun_ms"),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("seal", columns.ascii_text(64), nullable=False),
        _zero("ended_ms"),
        _zero("taken"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arena_seasons")),
        **TABLE,
    )
    op.create_table(
        "arena_entries",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("season_id", columns.BIG, nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        _zero("version_id"),
        sa.Column("content_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("name_key", columns.exact_text(24), nullable=False),
        columns.flag("house", default=False),
        _zero("entered_ms"),
        _zero("left_ms"),
        sa.ForeignKeyConstraint(["season_id"], ["arena_seasons.id"], name=op.f("fk_arena_entries_season_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_arena_entries_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arena_entries")),
        sa.UniqueConstraint("season_id", "name_key", name=op.f("uq_arena_entries_season_id_name_key")),
        **TABLE,
    )
    op.create_index(op.f("ix_arena_entries_season_id_user_id"), "arena_entries", ["season_id", "user_id"])
    op.create_index(op.f("ix_arena_entries_user_id"), "arena_entries", ["user_id"])
    op.create_table(
        "arena_standings",
        sa.Column("entry_id", columns.BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        _zero("kept_ms"),
        sa.ForeignKeyConstraint(["entry_id"], ["arena_entries.id"], name=op.f("fk_arena_standings_entry_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_arena_standings_user_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_arena_standings")),
        **TABLE,
    )
    op.create_index(op.f("ix_arena_standings_user_id"), "arena_standings", ["user_id"])


def downgrade() -> None:
    """Who entered and where they stood is lost; what they answered and its scores stay."""
    for table in ("arena_standings", "arena_entries", "arena_seasons"):
        op.drop_table(table)


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
