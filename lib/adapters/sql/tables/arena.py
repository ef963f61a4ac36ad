"""
Tables of the arena: seasons, their entries, and where each entry stands.

A season is begun and ended by a terminal alone; where entries stand is written by the notifier alone. The web's
database user may count a place as taken, let somebody in, change what they are shown as, and delete what was a
leaver's.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, MYSQL_TABLE, ascii_text, exact_text, flag, metadata, number, one_id
from lib.domain.arena import LONGEST_NAME

arena_seasons = sa.Table(
    "arena_seasons",
    metadata,
    one_id(),
    number("begun_ms"),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("seal", ascii_text(64), nullable=False),
    number("ended_ms"),
    number("taken"),
    **MYSQL_TABLE,
)
"""
*rules* as `lib.domain.arena.rules_text` writes them, sealed; *ended_ms* 0 = nobody ended it early. *taken* counts every
entry ever, those of deleted people too.
"""

arena_entries = sa.Table(
    "arena_entries",
    metadata,
    one_id(),
    sa.Column("season_id", BIG, sa.ForeignKey("arena_seasons.id"), nullable=False),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("version_id"),
    sa.Column("content_sha256", ascii_text(64), nullable=False),
    sa.Column("model", sa.String(100), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("name", sa.String(LONGEST_NAME), nullable=False),
    sa.Column("name_key", exact_text(LONGEST_NAME), nullable=False),
    flag("house", default=False),
    number("entered_ms"),
    number("left_ms"),
    sa.UniqueConstraint("season_id", "name_key"),
    sa.Index(None, "season_id", "user_id"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""
*version_id* 0 = the original design; *content_sha256* is of what it says: the same under another number is the same
entry. *name_key* stays taken when its person leaves, so nobody else is taken for them in that season.
"""

arena_standings = sa.Table(
    "arena_standings",
    metadata,
    sa.Column("entry_id", BIG, sa.ForeignKey("arena_entries.id"), autoincrement=False, primary_key=True),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
    number("kept_ms"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""The newest standing of an entry, as `lib.domain.arena.standing_text` writes it."""
