"""
Tables of the stretches of evidence before demo trading and real money: what was asked for, what who judges wrote, what
was overridden.

All are appended to and never changed. The web's database user may SELECT and INSERT `stretches`, `stretch_overrides`
and `demo_overrides`, and SELECT `stretch_marks` alone: neither the beginning nor the end of a stretch is the web's to
write. A restored backup has no marks and no overrides.
"""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, MYSQL_TABLE, ascii_text, choice, metadata, number, one_id

stretches = sa.Table(
    "stretches",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    number("version_id"),
    sa.Column("criteria", sa.Text, nullable=False),
    number("asked_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    **MYSQL_TABLE,
)
"""*version_id* 0 = the original design; *criteria* as `lib.domain.stretch.criteria_text` writes them."""

stretch_marks = sa.Table(
    "stretch_marks",
    metadata,
    one_id(),
    sa.Column("stretch_id", BIG, sa.ForeignKey("stretches.id"), nullable=False),
    sa.Column("kind", choice("kind", "begun", "ended"), nullable=False),
    number("at_ms"),
    sa.Column("seal", ascii_text(64), nullable=False),
    sa.Column("measured", sa.Text, nullable=True),
    sa.UniqueConstraint("stretch_id", "kind"),
    **MYSQL_TABLE,
)
"""*seal* of the beginning, `lib.domain.stretch.seal_of`; *measured* of the end, as `measured_text` writes it."""

stretch_overrides = sa.Table(
    "stretch_overrides",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("stretch_id", BIG, sa.ForeignKey("stretches.id"), nullable=False),
    number("given_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "stretch_id"),
    **MYSQL_TABLE,
)
"""A person's act, each in their trail too; the newest of a stretch counts, for a week."""

demo_overrides = sa.Table(
    "demo_overrides",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id"), nullable=False),
    number("version_id"),
    number("given_ms"),
    sa.Index(None, "user_id"),
    sa.Index(None, "account_id"),
    **MYSQL_TABLE,
)
"""
A person's act: demo trading without evidence, on that account and with that version (0 = the original design). It rests
on no stretch, for there may be none to be begun; the newest counts, for a week.
"""
