"""
Alembic's entry: runs migrations on the connection it is handed, or on `-x url=…` for work by hand.

By hand: `alembic -x url=mysql://… revision --autogenerate -m "…"`. The program itself never reads alembic.ini.
"""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from lib.adapters.sql.database import resuming  # noqa: F401 - resuming: a migration that was cut off goes on
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables import columns
from lib.adapters.sql.tables.models import metadata


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types and defaults as code a revision can import (Alembic would write names it does not)."""
    autogen.imports.add("from lib.adapters.sql.tables import columns")
    if isinstance(item, columns.Dec):
        return f"columns.Dec({item.precision}, {item.scale})"
    if isinstance(item, columns.UtcDateTime):
        return "columns.UtcDateTime()"
    default = getattr(item, "arg", None)
    if isinstance(default, columns.now3 | columns.now3_upd):
        return f"columns.{type(default).__name__}()"
    return False


def run(connection: sa.Connection) -> None:
    """Run what was asked for on *connection*."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def by_hand() -> None:
    """Connect to `-x url=…` and run."""
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise SystemExit("name the database: alembic -x url=mysql://… COMMAND")
    with make_engine(url).begin() as connection:
        run(connection)


given = context.config.attributes.get("connection")
if given is None:
    by_hand()
else:
    run(given)
