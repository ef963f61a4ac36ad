"""
Who enters the arena and leaves it, over SQL: `lib.ports.arena.Arena`, each act with its line of the trail.

The season's row is locked before anything of an entry is asked, so a place and a name are given once. What an entry is
never changes; the same version, however it is numbered, is the same entry for the whole season.
"""

from dataclasses import replace

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.trail import acts_still, record
from lib.adapters.sql.ledger.arena import newest_season
from lib.adapters.sql.tables.arena import arena_entries, arena_seasons
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.strategies import strategy_runs, strategy_versions
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.arena import Season, name_key
from lib.domain.strategy import DESIGN
from lib.domain.trail import Note
from lib.ports.arena import Arena, Entering, Wish

_E, _L = arena_entries.c, trade_logs.c


class SqlArena(Arena):
    """`lib.ports.arena.Arena`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def enter(self, wish: Wish, note: Note) -> Entering:
        return transact(self._engine, lambda c: _enter(c, wish, note))

    def rename(self, entry_id: int, name: str, note: Note) -> bool | None:
        return transact(self._engine, lambda c: _rename(c, entry_id, name, note))

    def leave(self, entry_id: int, note: Note) -> bool:
        return transact(self._engine, lambda c: _leave(c, entry_id, note))


def _enter(connection: sa.Connection, wish: Wish, note: Note) -> Entering:
    person = living_user(connection, note.user_id)
    season = _locked_season(connection)
    if season is None or not season.is_open(note.at_ms) or not acts_still(connection, note):
        return Entering.CLOSED
    version_id = int(person["strategy_version_id"] or 0)
    content, model = _content(connection, version_id), _answered_by(connection, note.user_id, version_id)
    if model is None:
        return Entering.UNANSWERED
    mine = (_E.season_id == season.season_id, _E.user_id == note.user_id)
    known = connection.scalar(sa.select(_E.id).where(*mine, _E.content_sha256 == content, _E.model == model))
    if _is_taken(connection, season.season_id, wish.name, known or 0):
        return Entering.NAMED
    if known is not None:
        shown = {"name": wish.name, "name_key": name_key(wish.name), "left_ms": 0}
        connection.execute(sa.update(arena_entries).where(_E.id == known).values(shown))
        record(connection, replace(note, detail=wish.name))
        return Entering.BACK
    held = connection.scalar(sa.select(sa.func.count()).select_from(arena_entries).where(*mine)) or 0
    if held >= season.rules.each:
        return Entering.EACH
    if season.taken >= season.rules.places:
        return Entering.FULL
    values = {"season_id": season.season_id, "user_id": note.user_id, "version_id": version_id, "model": model}
    values |= {"content_sha256": content, "place": season.taken + 1, "name": wish.name, "entered_ms": note.at_ms}
    values |= {"name_key": name_key(wish.name), "house": wish.house and _is_operator(connection, note.user_id)}
    connection.execute(sa.insert(arena_entries).values(values))
    taken = sa.update(arena_seasons).where(arena_seasons.c.id == season.season_id)
    connection.execute(taken.values(taken=season.taken + 1))
    record(connection, replace(note, detail=wish.name))
    return Entering.ENTERED


def _rename(connection: sa.Connection, entry_id: int, name: str, note: Note) -> bool | None:
    living_user(connection, note.user_id)
    season = _locked_season(connection)
    before = connection.scalar(sa.select(_E.name).where(*_mine(entry_id, note)))
    if season is None or before is None or not acts_still(connection, note):
        return None
    if _is_taken(connection, season.season_id, name, entry_id):
        return False
    shown = {"name": name, "name_key": name_key(name)}
    connection.execute(sa.update(arena_entries).where(_E.id == entry_id).values(shown))
    record(connection, replace(note, detail=f"{before} > {name}"))
    return True


def _leave(connection: sa.Connection, entry_id: int, note: Note) -> bool:
    living_user(connection, note.user_id)
    name = connection.scalar(sa.select(_E.name).where(*_mine(entry_id, note)))
    if name is None or not acts_still(connection, note):
        return False
    connection.execute(sa.update(arena_entries).where(_E.id == entry_id).values(left_ms=note.at_ms))
    record(connection, replace(note, detail=name))
    return True


def _locked_season(connection: sa.Connection) -> Season | None:
    """The newest season with its row locked: an update of what it says locks it on every database."""
    newest = connection.scalar(sa.select(sa.func.max(arena_seasons.c.id)))
    if newest is None:
        return None
    same = sa.update(arena_seasons).where(arena_seasons.c.id == newest).values(taken=arena_seasons.c.taken)
    connection.execute(same)
    return newest_season(connection)


def _mine(entry_id: int, note: Note) -> "tuple[sa.ColumnElement[bool], ...]":
    return _E.id == entry_id, _E.user_id == note.user_id, _E.left_ms == 0


def _is_taken(connection: sa.Connection, season_id: int, name: str, but: int) -> bool:
    others = (_E.season_id == season_id, _E.name_key == name_key(name), _E.id != but)
    return connection.scalar(sa.select(_E.id).where(*others)) is not None


def _is_operator(connection: sa.Connection, user_id: int) -> bool:
    role = (operators.c.user_id == user_id, operators.c.revoked_ms == 0)
    return connection.scalar(sa.select(operators.c.user_id).where(*role)) is not None


def _content(connection: sa.Connection, version_id: int) -> str:
    """The sha256 of what the version says."""
    known = sa.select(strategy_versions.c.sha256).where(strategy_versions.c.id == version_id)
    return connection.scalar(known) or DESIGN.sha256


def _answered_by(connection: sa.Connection, user_id: int, version_id: int) -> str | None:
    """Which model answered last on the person's active paper account since *version_id* runs; None for none."""
    runs = sa.select(sa.func.max(strategy_runs.c.from_ms)).where(
        strategy_runs.c.user_id == user_id, strategy_runs.c.version_id == version_id
    )
    since = connection.scalar(runs) or 0
    paper = sa.select(accounts.c.id).where(
        accounts.c.user_id == user_id, accounts.c.active, accounts.c.venue == "paper"
    )
    account_id = connection.scalar(paper)
    newest = (
        sa.select(cycles.c.model)
        .join(trade_logs, _L.cycle_id == cycles.c.id)
        .where(_L.account_id == account_id, _L.t_ms >= since, cycles.c.state != "failed")
        .order_by(_L.t_ms.desc())
        .limit(1)
    )
    return connection.scalar(newest)
