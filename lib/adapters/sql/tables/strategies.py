"""
Tables of strategies: each person's own, their immutable versions, which ran since when, and what is shared by link.

What runs is in `users` too, column by column, written in the same transaction: the trader reads that alone.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, EMPTY, MYSQL_TABLE, ascii_text, metadata, number, one_id


def _owner() -> sa.Column[int]:
    return sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False)


strategies = sa.Table(
    "strategies",
    metadata,
    one_id(),
    _owner(),
    sa.Column("name", sa.String(60), nullable=False, server_default=EMPTY),
    number("made_ms"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""A person's strategies; the one that was made of their settings has no name."""

strategy_versions = sa.Table(
    "strategy_versions",
    metadata,
    one_id(),
    _owner(),
    sa.Column("strategy_id", BIG, sa.ForeignKey("strategies.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("sha256", ascii_text(64), nullable=False),
    number("made_ms"),
    sa.UniqueConstraint("strategy_id", "number"),
    sa.Index(None, "strategy_id", "sha256"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""Versions, appended to and never changed; *content* is the JSON text that *sha256* is of."""

strategy_runs = sa.Table(
    "strategy_runs",
    metadata,
    one_id(),
    _owner(),
    sa.Column("version_id", BIG, sa.ForeignKey("strategy_versions.id"), nullable=False),
    number("from_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "version_id"),
    **MYSQL_TABLE,
)
"""Which version a person's account ran from when on, until the next row: appended to, never changed."""

strategy_shares = sa.Table(
    "strategy_shares",
    metadata,
    one_id(),
    _owner(),
    sa.Column("version_id", BIG, sa.ForeignKey("strategy_versions.id"), nullable=False),
    sa.Column("code_sha256", ascii_text(64), nullable=False),
    sa.Column("shown_as", sa.String(40), nullable=False, server_default=EMPTY),
    number("made_ms"),
    number("revoked_ms"),
    sa.UniqueConstraint("code_sha256"),
    sa.Index(None, "user_id"),
    sa.Index(None, "version_id"),
    **MYSQL_TABLE,
)
"""
Versions anybody signed in may open who has the link, by the sha256 of its code; *shown_as* is all that is told of the
owner.
"""
