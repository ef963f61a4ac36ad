"""
Tables of a deployment whose accounts are divided among processes: who lives, who owns which account, who may use what.

Empty where one trader does everything. Nothing here is evidence of an order: each row may be lost.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import (
    BIG,
    EMPTY,
    MYSQL_TABLE,
    added_money,
    ascii_text,
    exact_text,
    metadata,
    money,
    number,
    one_id,
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("holder", exact_text(64), primary_key=True),
    sa.Column("address", ascii_text(64), nullable=False, server_default=EMPTY),
    number("capacity"),
    number("seen_ms"),
    **MYSQL_TABLE,
)
"""The row without a holder is nobody: its lock makes the transactions on these tables take turns."""

account_leases = sa.Table(
    "account_leases",
    metadata,
    sa.Column("account_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("holder", exact_text(64), nullable=False, server_default=EMPTY),
    number("epoch"),
    number("until_ms"),
    sa.Index("ix_account_leases_holder", "holder"),
    **MYSQL_TABLE,
)
"""Without a foreign key: its lock on the account would stand in the way of plans and bookings."""

loans = sa.Table(
    "loans",
    metadata,
    one_id(),
    sa.Column("pool", ascii_text(10), nullable=False),
    sa.Column("holder", exact_text(64), nullable=False),
    number("entries"),
    money("exposure"),
    number("until_ms"),
    number("made_entries"),
    added_money("made_exposure"),
    sa.Index("ix_loans_until_ms", "until_ms"),
    **MYSQL_TABLE,
)
