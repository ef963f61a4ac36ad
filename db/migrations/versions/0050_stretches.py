"""
Stretches of evidence before real money: what was asked for, when it was sealed, what it showed, what was overridden.

Revision 0050. Nobody has begun one: entries with real money wait for it from here on.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def upgrade() -> None:
    op.create_table(
        "stretches",
        *_own("stretches", user_id="users", account_id="accounts"),
        _zero("version_id"),
        sa.Column("criteria", sa.Text(), nullable=False),
        _zero("asked_ms"),
        **TABLE,
    )
    op.create_table(
        "stretch_marks",
        *_own("stretch_marks", stretch_id="stretches"),
        sa.Column("kind", columns.choice("kind", "begun", "ended"), nullable=False),
        _zero("at_ms"),
        sa.Column("seal", columns.ascii_text(64), nullable=False),
        sa.Column("measured", sa.Text(), nullable=True),
        sa.UniqueConstraint("stretch_id", "kind", name=op.f("uq_stretch_marks_stretch_id_kind")),
        **TABLE,
    )
    op.create_table(
        "stretch_overrides",
        *_own("stretch_overrides", user_id="users", stretch_id="stretches"),
        _zero("given_ms"),
        **TABLE,
    )
    indexed = (("stretches", "user_id"), ("stretches", "account_id"))
    for table, column in (*indexed, ("stretch_overrides", "user_id"), ("stretch_overrides", "stretch_id")):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """What was asked, sealed and judged is lost; scores stay, and the gate with them."""
    for table in ("stretch_overrides", "stretch_marks", "stretches"):
        op.drop_table(table)


def _own(table: str, **owners: str) -> list[object]:
    """An id, and a column pointing to each of *owners*."""
    made: list[object] = [sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False)]
    made += [sa.Column(name, columns.BIG, nullable=False) for name in owners]
    made += [
        sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))
        for name, other in owners.items()
    ]
    return [*made, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def _zero(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
