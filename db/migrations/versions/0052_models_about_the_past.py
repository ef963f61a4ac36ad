"""
Models asked about the past, in quarantine: questions, answers, what memory tests found, and until when a model learnt.

Revision 0052. Nobody asked yet; of no model a cutoff is known.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "past_answers",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("key_sha256", columns.ascii_text(64), nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        _zero("owner_id"),
        sa.Column("name", columns.ascii_text(40), nullable=False),
        sa.Column("state", columns.ascii_text(10), nullable=False),
        sa.Column("decision", columns.JSON),
        *map(_zero, ("tokens", "calls", "unpriced")),
        *map(_no_money, ("usd", "reserved_usd")),
        *map(_zero, ("asked_ms", "used_ms")),
        _points("past_answers", "user_id", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_answers")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_past_answers_key_sha256")),
        **TABLE,
    )
    op.create_index(op.f("ix_past_answers_user_id"), "past_answers", ["user_id"])
    op.create_index(op.f("ix_past_answers_asked_ms"), "past_answers", ["asked_ms"])
    op.create_table(
        "past_questions",
        *(sa.Column(name, columns.BIG, autoincrement=False, nullable=False) for name in ("job_id", "seq")),
        sa.Column("user_id", columns.BIG, nullable=False),
        *map(_zero, ("t_ms", "again")),
        sa.Column("version", columns.BIG, server_default=sa.text("1"), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("answer_id", columns.BIG, nullable=True),
        _zero("tries"),
        _points("past_questions", "job_id", "backtests.id"),
        _points("past_questions", "user_id", "users.id"),
        _points("past_questions", "answer_id", "past_answers.id"),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_past_questions")),
        **TABLE,
    )
    for name in ("user_id", "answer_id"):
        op.create_index(op.f(f"ix_past_questions_{name}"), "past_questions", [name])
    op.create_table(
        "memory_tests",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", columns.BIG, nullable=False),
        _zero("version_id"),
        sa.Column("model", columns.ascii_text(40), server_default=columns.EMPTY, nullable=False),
        sa.Column("asked", columns.ascii_text(100), server_default=columns.EMPTY, nullable=False),
        *map(_zero, ("tested_ms", "windows")),
        sa.Column("badges", sa.Text(), nullable=False),
        _points("memory_tests", "user_id", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_tests")),
        sa.UniqueConstraint("user_id", "version_id", "model", name=op.f("uq_memory_tests_user_id_version_id_model")),
        **TABLE,
    )
    op.add_column("backtests", _empty("stage"))
    op.add_column("backtests", _zero("calls"))
    op.add_column("backtests", _no_money("usd"))
    op.add_column("backtests", sa.Column("stamp", sa.Text(), nullable=True))
    for table in ("models", "own_models"):
        op.add_column(table, _empty("cutoff"))


def downgrade() -> None:
    """What models said about the past is lost, and what was paid for it."""
    for table in ("models", "own_models"):
        op.drop_column(table, "cutoff")
    for name in ("stamp", "usd", "calls", "stage"):
        op.drop_column("backtests", name)
    for table in ("memory_tests", "past_questions", "past_answers"):
        op.drop_table(table)


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _empty(name: str) -> "sa.Column[str]":
    return sa.Column(name, columns.ascii_text(10), server_default=columns.EMPTY, nullable=False)


def _no_money(name: str) -> "sa.Column[object]":
    return sa.Column(name, columns.Dec(), server_default=columns.NO_MONEY, nullable=False)


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))
