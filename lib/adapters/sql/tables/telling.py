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

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("user_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("chat_id", BIG),
    number("bound_ms"),
    sa.Column("code_sha256", ascii_text(64)),
    number("code_until_ms"),
    number("close_until_ms"),
    number("awaits_ms"),
    number("told_ms"),
    sa.UniqueConstraint("chat_id"),
    sa.UniqueConstraint("code_sha256"),
    **MYSQL_TABLE,
)
"""
A person's chat with the platform's bot, or the code that will bind one until *code_until_ms*. Until *close_until_ms* it
waits for the second factor; the proof of what was stopped at *awaits_ms* is owed while *told_ms* is 0.
"""

bots = sa.Table(
    "bots",
    metadata,
    sa.Column("bot_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("name", ascii_text(64), nullable=False),
    number("next_update"),
    number("seen_ms"),
    **MYSQL_TABLE,
)
"""The platform's bots, the newest seen is the present one; messages before *next_update* are taken."""
