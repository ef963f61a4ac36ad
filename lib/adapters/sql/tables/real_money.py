"""
Tables of the way to real money: what preflights found, caps an operator wrote, consents of people.

Only a terminal writes `preflight_runs` and `real_caps`; the web's database user needs no more than SELECT on both, and
SELECT, INSERT, UPDATE on `real_consents`. Runs and caps are appended to, never changed; a restored backup has none of
either.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    JSON,
    MYSQL_TABLE,
    ascii_text,
    choice,
    flag,
    metadata,
    money,
    number,
    one_id,
)
from lib.domain.account import VENUES

preflight_runs = sa.Table(
    "preflight_runs",
    metadata,
    one_id(),
    sa.Column("venue", choice("venue", *VENUES), nullable=False),
    sa.Column("uid", ascii_text(64), nullable=False),
    sa.Column("host", ascii_text(100), nullable=False),
    sa.Column("version", ascii_text(40), nullable=False),
    sa.Column("symbol", ascii_text(32), nullable=False),
    number("started_ms"),
    sa.Column("cards", JSON, nullable=False),
    sa.Column("evidence", ascii_text(100), nullable=False),
    flag("orders_passed", default=False),
    sa.Index(None, "venue", "uid"),
    **MYSQL_TABLE,
)
"""
*cards*: name → whether it passed; the answers themselves are in the file *evidence* on the operator's machine.
*orders_passed*: by this a canary is found among any number of runs that only read; its cards are judged all the same.
"""

real_caps = sa.Table(
    "real_caps",
    metadata,
    one_id(),
    sa.Column("accounts", sa.Integer, nullable=False),
    money("equity"),
    sa.Column("positions", sa.Integer, nullable=False),
    money("a_day"),
    sa.Column("who", sa.String(255), nullable=False),
    number("written_ms"),
    **MYSQL_TABLE,
)
"""The newest row holds, for a week; a claim with real money locks it, so that such claims go one after another."""

real_consents = sa.Table(
    "real_consents",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    number("key_version"),
    number("given_ms"),
    number("withdrawn_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    **MYSQL_TABLE,
)
"""A consent is to one key of one account; a new key asks for a new one. *withdrawn_ms* 0 = it stands."""
