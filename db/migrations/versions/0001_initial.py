"""
The first schema: people, the order protocol, the log.

Revision 0001. Written out in full so that it never changes with the models; `columns` lends only its types.
"""

import sqlalchemy as sa
from alembic import op

from lib.adapters.sql.tables import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
OUTCOMES = ("bought", "sold", "closed", "kept", "held", "skipped", "refused", "failed", "unresolved")
VENUES = ("paper", "demo", "testnet", "mainnet")


def upgrade() -> None:
    for create in TABLES.values():
        create()
    # only where they are not yet: a migration that was cut off comes here again
    op.execute("INSERT INTO system_flags (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM system_flags)")
    op.execute("INSERT INTO trader_lease (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM trader_lease)")


def downgrade() -> None:
    # whole tables, the newest first: MySQL refuses to drop an index that a foreign key needs
    for name in reversed(TABLES):
        op.drop_table(name)


def _cycles() -> None:
    op.create_table(
        "cycles",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("feed", sa.String(255), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("prompt_group", columns.ascii_text(64), nullable=False),
        sa.Column("state", columns.choice("state", "decided", "abstained", "failed"), nullable=False),
        sa.Column("decision", columns.JSON, nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("candles", sa.Text(), nullable=False),
        sa.Column("raw_answer", sa.Text(), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("cost_usd", columns.Dec(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycles")),
        sa.UniqueConstraint("feed", "symbol", "t_ms", "interval_s", "prompt_group", name="uq_cycles_key"),
        **TABLE,
    )


def _symbols() -> None:
    op.create_table(
        "symbols",
        sa.Column("symbol_no", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.PrimaryKeyConstraint("symbol_no", name=op.f("pk_symbols")),
        sa.UniqueConstraint("symbol", name=op.f("uq_symbols_symbol")),
        **TABLE,
    )


def _system_flags() -> None:
    op.create_table(
        "system_flags",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trading_enabled", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("flatten", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed_by", sa.String(255), server_default=columns.EMPTY, nullable=False),
        sa.Column("changed_at", columns.UtcDateTime(), server_default=columns.now3_upd(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_system_flags_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_flags")),
        **TABLE,
    )


def _system_settings() -> None:
    op.create_table(
        "system_settings",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("setting_key", sa.String(100), nullable=False),
        sa.Column("setting_value", sa.Text(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), server_default=columns.now3_upd(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_settings")),
        sa.UniqueConstraint("setting_key", name=op.f("uq_system_settings_setting_key")),
        **TABLE,
    )


def _trader_lease() -> None:
    op.create_table(
        "trader_lease",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(64), server_default=columns.EMPTY, nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_trader_lease_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trader_lease")),
        **TABLE,
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("bybit_api_key", sa.Text(), nullable=True),
        sa.Column("bybit_api_secret", sa.Text(), nullable=True),
        sa.Column("max_leverage", sa.Integer(), server_default=sa.text("(10)"), nullable=False),
        sa.Column("auto_trade_enabled", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "risk_level", columns.choice("risk_level", "low", "medium", "high"), server_default="medium", nullable=False
        ),
        sa.Column("custom_prompt", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), server_default=columns.now3_upd(), nullable=False),
        sa.Column("risk_per_trade", columns.Dec(), nullable=True),
        sa.Column("min_confidence", columns.Dec(), nullable=True),
        sa.Column("long_only", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("limits", columns.JSON, nullable=True),
        sa.Column("settings_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("auto_trade_since_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("locale", sa.String(8), server_default="ko", nullable=False),
        sa.Column("deleted_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "bybit_api_key IS NULL AND bybit_api_secret IS NULL", name=op.f("ck_users_keys_are_sealed_elsewhere")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        **TABLE,
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("venue", columns.choice("venue", *VENUES), nullable=False),
        sa.Column("feed", sa.String(255), nullable=False),
        sa.Column("uid", columns.ascii_text(64), nullable=False),
        sa.Column("symbol_no", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("trading_enabled", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("flatten", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("pause_reason", sa.String(500), server_default=columns.EMPTY, nullable=False),
        sa.Column("key_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("start_balance", columns.Dec(), nullable=False),
        sa.Column("realised", columns.Dec(), nullable=False),
        sa.Column("fees", columns.Dec(), nullable=False),
        sa.Column("funding", columns.Dec(), nullable=False),
        sa.Column("position_qty", columns.Dec(), nullable=False),
        sa.Column("avg_entry_price", columns.Dec(), nullable=False),
        sa.Column("round_result", columns.Dec(), nullable=False),
        sa.Column("peak_equity", columns.Dec(), nullable=False),
        sa.Column("loss_streak", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_round_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_stop_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_fill_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.ForeignKeyConstraint(["symbol_no"], ["symbols.symbol_no"], name=op.f("fk_accounts_symbol_no")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_accounts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("venue", "feed", "uid", name=op.f("uq_accounts_venue_feed_uid")),
        **TABLE,
    )
    op.create_index(op.f("ix_accounts_symbol_no"), "accounts", ["symbol_no"])
    op.create_index(op.f("ix_accounts_user_id"), "accounts", ["user_id"])


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("args", columns.JSON, nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.Column("taken_at", columns.UtcDateTime(), nullable=True),
        sa.Column("done_at", columns.UtcDateTime(), nullable=True),
        sa.Column("result", sa.String(500), server_default=columns.EMPTY, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_commands_account_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_commands_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        **TABLE,
    )
    op.create_index(op.f("ix_commands_account_id"), "commands", ["account_id"])
    op.create_index(op.f("ix_commands_done_at"), "commands", ["done_at"])
    op.create_index(op.f("ix_commands_user_id"), "commands", ["user_id"])


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_credentials_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("account_id", "key_version", name=op.f("uq_credentials_account_id_key_version")),
        **TABLE,
    )


def _equity_points() -> None:
    op.create_table(
        "equity_points",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("t_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("balance", columns.Dec(), nullable=False),
        sa.Column("equity", columns.Dec(), nullable=False),
        sa.Column("difference", columns.Dec(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_equity_points_account_id")),
        sa.PrimaryKeyConstraint("account_id", "t_ms", name=op.f("pk_equity_points")),
        **TABLE,
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", columns.ascii_text(64), nullable=False),
        sa.Column("venue", columns.choice("venue", *VENUES), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("leg", columns.choice("leg", "e", "x", "g", "f"), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("order_link_id", columns.ascii_text(36), nullable=False),
        sa.Column(
            "state",
            columns.choice(
                "state",
                "PLANNED",
                "SUBMITTING",
                "ACCEPTED",
                "UNKNOWN",
                "FILLED",
                "PARTIAL",
                "CANCELLED",
                "REJECTED",
                "ABSENT",
                "EXPIRED",
                "BLOCKED",
                "NEEDS_HUMAN",
            ),
            nullable=False,
        ),
        sa.Column("side", columns.choice("side", "buy", "sell"), nullable=False),
        sa.Column("qty", columns.Dec(), nullable=True),
        sa.Column("limit_price", columns.Dec(), nullable=False),
        sa.Column("ref_price", columns.Dec(), nullable=False),
        sa.Column("stop_loss", columns.Dec(), nullable=False),
        sa.Column("take_profit", columns.Dec(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("key_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("settings_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("signed_ts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body_sha256", columns.ascii_text(64), server_default=columns.EMPTY, nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("exchange_order_id", columns.ascii_text(64), server_default=columns.EMPTY, nullable=False),
        sa.Column("filled_qty", columns.Dec(), nullable=False),
        sa.Column("avg_price", columns.Dec(), nullable=False),
        sa.Column("fee", columns.Dec(), nullable=False),
        sa.Column("last_code", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("why", sa.String(500), server_default=columns.EMPTY, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_orders_account_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_orders_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("account_id", "symbol", "t_ms", "leg", "seq", name="uq_orders_intent"),
        sa.UniqueConstraint("order_link_id", name=op.f("uq_orders_order_link_id")),
        **TABLE,
    )
    op.create_index(op.f("ix_orders_state"), "orders", ["state"])
    op.create_index(op.f("ix_orders_user_id"), "orders", ["user_id"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_outbox_account_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_outbox_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        **TABLE,
    )
    op.create_index(op.f("ix_outbox_account_id"), "outbox", ["account_id"])
    op.create_index(op.f("ix_outbox_sent_at"), "outbox", ["sent_at"])
    op.create_index(op.f("ix_outbox_user_id"), "outbox", ["user_id"])


def _risk_locks() -> None:
    op.create_table(
        "risk_locks",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("utc_day", sa.Integer(), nullable=False),
        sa.Column("kind", columns.ascii_text(40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_risk_locks_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_locks")),
        sa.UniqueConstraint("account_id", "utc_day", "kind", name=op.f("uq_risk_locks_account_id_utc_day_kind")),
        **TABLE,
    )


def _trade_logs() -> None:
    op.create_table(
        "trade_logs",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("gpt_analysis", columns.JSON, nullable=True),
        sa.Column("action", columns.choice("action", "buy", "sell", "hold"), nullable=True),
        sa.Column("leverage", columns.Dec(5, 2), nullable=True),
        sa.Column("order_id", sa.String(100), nullable=True),
        sa.Column("status", columns.choice("status", "success", "failed", "pending"), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("executed_at", columns.UtcDateTime(), server_default=columns.now3(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=True),
        sa.Column("t_ms", sa.BigInteger(), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("planned_outcome", columns.choice("planned_outcome", *OUTCOMES), nullable=False),
        sa.Column("outcome", columns.choice("outcome", *OUTCOMES), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", columns.Dec(), nullable=True),
        sa.Column("clamps", columns.JSON, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_trade_logs_account_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_trade_logs_cycle_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_trade_logs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_logs")),
        sa.UniqueConstraint("account_id", "t_ms", name=op.f("uq_trade_logs_account_id_t_ms")),
        **TABLE,
    )
    op.create_index(op.f("ix_trade_logs_cycle_id"), "trade_logs", ["cycle_id"])
    op.create_index(op.f("ix_trade_logs_user_id_executed_at"), "trade_logs", ["user_id", "executed_at"])


def _fills() -> None:
    op.create_table(
        "fills",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("exec_id", columns.ascii_text(64), nullable=False),
        sa.Column("exchange_order_id", columns.ascii_text(64), nullable=False),
        sa.Column("order_link_id", columns.ascii_text(64), nullable=False),
        sa.Column("symbol", columns.ascii_text(32), nullable=False),
        sa.Column("side", columns.choice("side", "buy", "sell"), nullable=False),
        sa.Column("qty", columns.Dec(), nullable=False),
        sa.Column("price", columns.Dec(), nullable=False),
        sa.Column("fee", columns.Dec(), nullable=False),
        sa.Column("kind", columns.choice("kind", "trade", "funding", "liquidation", "adl", "other"), nullable=False),
        sa.Column("closed_qty", columns.Dec(), nullable=False),
        sa.Column("realised", columns.Dec(), nullable=False),
        sa.Column("is_stop", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_fills_account_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_fills_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fills")),
        sa.UniqueConstraint("account_id", "exec_id", name=op.f("uq_fills_account_id_exec_id")),
        **TABLE,
    )
    op.create_index(op.f("ix_fills_account_id_at_ms"), "fills", ["account_id", "at_ms"])
    op.create_index(op.f("ix_fills_order_id"), "fills", ["order_id"])


def _order_events() -> None:
    op.create_table(
        "order_events",
        sa.Column("id", columns.BIG_ID, autoincrement=True, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_state", columns.ascii_text(16), nullable=False),
        sa.Column("to_state", columns.ascii_text(16), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("prev_hash", columns.ascii_text(64), nullable=False),
        sa.Column("hash", columns.ascii_text(64), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_events_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
        sa.UniqueConstraint("order_id", "prev_hash", name=op.f("uq_order_events_order_id_prev_hash")),
        **TABLE,
    )


TABLES = {
    "cycles": _cycles,
    "symbols": _symbols,
    "system_flags": _system_flags,
    "system_settings": _system_settings,
    "trader_lease": _trader_lease,
    "users": _users,
    "accounts": _accounts,
    "commands": _commands,
    "credentials": _credentials,
    "equity_points": _equity_points,
    "orders": _orders,
    "outbox": _outbox,
    "risk_locks": _risk_locks,
    "trade_logs": _trade_logs,
    "fills": _fills,
    "order_events": _order_events,
}
