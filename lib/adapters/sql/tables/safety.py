"""Tables of what guards an account beside its password: nothing in them signs anybody in by being read."""

import sqlalchemy as sa

from lib.adapters.sql.tables.columns import BIG, MYSQL_TABLE, ascii_text, exact_text, flag, metadata, number, one_id

authenticators = sa.Table(
    "authenticators",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("sealed", ascii_text(200), nullable=False),
    number("last_step"),
    flag("confirmed", default=False),
    **MYSQL_TABLE,
)
"""The locked secret of a person's authenticator, and the newest thirty-second step whose code was used."""

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("code_sha256", ascii_text(64), primary_key=True),
    number("used_ms"),
    **MYSQL_TABLE,
)
"""Codes for who lost the authenticator, each good once: 80 random bits, kept as their sha256."""

reset_links = sa.Table(
    "reset_links",
    metadata,
    sa.Column("token_sha256", ascii_text(64), primary_key=True),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    number("expires_ms"),
    flag("drops_factor", default=False),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""The newest unused link of a person to a new password. A token is never stored, only its sha256."""

email_links = sa.Table(
    "email_links",
    metadata,
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("token_sha256", ascii_text(64), nullable=False, unique=True),
    sa.Column("email", exact_text(255), nullable=False),
    number("expires_ms"),
    **MYSQL_TABLE,
)
"""The newest unused link by which a person's e-mail becomes *email*; of its token only the sha256."""

passkeys = sa.Table(
    "passkeys",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("credential_sha256", ascii_text(64), nullable=False),
    sa.Column("credential_id", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    number("sign_count"),
    sa.Column("name", sa.String(60), nullable=False),
    number("created_ms"),
    number("used_ms"),
    sa.UniqueConstraint("credential_sha256"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""Public keys of people's passkeys: whoever reads them can sign in nowhere."""

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    one_id(),
    sa.Column("user_id", BIG, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("token_sha256", ascii_text(64), nullable=False, unique=True),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("scope", ascii_text(16), nullable=False),
    number("created_ms"),
    number("expires_ms"),
    number("used_ms"),
    sa.Index(None, "user_id"),
    **MYSQL_TABLE,
)
"""Personal tokens of programs, by their sha256; *used_ms* is 0 until the first use."""
