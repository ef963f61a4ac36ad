"""
Tables of the order protocol: lease, cycles, orders and their history, locks, money, and the log people read.

One row per intent is enforced by the database, not by care: UNIQUE(account, symbol, T, leg, seq) and the link id. An
order's events are chained by hash and UNIQUE(order, prev_hash) keeps the chain from forking.
"""

from typing import get_args

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    JSON,
    LONG_TEXT,
    MYSQL_TABLE,
    TEXT_LIMIT,
    Dec,
    Exits,
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
    now3,
    number,
    one_id,
)
from lib.domain.account import VENUES
from lib.domain.books import FillKind, TransferKind
from lib.domain.decision import Action
from lib.domain.order import LINK_ID_MAX, Leg, OrderState
from lib.domain.position import Side
from lib.domain.risk import Outcome
from lib.domain.trade_log import Status

STATES = tuple(OrderState)
_OUTCOMES = get_args(Outcome)
_SHA256 = 64

trader_lease = sa.Table(
    "trader_lease",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("holder", exact_text(64), nullable=False, server_default=EMPTY),
    number("epoch"),
    number("expires_ms"),
    sa.CheckConstraint("id = 1", "one_row"),
    **MYSQL_TABLE,
)
"""The trader's lease: one row, made by the migration."""

cycles = sa.Table(
    "cycles",
    metadata,
    one_id(),
    sa.Column("feed", exact_text(255), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("t_ms", BIG, nullable=False),
    sa.Column("prompt_group", ascii_text(_SHA256), nullable=False),
    sa.Column("state", choice("state", "decided", "abstained", "failed"), nullable=False),
    sa.Column("decision", JSON, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("candles", sa.Text, nullable=False),
    sa.Column("raw_answer", sa.Text, nullable=False),
    sa.Column("model", sa.String(100), nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("completion_tokens", sa.Integer, nullable=False),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Column("cost_usd", Dec()),
    created_at(),
    sa.Column("asked_for", ascii_text(10), nullable=False, server_default="exchange"),
    flag("archived", default=False),
    sa.Column("asked_sha256", ascii_text(_SHA256), nullable=False, server_default=EMPTY),
    sa.Column("sent_sha256", ascii_text(_SHA256), nullable=False, server_default=EMPTY),
    sa.Column("inputs", sa.Text),
    sa.UniqueConstraint("feed", "symbol", "t_ms", "interval_s", "prompt_group", name="uq_cycles_key"),
    sa.Index("ix_cycles_used", "feed", "t_ms", "state", "prompt_tokens", "completion_tokens", "cost_usd", "asked_for"),
    sa.Index("ix_cycles_asked", "asked_sha256", "t_ms"),
    **MYSQL_TABLE,
)

orders = sa.Table(
    "orders",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("uid", ascii_text(64), nullable=False),
    sa.Column("venue", choice("venue", *VENUES), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.Column("t_ms", BIG, nullable=False),
    sa.Column("leg", choice("leg", *get_args(Leg)), nullable=False),
    sa.Column("seq", sa.SmallInteger, nullable=False),
    sa.Column("order_link_id", ascii_text(LINK_ID_MAX), nullable=False),
    sa.Column("state", choice("state", *STATES), nullable=False),
    sa.Column("side", choice("side", *get_args(Side)), nullable=False),
    sa.Column("qty", Dec()),
    money("limit_price"),
    money("ref_price"),
    money("stop_loss"),
    money("take_profit"),
    sa.Column("leverage", sa.Integer, nullable=False),
    flag("reduce_only", default=False),
    number("key_version"),
    number("settings_version"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    number("signed_ts"),
    sa.Column("body_sha256", ascii_text(_SHA256), nullable=False, server_default=EMPTY),
    number("epoch"),
    sa.Column("exchange_order_id", ascii_text(64), nullable=False, server_default=EMPTY),
    money("filled_qty"),
    money("avg_price"),
    money("fee"),
    sa.Column("last_code", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("why", Why(), nullable=False, server_default=EMPTY),
    number("created_ms"),
    number("updated_ms"),
    sa.Column("exits", Exits(), nullable=False, server_default=EMPTY),
    sa.UniqueConstraint("account_id", "symbol", "t_ms", "leg", "seq", name="uq_orders_intent"),
    sa.UniqueConstraint("order_link_id"),
    sa.Index(None, "state"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id", "t_ms"),
    sa.Index("ix_orders_sent", "leg", "t_ms", "account_id", "attempts"),
    **MYSQL_TABLE,
)

order_events = sa.Table(
    "order_events",
    metadata,
    one_id(),
    sa.Column("order_id", BIG, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("at_ms", BIG, nullable=False),
    sa.Column("from_state", ascii_text(16), nullable=False),
    sa.Column("to_state", ascii_text(16), nullable=False),
    sa.Column("why", sa.String(TEXT_LIMIT), nullable=False),
    sa.Column("code", sa.Integer, nullable=False),
    sa.Column("prev_hash", ascii_text(_SHA256), nullable=False),
    sa.Column("hash", ascii_text(_SHA256), nullable=False),
    sa.UniqueConstraint("order_id", "prev_hash"),
    **MYSQL_TABLE,
)
"""Append-only: give the application's database user no UPDATE and no DELETE here."""

stop_moves = sa.Table(
    "stop_moves",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.Column("entry_link", ascii_text(LINK_ID_MAX), nullable=False),
    sa.Column("t_ms", BIG, nullable=False),
    money("price"),
    number("called_ms"),
    number("settled_ms"),
    sa.UniqueConstraint("entry_link", "t_ms"),
    sa.Index("ix_stop_moves_settled", "settled_ms", "account_id"),
    **MYSQL_TABLE,
)
"""Stops nearer to the price than the entry's, of the entry that *entry_link* names: `lib.domain.stops`."""

risk_locks = sa.Table(
    "risk_locks",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("utc_day", sa.Integer, nullable=False),
    sa.Column("kind", ascii_text(40), nullable=False),
    sa.Column("until_ms", BIG, nullable=False),
    sa.Column("why", Why(), nullable=False),
    sa.Column("created_ms", BIG, nullable=False),
    sa.Column("ended_by", sa.String(255), nullable=False, server_default=EMPTY),
    number("ended_ms"),
    sa.UniqueConstraint("account_id", "utc_day", "kind"),
    **MYSQL_TABLE,
)

platform_locks = sa.Table(
    "platform_locks",
    metadata,
    sa.Column("kind", ascii_text(40), primary_key=True),
    sa.Column("until_ms", BIG, nullable=False),
    sa.Column("why", Why(), nullable=False),
    sa.Column("created_ms", BIG, nullable=False),
    sa.Column("ended_by", sa.String(255), nullable=False, server_default=EMPTY),
    number("ended_ms"),
    **MYSQL_TABLE,
)
"""As `risk_locks`, for all accounts; a writer holds the row of `system_flags`, which every claim reads first."""

fills = sa.Table(
    "fills",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("order_id", BIG, sa.ForeignKey("orders.id")),
    sa.Column("exec_id", ascii_text(64), nullable=False),
    sa.Column("exchange_order_id", ascii_text(64), nullable=False),
    sa.Column("order_link_id", ascii_text(64), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.Column("side", choice("side", *get_args(Side)), nullable=False),
    money("qty"),
    money("price"),
    money("fee"),
    sa.Column("kind", choice("kind", *get_args(FillKind)), nullable=False),
    money("closed_qty"),
    money("realised"),
    flag("is_stop", default=False),
    sa.Column("at_ms", BIG, nullable=False),
    sa.Column("charges", JSON),
    sa.UniqueConstraint("account_id", "exec_id"),
    sa.Index(None, "order_id"),
    sa.Index(None, "account_id", "at_ms"),
    **MYSQL_TABLE,
)

transfers = sa.Table(
    "transfers",
    metadata,
    one_id(),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("transfer_id", ascii_text(100), nullable=False),
    sa.Column("kind", choice("kind", *get_args(TransferKind)), nullable=False),
    money("amount"),
    sa.Column("at_ms", BIG, nullable=False),
    sa.UniqueConstraint("account_id", "transfer_id"),
    **MYSQL_TABLE,
)

equity_points = sa.Table(
    "equity_points",
    metadata,
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    sa.Column("t_ms", BIG, primary_key=True, autoincrement=False),
    money("balance"),
    money("equity"),
    money("difference"),
    added_money("transfers"),
    **MYSQL_TABLE,
)
"""*transfers* is the sum the books had counted as paid in and out: later transfers must not look like profit."""

trade_logs = sa.Table(
    "trade_logs",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("gpt_analysis", JSON),
    sa.Column("action", choice("action", *get_args(Action))),
    sa.Column("leverage", Dec(5, 2)),
    sa.Column("order_id", sa.String(100)),
    sa.Column("status", choice("status", *get_args(Status)), nullable=False),
    sa.Column("error_message", Why(LONG_TEXT)),
    sa.Column("executed_at", UtcDateTime, nullable=False, server_default=now3()),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("cycle_id", BIG, sa.ForeignKey("cycles.id")),
    sa.Column("t_ms", BIG, nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    sa.Column("planned_outcome", choice("planned_outcome", *_OUTCOMES), nullable=False),
    sa.Column("outcome", choice("outcome", *_OUTCOMES), nullable=False),
    sa.Column("reason", Why(LONG_TEXT), nullable=False),
    sa.Column("confidence", Dec()),
    sa.Column("clamps", JSON),
    sa.UniqueConstraint("account_id", "t_ms", "symbol"),
    sa.Index(None, "user_id", "executed_at"),
    sa.Index(None, "user_id", "outcome", "executed_at"),
    sa.Index(None, "cycle_id"),
    **MYSQL_TABLE,
)
"""The log a person reads: one row per account, symbol and T, moved by the transaction that moves its orders."""
