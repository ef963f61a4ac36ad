"""
Tables of what is sent to people: their channels, and what waits to be sent there.

No foreign keys: person 0 is whoever runs the platform, and what is told must lock no row a claim waits for.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, EMPTY, MYSQL_TABLE, ascii_text, flag, metadata, number, one_id

channels = sa.Table(
    "channels",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, nullable=False),
    sa.Column("service", ascii_text(16), nullable=False),
    sa.Column("name", sa.String(40), nullable=False, server_default=EMPTY),
    sa.Column("sealed", sa.Text, nullable=False),
    flag("enabled", default=True),
    number("created_ms"),
    number("tested_ms"),
    number("sent_ms"),
    number("failures"),
    number("again_ms"),
    number("lease_ms"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""
Where people are told besides the bell. *sealed* is the address, for the notifier alone; *failures* in a row, and when
it is tried again; until *lease_ms* one sender has it.
"""

deliveries = sa.Table(
    "deliveries",
    metadata,
    one_id(),
    sa.Column("channel_id", BIG, nullable=False),
    sa.Column("outbox_id", BIG, nullable=False),
    number("due_ms"),
    sa.UniqueConstraint("channel_id", "outbox_id"),
    sa.Index(None, "due_ms"),
    **MYSQL_TABLE,
)
"""What is still to be sent: a row goes when its channel has taken it."""
