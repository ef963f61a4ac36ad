"""
Shadows: versions and models that answer beside the trading one, and what became of each of their turns.

Revision 0048. Nobody has one yet; no call of before was one.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger()),
        sa.Column("model", columns.ascii_text(40), server_default=columns.EMPTY, nullable=False),
        sa.Column("day_calls", sa.Integer(), nullable=False),
        sa.Column("day_usd", columns.Dec(), nullable=False),
        sa.Column("running", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        *map(_zero, ("made_ms", "changed_ms", "removed_ms")),
        _points("shadows", "user_id", "users.id"),
        _points("shadows", "version_id", "strategy_versions.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadows")),
        **TABLE,
    )
    op.create_index(op.f("ix_shadows_user_id"), "shadows", ["user_id"])
    op.create_index(op.f("ix_shadows_version_id"), "shadows", ["version_id"])
    op.create_table(
        "shadow_calls",
        sa.Column("shadow_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("user_id", "account_id")),
        *(sa.Column(name, sa.BigInteger()) for name in ("beside_id", "cycle_id")),
        sa.Column("state", columns.choice("state", "asked", "answered", "dropped"), nullable=False),
        sa.Column("why", columns.Why(), server_default=columns.EMPTY, nullable=False),
        sa.Column("cost_usd", columns.Dec()),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        _points("shadow_calls", "shadow_id", "shadows.id"),
        _points("shadow_calls", "user_id", "users.id"),
        _points("shadow_calls", "account_id", "accounts.id"),
        _points("shadow_calls", "beside_id", "cycles.id"),
        _points("shadow_calls", "cycle_id", "cycles.id"),
        sa.PrimaryKeyConstraint("shadow_id", "symbol", "t_ms", name=op.f("pk_shadow_calls")),
        **TABLE,
    )
    for names in (["t_ms", "shadow_id", "state"], ["user_id", "t_ms"], ["account_id"], ["beside_id"], ["cycle_id"]):
        op.create_index(op.f(f"ix_shadow_calls_{'_'.join(names)}"), "shadow_calls", names)
    shadow = sa.Column("shadow", sa.Boolean(), server_default=sa.text("0"), nullable=False)
    op.add_column("model_calls", shadow)


def downgrade() -> None:
    """What shadows there were and when they were asked is lost; their answers stay as calls, with their scores."""
    op.drop_column("model_calls", "shadow")
    op.drop_table("shadow_calls")
    op.drop_table("shadows")


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))
