"""
Tables of shadows: what a person lets answer beside the trading version, and what became of each of its turns.

A shadow's answer is a call in `cycles` like any other, with `asked_for` = shadow; what leads to orders reads none of
them (`lib.domain.analyst_call`).
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    MYSQL_TABLE,
    Dec,
    Why,
    ascii_text,
    choice,
    flag,
    metadata,
    number,
    one_id,
)
from lib.domain.shadow import SHADOW_STATES

shadows = sa.Table(
    "shadows",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("version_id", BIG, sa.ForeignKey("strategy_versions.id")),
    sa.Column("model", ascii_text(40), nullable=False, server_default=EMPTY),
    sa.Column("day_calls", sa.Integer, nullable=False),
    sa.Column("day_usd", Dec(), nullable=False),
    flag("running", default=True),
    number("made_ms"),
    number("changed_ms"),
    number("removed_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "version_id"),
    **MYSQL_TABLE,
)
"""
*version_id* NULL = the original design, *model* "" = the version's own: both never change. A removed one stays with
its answers until its person leaves; *changed_ms* = last started or stopped.
"""

shadow_calls = sa.Table(
    "shadow_calls",
    metadata,
    sa.Column("shadow_id", BIG, sa.ForeignKey("shadows.id"), autoincrement=False, primary_key=True),
    sa.Column("symbol", ascii_text(32), primary_key=True),
    sa.Column("t_ms", BIG, autoincrement=False, primary_key=True),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("beside_id", BIG, sa.ForeignKey("cycles.id")),
    sa.Column("cycle_id", BIG, sa.ForeignKey("cycles.id")),
    sa.Column("state", choice("state", *SHADOW_STATES), nullable=False),
    sa.Column("why", Why(), nullable=False, server_default=EMPTY),
    sa.Column("cost_usd", Dec()),
    flag("shared", default=False),
    sa.Index(None, "t_ms", "shadow_id", "state"),
    sa.Index(None, "user_id", "t_ms"),
    sa.Index(None, "account_id"),
    sa.Index(None, "beside_id"),
    sa.Index(None, "cycle_id"),
    **MYSQL_TABLE,
)
"""
One turn of a shadow: its answer is *cycle_id*, that of the trading version about the same window *beside_id*. Written
before the question, so that two processes never ask twice. *shared* = the answer was there, asked for others.
"""
