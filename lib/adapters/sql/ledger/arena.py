"""The arena's rows as values. What cannot be read is no season, and no standing."""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.arena import arena_entries, arena_seasons, arena_standings
from lib.domain.arena import Entry, Season, Standing, read_rules, read_standing

_E, _S = arena_entries.c, arena_seasons.c


def newest_season(connection: sa.Connection) -> Season | None:
    """The season that runs or was the last one; None for none, and for rules that cannot be read."""
    row = connection.execute(sa.select(arena_seasons).order_by(_S.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    try:
        rules = read_rules(row.rules)
    except (ValueError, TypeError, KeyError):
        return None
    return Season(row.id, row.begun_ms, rules, row.rules, row.seal, row.ended_ms, row.taken)


def entries_of(connection: sa.Connection, season_id: int) -> list[Entry]:
    """Every entry of a season that was not deleted, in order of entry, with where it stands."""
    query = (
        sa.select(arena_entries, arena_standings.c.figures)
        .outerjoin(arena_standings, arena_standings.c.entry_id == _E.id)
        .where(_E.season_id == season_id)
        .order_by(_E.place)
    )
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Any) -> Entry:
    return Entry(
        entry_id=row.id,
        season_id=row.season_id,
        user_id=row.user_id,
        version_id=row.version_id,
        model=row.model,
        place=row.place,
        name=row.name,
        house=row.house,
        entered_ms=row.entered_ms,
        left_ms=row.left_ms,
        standing=_standing(row.figures),
    )


def _standing(text: str | None) -> Standing | None:
    try:
        return None if text is None else read_standing(text)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return None
