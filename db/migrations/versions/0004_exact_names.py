"""
Names compare byte by byte, and people are known by one spelling.

Revision 0004. MySQL's loose collation took í for i: one person could be found under another's name. A stored e-mail
whose normal spelling is another one is written anew; where somebody has that one already both rows stay as they are,
and the log says whose: such a person signs in again once the operator has given them another address.
"""

import sqlalchemy as sa
from alembic import op

from lib import log
from lib.adapters.sql.tables import columns
from lib.domain.spelling import normal_email

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name, exact, _, default in NAMES:
        _alter(table, name, exact, default)
    _respell(op.get_bind())


def downgrade() -> None:
    for table, name, _, loose, default in reversed(NAMES):
        _alter(table, name, loose, default)


NAMES = (
    ("users", "email", columns.exact_text(255), sa.String(255), None),
    ("system_settings", "setting_key", columns.exact_text(100), sa.String(100), None),
    ("accounts", "feed", columns.exact_text(255), sa.String(255), None),
    ("accounts", "paused_by", columns.ascii_text(16), sa.String(16), columns.EMPTY),
    ("commands", "kind", columns.ascii_text(40), sa.String(40), None),
    ("outbox", "kind", columns.ascii_text(40), sa.String(40), None),
    ("trader_lease", "holder", columns.exact_text(64), sa.String(64), columns.EMPTY),
    ("cycles", "feed", columns.exact_text(255), sa.String(255), None),
)
"""Table, column, its type from here on, its type before, its default."""


def _alter(table: str, name: str, kind: "sa.types.TypeEngine[str]", default: "sa.TextClause | None") -> None:
    # SQLite compares text byte by byte as it is
    if op.get_bind().dialect.name == "mysql":
        op.alter_column(table, name, type_=kind, existing_nullable=False, existing_server_default=default)


def _respell(connection: sa.Connection) -> None:
    users = sa.table("users", sa.column("id"), sa.column("email"))
    known = {row.email: row.id for row in connection.execute(sa.select(users).order_by(users.c.id))}
    for email, user_id in list(known.items()):
        normal = normal_email(email)
        if normal == email:
            continue
        if normal in known:
            log.get("migrate").warning("migrate.email_kept", user_id=user_id, normal_is_of=known[normal])
            continue
        connection.execute(sa.update(users).where(users.c.id == user_id).values(email=normal))
        known[normal] = user_id
