"""
Tables of the operators' room: who has the role, and every act.

A deployment's web needs no more than SELECT on `operators`, and SELECT, INSERT, UPDATE on `operator_acts`.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    JSON,
    MYSQL_TABLE,
    Why,
    ascii_text,
    metadata,
    number,
    one_id,
)

operators = sa.Table(
    "operators",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("granted_by", sa.String(255), nullable=False),
    number("granted_ms"),
    sa.Column("revoked_by", sa.String(255), nullable=False, server_default=EMPTY),
    number("revoked_ms"),
    **MYSQL_TABLE,
)
"""The operator's role: given and taken on a terminal alone."""

operator_acts = sa.Table(
    "operator_acts",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id")),
    sa.Column("kind", ascii_text(40), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id")),
    sa.Column("args", JSON),
    sa.Column("origin", ascii_text(45), nullable=False, server_default=EMPTY),
    number("asked_ms"),
    number("taken_ms"),
    number("done_ms"),
    sa.Column("result", Why(), nullable=False, server_default=EMPTY),
    sa.Column("who", sa.String(255), nullable=False, server_default=EMPTY),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    sa.Index(None, "kind", "done_ms"),
    **MYSQL_TABLE,
)
"""Every act of an operator, on the web or (without a person, by *who*) on a terminal; how it ended is added once."""
