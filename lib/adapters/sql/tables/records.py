"""
Tables of records: what an account did under one version, sealed day by day, and the links that open one.

A day holds its leaves as they were sealed, packed: what rows say later changes nothing of it. Numbers of versions have
no foreign key, for a person's strategies go with them and the record stays under a number.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from lib.adapters.sql.tables.columns import BIG, EMPTY, MYSQL_TABLE, ascii_text, flag, metadata, number, one_id


def _record(*, is_key: bool = False) -> sa.Column[int]:
    return sa.Column("record_id", BIG, sa.ForeignKey("records.id"), nullable=False, primary_key=is_key)


records = sa.Table(
    "records",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    number("version_id"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("sha256", ascii_text(64), nullable=False),
    sa.UniqueConstraint("account_id", "version_id"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""One account under one version; *version_id* and *number* 0 = before anything was chosen."""

record_days = sa.Table(
    "record_days",
    metadata,
    _record(is_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("leaves", sa.Integer, nullable=False),
    sa.Column("decisions", sa.Integer, nullable=False),
    sa.Column("root", ascii_text(64), nullable=False),
    sa.Column("head", ascii_text(64), nullable=False),
    sa.Column("closing_index", ascii_text(40), nullable=False, server_default=EMPTY),
    number("sealed_ms"),
    sa.Column("packed", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
    **MYSQL_TABLE,
)
"""A sealed UTC day (days since 1970-01-01); *packed* is base64 of zlib of its lines, amounts among them."""

record_links = sa.Table(
    "record_links",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    _record(),
    sa.Column("code_sha256", ascii_text(64), nullable=False),
    flag("named", default=False),
    flag("amounts", default=False),
    number("made_ms"),
    number("revoked_ms"),
    sa.UniqueConstraint("code_sha256"),
    sa.Index(None, "user_id"),
    sa.Index(None, "record_id"),
    **MYSQL_TABLE,
)
"""Links that show a record to anybody, by the sha256 of their code; *named* = with the strategy's name."""
