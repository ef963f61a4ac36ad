"""
Several symbols an account: which it trades, the position's part of its books by symbol, a log row for each at a T.

Revision 0044. Every account trades on in the symbol it had, with its books as they stood.
"""

import sqlalchemy as sa
from alembic import context, op

from lib.adapters.sql.tables import columns

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
BOOKS = ("position_qty", "avg_entry_price", "round_result", "last_fill_ms", "liquidation")
OLD, NEW = "uq_trade_logs_account_id_t_ms", "uq_trade_logs_account_id_t_ms_symbol"


def upgrade() -> None:
    op.create_table(
        "account_symbols",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("traded", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        *(sa.Column(name, columns.Dec(), nullable=False) for name in BOOKS[:3]),
        sa.Column("last_fill_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("liquidation", columns.Dec()),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_symbols_account_id")),
        sa.ForeignKeyConstraint(["symbol_no"], ["symbols.symbol_no"], name=op.f("fk_account_symbols_symbol_no")),
        sa.PrimaryKeyConstraint("account_id", "symbol_no", name=op.f("pk_account_symbols")),
        **TABLE,
    )
    op.create_index(op.f("ix_account_symbols_symbol_no"), "account_symbols", ["symbol_no"])
    if _has(BOOKS[0]):  # it goes first: where it is gone the rows were taken over
        op.execute(
            # names of this file alone
            f"INSERT INTO account_symbols (account_id, symbol_no, {', '.join(BOOKS)}) "  # noqa: S608
            f"SELECT id, symbol_no, {', '.join(BOOKS)} FROM accounts a WHERE NOT EXISTS "
            "(SELECT 1 FROM account_symbols s WHERE s.account_id = a.id)"
        )
    for name in BOOKS:
        op.drop_column("accounts", name)
    _make_unique(NEW, ["account_id", "t_ms", "symbol"], instead_of=OLD)


def downgrade() -> None:
    """Of several symbols the one shown first stays: the others' books and logs are lost."""
    op.execute(
        "DELETE FROM trade_logs WHERE EXISTS (SELECT 1 FROM accounts a JOIN symbols y ON y.symbol_no = a.symbol_no "
        "WHERE a.id = trade_logs.account_id AND y.symbol <> trade_logs.symbol)"
    )
    _make_unique(OLD, ["account_id", "t_ms"], instead_of=NEW)
    for name in BOOKS[:3]:
        zero = columns.NO_MONEY
        op.add_column("accounts", sa.Column(name, columns.Dec(), server_default=zero, nullable=False))
    op.add_column("accounts", sa.Column("last_fill_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("accounts", sa.Column("liquidation", columns.Dec()))
    if context.is_offline_mode() or sa.inspect(op.get_bind()).has_table("account_symbols"):
        for name in BOOKS:
            op.execute(
                f"UPDATE accounts SET {name} = (SELECT s.{name} FROM account_symbols s "  # noqa: S608
                "WHERE s.account_id = accounts.id AND s.symbol_no = accounts.symbol_no) WHERE EXISTS (SELECT 1 "
                "FROM account_symbols s WHERE s.account_id = accounts.id AND s.symbol_no = accounts.symbol_no)"
            )
    op.drop_table("account_symbols")


def _has(column: str) -> bool:
    if context.is_offline_mode():
        return True
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns("accounts")}


def _make_unique(name: str, over: list[str], *, instead_of: str) -> None:
    """First the new one: the account's foreign key stands on an index that begins with it."""
    with op.batch_alter_table("trade_logs") as logs:  # SQLite makes the table anew
        logs.create_unique_constraint(op.f(name), over)
        logs.drop_constraint(op.f(instead_of), type_="unique")
