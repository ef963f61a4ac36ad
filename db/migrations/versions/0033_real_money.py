"""
The way to real money: what preflights found, an operator's caps, people's consents.

Revision 0033. All three are empty, and while they are no entry is made with real money.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
VENUES = ("paper", "demo", "testnet", "mainnet")


def _ms(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "preflight_runs",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("venue", columns.choice("venue", *VENUES), nullable=False),
        sa.Column("uid", columns.ascii_text(64), nullable=False),
        sa.Column("host", columns.ascii_text(100), nullable=False),
        sa.Column("version", columns.ascii_text(40), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        _ms("started_ms"),
        sa.Column("cards", columns.JSON, nullable=False),
        sa.Column("evidence", columns.ascii_text(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preflight_runs")),
        **TABLE,
    )
    op.create_index(op.f("ix_preflight_runs_venue_uid"), "preflight_runs", ["venue", "uid"])
    op.create_table(
        "real_caps",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("equity", columns.Dec(), nullable=False),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.Column("a_day", columns.Dec(), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        _ms("written_ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_real_caps")),
        **TABLE,
    )
    op.create_table(
        "real_consents",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        *map(_ms, ("key_version", "given_ms", "withdrawn_ms")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_real_consents_user_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_real_consents_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_real_consents")),
        **TABLE,
    )
    op.create_index(op.f("ix_real_consents_user_id"), "real_consents", ["user_id"])
    op.create_index(op.f("ix_real_consents_account_id"), "real_consents", ["account_id"])


def downgrade() -> None:
    op.drop_table("real_consents")
    op.drop_table("real_caps")
    op.drop_table("preflight_runs")
