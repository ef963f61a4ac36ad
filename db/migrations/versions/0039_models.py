"""
Models are a list: the operator's, people's own, every call with its cost, and the chain of each person's account.

Revision 0039. Nobody's chain is written: who chose none asks the environment's model, as before.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _text(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), server_default=columns.EMPTY, nullable=False)


def _ascii(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, columns.ascii_text(length), server_default=columns.EMPTY, nullable=False)


def _id() -> "sa.Column[int]":
    return sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False)


def _profile() -> "list[sa.Column[object]]":
    prices = [sa.Column(name, columns.Dec()) for name in ("input_usd", "output_usd", "cached_usd", "day_usd")]
    return [
        sa.Column("name", columns.ascii_text(40), nullable=False),
        _text("shown", 60),
        _ascii("base_url", 200),
        _ascii("model", 100),
        *prices,
        sa.Column("sealed", sa.Text(), nullable=False),
        _text("last4", 4),
        *map(_number, ("key_version", "changed_ms")),
    ]


def upgrade() -> None:
    op.create_table(
        "models",
        _id(),
        *_profile(),
        sa.Column("offered", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
        **TABLE,
    )
    op.create_table(
        "own_models",
        _id(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        *_profile(),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_own_models_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_models")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_own_models_user_id_name")),
        **TABLE,
    )
    op.create_table(
        "model_calls",
        _id(),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("asker", columns.ascii_text(64), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        _number("t_ms"),
        sa.Column("name", columns.ascii_text(40), nullable=False),
        _number("owner_id"),
        _text("answered", 100),
        sa.Column("state", columns.ascii_text(10), nullable=False),
        sa.Column("why", columns.Why(), server_default=columns.EMPTY, nullable=False),
        *map(_number, ("prompt_tokens", "completion_tokens", "cached_tokens", "latency_ms")),
        sa.Column("cost_usd", columns.Dec()),
        sa.Column("people", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_model_calls_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
        sa.UniqueConstraint("cycle_id", "asker", "seq", name=op.f("uq_model_calls_cycle_id_asker_seq")),
        **TABLE,
    )
    op.create_index(op.f("ix_model_calls_t_ms_owner_id_name"), "model_calls", ["t_ms", "owner_id", "name"])
    op.add_column("users", _ascii("models", 200))


def downgrade() -> None:
    op.drop_column("users", "models")
    for name in ("model_calls", "own_models", "models"):
        op.drop_table(name)
