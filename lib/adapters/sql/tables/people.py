"""
Tables about people: users, their exchange accounts, sealed keys, commands and notices.

`users` and `system_settings` keep the names and columns of the project's first design. Its two key columns stay and
are always NULL, held by a CHECK: keys live sealed in `credentials` and nowhere else.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    EXITS_CHARS,
    JSON,
    LONG_TEXT,
    MYSQL_TABLE,
    TEXT_LIMIT,
    Dec,
    UtcDateTime,
    Why,
    added_money,
    ascii_text,
    choice,
    created_at,
    exact_text,
    flag,
    metadata,
    money,
    now3_upd,
    number,
    one_id,
    updated_at,
)
from lib.domain.account import VENUES, RiskLevel
from lib.domain.events import LONGEST_ABOUT

users = sa.Table(
    "users",
    metadata,
    one_id(),
    sa.Column("email", exact_text(255), nullable=False),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("bybit_api_key", sa.Text),
    sa.Column("bybit_api_secret", sa.Text),
    sa.Column("max_leverage", sa.Integer, nullable=False, server_default=sa.text("10")),
    flag("auto_trade_enabled", default=False),
    sa.Column("risk_level", choice("risk_level", *RiskLevel), nullable=False, server_default="medium"),
    sa.Column("custom_prompt", sa.Text),
    created_at(),
    updated_at(),
    sa.Column("risk_per_trade", Dec()),
    sa.Column("min_confidence", Dec()),
    flag("long_only", default=False),
    sa.Column("limits", JSON),
    number("settings_version", 1),
    number("auto_trade_since_ms"),
    flag("is_demo", default=False),
    sa.Column("locale", sa.String(8), nullable=False, server_default="ko"),
    sa.Column("deleted_at", UtcDateTime),
    number("risk_accepted_ms"),
    sa.Column("colours", sa.String(16), nullable=False, server_default="language"),
    flag("is_guest", default=False),
    sa.Column("time_zone", ascii_text(64), nullable=False, server_default=EMPTY),
    sa.Column("theme", ascii_text(8), nullable=False, server_default="system"),
    sa.Column("numbers", ascii_text(8), nullable=False, server_default="point"),
    sa.Column("system_text", sa.Text),
    sa.Column("cadence_min", sa.Integer, nullable=False, server_default=sa.text("5")),
    sa.Column("strategy_version_id", BIG),
    sa.Column("inputs", ascii_text(400), nullable=False, server_default=EMPTY),
    sa.Column("models", ascii_text(200), nullable=False, server_default=EMPTY),
    sa.Column("answer_version", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("exits", ascii_text(EXITS_CHARS), nullable=False, server_default=EMPTY),
    sa.UniqueConstraint("email"),
    sa.Index(None, "is_guest", "deleted_at"),
    sa.CheckConstraint("bybit_api_key IS NULL AND bybit_api_secret IS NULL", "keys_are_sealed_elsewhere"),
    **MYSQL_TABLE,
)

system_settings = sa.Table(
    "system_settings",
    metadata,
    one_id(),
    sa.Column("setting_key", exact_text(100), nullable=False),
    sa.Column("setting_value", sa.Text),
    updated_at(),
    sa.UniqueConstraint("setting_key"),
    **MYSQL_TABLE,
)

setting_changes = sa.Table(
    "setting_changes",
    metadata,
    one_id(),
    sa.Column("setting_key", exact_text(100), nullable=False),
    sa.Column("before_value", sa.Text),
    sa.Column("after_value", sa.Text),
    sa.Column("changed_by", sa.String(255), nullable=False),
    sa.Column("why", sa.String(TEXT_LIMIT), nullable=False, server_default=EMPTY),
    number("changed_ms"),
    **MYSQL_TABLE,
)
"""The trail of changes of platform settings, with author and time: appended to, never changed."""

invites = sa.Table(
    "invites",
    metadata,
    one_id(),
    sa.Column("code_sha256", ascii_text(64), nullable=False),
    sa.Column("made_by", sa.String(255), nullable=False),
    number("made_ms"),
    number("expires_ms"),
    number("used_ms"),
    sa.Column("used_by", BIG, sa.ForeignKey("users.id")),
    sa.UniqueConstraint("code_sha256"),
    sa.Index(None, "used_by"),
    **MYSQL_TABLE,
)
"""Invitations to register, each good once. A code is never stored, only its sha256."""

symbols = sa.Table(
    "symbols",
    metadata,
    sa.Column("symbol_no", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.UniqueConstraint("symbol"),
    **MYSQL_TABLE,
)

accounts = sa.Table(
    "accounts",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("venue", choice("venue", *VENUES), nullable=False),
    sa.Column("feed", exact_text(255), nullable=False),
    sa.Column("uid", ascii_text(64), nullable=False),
    sa.Column("symbol_no", sa.Integer, sa.ForeignKey("symbols.symbol_no"), nullable=False),
    flag("active", default=True),
    flag("trading_enabled", default=True),
    flag("flatten", default=False),
    sa.Column("pause_reason", Why(), nullable=False, server_default=EMPTY),
    number("key_version", 1),
    money("start_balance"),
    money("realised"),
    money("fees"),
    money("funding"),
    money("peak_equity"),
    sa.Column("loss_streak", sa.Integer, nullable=False, server_default=sa.text("0")),
    number("last_round_ms"),
    number("last_stop_ms"),
    number("opened_ms"),
    created_at(),
    added_money("transfers"),
    number("last_transfer_ms"),
    number("switched_ms"),
    number("proven_ms"),
    number("tokens_day"),
    number("tokens_spent"),
    sa.Column("paused_by", ascii_text(16), nullable=False, server_default=EMPTY),
    added_money("difference"),
    number("checked_ms"),
    sa.Column("doubts", ascii_text(64), nullable=False, server_default=EMPTY),
    number("rounds_won"),
    number("rounds_lost"),
    sa.Column("owner_stop", ascii_text(16), nullable=False, server_default=EMPTY),
    sa.UniqueConstraint("venue", "feed", "uid"),
    sa.Index(None, "user_id"),
    sa.Index(None, "symbol_no"),
    **MYSQL_TABLE,
)
"""*symbol_no* is the one of its symbols that is shown first."""

account_symbols = sa.Table(
    "account_symbols",
    metadata,
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("symbol_no", sa.Integer, sa.ForeignKey("symbols.symbol_no"), primary_key=True, autoincrement=False),
    flag("traded", default=True),
    number("changed_ms"),
    money("position_qty"),
    money("avg_entry_price"),
    money("round_result"),
    number("last_fill_ms"),
    sa.Column("liquidation", Dec()),
    sa.Index(None, "symbol_no"),
    **MYSQL_TABLE,
)
"""
The symbols an account trades or traded, with what is a position's of its books; *traded* False = taken off by its owner
at *changed_ms*. A writer holds the account's row.
"""

credentials = sa.Table(
    "credentials",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    number("key_version", 1),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    created_at(),
    sa.Column("revoked_at", UtcDateTime),
    sa.UniqueConstraint("account_id", "key_version"),
    **MYSQL_TABLE,
)

commands = sa.Table(
    "commands",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id")),
    sa.Column("kind", ascii_text(40), nullable=False),
    sa.Column("args", JSON),
    created_at(),
    sa.Column("taken_at", UtcDateTime),
    sa.Column("done_at", UtcDateTime),
    sa.Column("result", Why(), nullable=False, server_default=EMPTY),
    sa.Index(None, "done_at"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    **MYSQL_TABLE,
)

sessions = sa.Table(
    "sessions",
    metadata,
    one_id(),
    sa.Column("token_sha256", ascii_text(64), nullable=False),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    flag("read_only", default=False),
    sa.Column("ip", ascii_text(45), nullable=False, server_default=EMPTY),
    sa.Column("user_agent", sa.String(200), nullable=False, server_default=EMPTY),
    number("created_ms"),
    number("seen_ms"),
    number("proved_ms"),
    sa.UniqueConstraint("token_sha256"),
    sa.Index(None, "user_id"),
    sa.Index(None, "seen_ms"),
    **MYSQL_TABLE,
)
"""Sessions of signed-in people. A token is never stored, only its sha256."""

known_browsers = sa.Table(
    "known_browsers",
    metadata,
    sa.Column("token_sha256", ascii_text(64), primary_key=True),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("seen_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "seen_ms"),
    **MYSQL_TABLE,
)
"""Browsers a person signed in with before: their tries are counted apart from those of unknown browsers."""

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("tally_key", ascii_text(128), primary_key=True),
    sa.Column("weight", sa.Double, nullable=False, server_default=sa.text("0")),
    number("at_ms"),
    sa.Index(None, "at_ms"),
    **MYSQL_TABLE,
)
"""Tallies of tries with the time they were counted at: sign-in by person and by address, new people by address."""

audit_events = sa.Table(
    "audit_events",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("at_ms"),
    sa.Column("event", ascii_text(40), nullable=False),
    sa.Column("detail", sa.String(400), nullable=False, server_default=EMPTY),
    sa.Column("actor", ascii_text(16), nullable=False),
    sa.Column("network", ascii_text(50), nullable=False, server_default=EMPTY),
    sa.Column("user_agent", sa.String(200), nullable=False, server_default=EMPTY),
    sa.Index(None, "user_id", "id"),
    sa.Index(None, "at_ms"),
    **MYSQL_TABLE,
)
"""What a person's account has been through, for its owner to read; no secret is in it."""

krw_rates = sa.Table(
    "krw_rates",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("day", ascii_text(10), primary_key=True),
    money("rate"),
    **MYSQL_TABLE,
)
"""A person's own won for one USDT, each from a UTC date on, until the day of the next."""

outbox = sa.Table(
    "outbox",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, nullable=False),
    sa.Column("account_id", BIG),
    sa.Column("kind", ascii_text(40), nullable=False),
    sa.Column("body", Why(LONG_TEXT), nullable=False),
    created_at(),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("about", ascii_text(LONGEST_ABOUT)),
    sa.UniqueConstraint("user_id", "about"),
    sa.Index(None, "sent_at"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    **MYSQL_TABLE,
)
"""
What people are told of, once for what it is *about* (NULL: by itself); person 0 = who runs the platform. No foreign
key: telling somebody of an order must take no lock that a claim may wait for. *sent_at*: handed to their channels.
"""

notice_choices = sa.Table(
    "notice_choices",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    number("seen_id"),
    sa.Column("switched", JSON),
    sa.Column("quiet_from", sa.Integer),
    sa.Column("quiet_until", sa.Integer),
    sa.Column("report_hour", sa.Integer),
    **MYSQL_TABLE,
)
"""
How a person wants to be told: the newest message they have seen, kinds they switched, quiet minutes of the day, and the
hour of the daily report (NULL = as usual).
"""

system_flags = sa.Table(
    "system_flags",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    flag("trading_enabled", default=True),
    flag("flatten", default=False),
    sa.Column("changed_by", sa.String(255), nullable=False, server_default=EMPTY),
    sa.Column("changed_at", UtcDateTime, nullable=False, server_default=now3_upd()),
    number("version", 1),
    number("switched_ms"),
    number("proven_ms"),
    sa.Column("why", Why(), nullable=False, server_default=EMPTY),
    number("restored_ms"),
    sa.CheckConstraint("id = 1", "one_row"),
    **MYSQL_TABLE,
)
"""The platform's switches: one row, made by the migration."""
