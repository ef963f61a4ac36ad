"""What opinions were worth: one row an answer and method, written once, by the notifier alone; no person's."""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, MYSQL_TABLE, Dec, choice, metadata, number
from lib.domain.scores import SCORE_ENDS

scores = sa.Table(
    "scores",
    metadata,
    sa.Column("cycle_id", BIG, sa.ForeignKey("cycles.id"), autoincrement=False, primary_key=True),
    sa.Column("method", sa.SmallInteger, autoincrement=False, primary_key=True),
    sa.Column("ended", choice("ended", *SCORE_ENDS), nullable=False),
    number("entered_ms"),
    number("closed_ms"),
    sa.Column("entry_price", Dec(), nullable=False),
    sa.Column("exit_price", Dec(), nullable=False),
    sa.Column("gross", Dec(), nullable=False),
    sa.Column("fees", Dec(), nullable=False),
    sa.Column("funding", Dec(), nullable=False),
    sa.Column("cost_usd", Dec()),
    sa.Column("net", Dec(), nullable=False),
    sa.Column("r_multiple", Dec(), nullable=False),
    number("scored_ms"),
    sa.Column("long_net", Dec()),
    sa.Column("short_net", Dec()),
    **MYSQL_TABLE,
)
"""
Fractions of the notional at the entry; *cost_usd* is one person's part of the calls, NULL = not known.

*long_net* and *short_net* are there with the method of both ways alone: after fees and funding, before the call.
"""
