"""The whole database as SQLAlchemy tables: one `metadata`, equal to the migrations and to `db/schema.sql` (tested)."""

from lib.adapters.sql.tables import (
    analysts,
    arena,
    backtests,
    operating,
    past,
    people,
    real_money,
    records,
    safety,
    scores,
    shadows,
    strategies,
    stretches,
    telling,
    trading,
    workers,
)
from lib.adapters.sql.tables.columns import metadata

__all__ = [
    "analysts",
    "arena",
    "backtests",
    "metadata",
    "operating",
    "past",
    "people",
    "real_money",
    "records",
    "safety",
    "scores",
    "shadows",
    "strategies",
    "stretches",
    "telling",
    "trading",
    "workers",
]
