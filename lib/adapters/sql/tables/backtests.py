"""
The table of backtests: what a person asked, how far it is, what came of it. Written by the web (questions, links) and
by the notifier (progress, results).

A row outlives its result: a hidden one has none and is counted as a try all the same. *result* is base64 of zlib of
JSON, *earned* a fraction of the start.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    MYSQL_TABLE,
    Dec,
    Why,
    added_money,
    ascii_text,
    choice,
    exact_text,
    metadata,
    number,
    one_id,
)
from lib.domain.backtests import STATES

backtests = sa.Table(
    "backtests",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("feed", exact_text(255), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    number("since_ms"),
    number("until_ms"),
    sa.Column("content_key", ascii_text(64), nullable=False),
    sa.Column("wish", sa.Text, nullable=False),
    sa.Column("state", choice("state", *STATES), nullable=False),
    sa.Column("why", Why(), nullable=True),
    number("attempts"),
    number("done"),
    number("whole"),
    number("asked_ms"),
    number("started_ms"),
    number("beat_ms"),
    number("cancel_ms"),
    number("ended_ms"),
    number("hidden_ms"),
    sa.Column("earned", Dec(), nullable=True),
    sa.Column("result", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=True),
    sa.Column("code_sha256", ascii_text(64), nullable=True),
    sa.Column("stage", ascii_text(10), nullable=False, server_default=EMPTY),
    number("calls"),
    added_money("usd"),
    sa.Column("stamp", sa.Text, nullable=True),
    sa.UniqueConstraint("code_sha256"),
    sa.Index(None, "user_id"),
    sa.Index(None, "content_key"),
    sa.Index(None, "state"),
    **MYSQL_TABLE,
)
"""
*stage* is that of a question about a model, which made *calls* for *usd*; *stamp* is JSON of who was asked
(`lib.domain.quarantine`). *code_sha256*: that of the link which shows the result to anybody, NULL = none does.
"""
