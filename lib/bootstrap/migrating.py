"""Bringing the database to this release's schema: apart from `stores`, for what it takes to import."""

from lib.adapters.sql.database import migrating
from lib.adapters.sql.database.engine import make_engine
from lib.bootstrap.stores import keep_out_of_logs
from lib.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring the database to this release's schema."""
    keep_out_of_logs(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        migrating.migrate(engine)
    finally:
        engine.dispose()
