"""
What the notifier and a terminal write of the arena, over SQL: where entries stand, and seasons with their seals.

The web has neither: its database user may write no standing and begin no season.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.arena import entries_of, newest_season
from lib.adapters.sql.tables.arena import arena_entries, arena_seasons, arena_standings
from lib.domain.arena import Entry, Rules, Season, Standing, rules_text, seal_of, standing_text
from lib.ports.arena import ArenaBook, ArenaSeasons


class SqlArenaBook(ArenaBook):
    """`lib.ports.arena.ArenaBook`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def entries(self) -> list[tuple[Season, Entry]]:
        def work(connection: sa.Connection) -> list[tuple[Season, Entry]]:
            season = newest_season(connection)
            return [] if season is None else [(season, one) for one in entries_of(connection, season.season_id)]

        return transact(self._engine, work, readonly=True)

    def keep(self, entry: Entry, standing: Standing, at_ms: int) -> None:
        def work(connection: sa.Connection) -> None:
            there = connection.scalar(sa.select(arena_entries.c.id).where(arena_entries.c.id == entry.entry_id))
            if there is None:
                return  # its person left meanwhile
            mine = arena_standings.c.entry_id == entry.entry_id
            connection.execute(sa.delete(arena_standings).where(mine))
            values = {"entry_id": entry.entry_id, "user_id": entry.user_id, "kept_ms": at_ms}
            connection.execute(sa.insert(arena_standings).values(values | {"figures": standing_text(standing)}))

        transact(self._engine, work)


class SqlArenaSeasons(ArenaSeasons):
    """`lib.ports.arena.ArenaSeasons`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def newest(self) -> Season | None:
        return transact(self._engine, newest_season, readonly=True)

    def begin(self, rules: Rules, at_ms: int) -> Season | None:
        if not rules.is_lawful:
            raise ValueError("no season may have such rules")

        def work(connection: sa.Connection) -> Season | None:
            if (known := newest_season(connection)) is not None and known.is_open(at_ms):
                return None
            text = rules_text(rules)
            values = {"begun_ms": at_ms, "rules": text, "seal": seal_of(at_ms, text)}
            connection.execute(sa.insert(arena_seasons).values(values))
            return newest_season(connection)

        return transact(self._engine, work)

    def end(self, at_ms: int) -> Season | None:
        def work(connection: sa.Connection) -> Season | None:
            known = newest_season(connection)
            if known is None or not known.is_open(at_ms):
                return None
            mine = arena_seasons.c.id == known.season_id
            connection.execute(sa.update(arena_seasons).where(mine).values(ended_ms=at_ms))
            return newest_season(connection)

        return transact(self._engine, work)
