"""
Whom the analyst was asked for, and the platform's locks by pool.

Revision 0008. What was asked before counts as for a real exchange; locks that hold then hold for paper too.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SPENT = ["feed", "t_ms", "state", "prompt_tokens", "completion_tokens", "cost_usd"]


def upgrade() -> None:
    op.add_column("cycles", sa.Column("asked_for", columns.ascii_text(10), server_default="exchange", nullable=False))
    op.create_index("ix_cycles_used", "cycles", [*SPENT, "asked_for"])
    op.drop_index("ix_cycles_spent", "cycles")
    _copy_locks()


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM platform_locks WHERE kind LIKE 'paper:%'"))
    op.create_index("ix_cycles_spent", "cycles", SPENT)
    op.drop_index("ix_cycles_used", "cycles")
    op.drop_column("cycles", "asked_for")


def _copy_locks() -> None:
    locks = sa.table("platform_locks", *(sa.column(n) for n in ("kind", "until_ms", "why", "created_ms")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(locks)).all():
        if not row.kind.startswith("paper:"):
            values = {**row._mapping, "kind": f"paper:{row.kind}"}
            connection.execute(sa.delete(locks).where(locks.c.kind == values["kind"]))
            connection.execute(sa.insert(locks).values(values))
