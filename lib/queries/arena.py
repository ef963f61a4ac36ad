"""
The arena as people read it, and what an entry answered, for who keeps where it stands.

The board is what is kept: one season, its entries at most as many as it has places, nothing counted. Answers are of the
entry's version (under whatever number it says the same) and model, on paper accounts of its person alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.ledger.arena import entries_of, newest_season
from lib.adapters.sql.ledger.rows import setting_rows
from lib.adapters.sql.tables.arena import arena_entries
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.strategies import strategy_versions
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.arena import Entry, Season
from lib.domain.platform_settings import is_arena_open
from lib.domain.position import ZERO
from lib.domain.scores import BOTH_WAYS, Answered
from lib.domain.strategy import DESIGN
from lib.queries.compared import Gathered, version_at
from lib.queries.reading import Reading
from lib.queries.scores import runs_of

MOST_ANSWERS = 300_000
"""Of one entry, the newest: a season of a year at every five minutes has fewer with two symbols."""
_L, _S, _C, _V = trade_logs.c, scores.c, cycles.c, strategy_versions.c


@dataclass(frozen=True, slots=True)
class ArenaView:
    """The newest *season* with its *entries*, in order of entry; None while there was none or the arena is closed."""

    is_open: bool
    season: Season | None
    entries: tuple[Entry, ...]


class ArenaReadings(Reading):
    """For everybody who is signed in."""

    def arena(self) -> ArenaView:
        """What stands now."""
        return self._read(_view)


def _view(connection: sa.Connection) -> ArenaView:
    if not is_arena_open(setting_rows(connection)):
        return ArenaView(False, None, ())
    season = newest_season(connection)
    if season is None or not season.is_sealed:
        return ArenaView(True, None, ())
    return ArenaView(True, season, tuple(entries_of(connection, season.season_id)))


class ArenaAnswers(Reading):
    """The notifier has this; no page has."""

    def answers_of(self, entry: Entry, until_ms: int) -> Sequence[Answered]:
        """What *entry* answered from its first day to *until_ms*, epoch ms, and scored both ways."""
        return self._read(lambda c: _answers(c, entry, until_ms))


def _answers(connection: sa.Connection, entry: Entry, until_ms: int) -> Sequence[Answered]:
    is_scored = sa.and_(_S.cycle_id == _L.cycle_id, _S.method == BOTH_WAYS)
    query = (
        sa.select(_L.t_ms, _L.symbol, _L.action, _L.confidence, _S.long_net, _S.short_net, _S.fees, _S.cost_usd)
        .join(scores, is_scored)
        .join(cycles, _C.id == _L.cycle_id)
        .join(accounts, accounts.c.id == _L.account_id)
        .where(accounts.c.user_id == entry.user_id, accounts.c.venue == "paper", _C.model == entry.model)
        .where(_L.t_ms >= entry.from_ms, _L.t_ms < until_ms)
        .order_by(_L.t_ms.desc(), _L.id)
        .limit(MOST_ANSWERS)
    )
    runs, numbers = runs_of(connection, entry.user_id), _numbers(connection, entry)
    gathered = Gathered()
    for row in connection.execute(query):
        key = version_at(runs, row.t_ms, entry.model)
        if key.version_id in numbers:
            gathered.add(key, row, row.action, row.confidence or ZERO)
    return [one for told in gathered.answers.values() for one in told.values()]


def _numbers(connection: sa.Connection, entry: Entry) -> set[int]:
    """Under which numbers the person's versions say what the entry's says; 0 = the original design."""
    says = connection.scalar(sa.select(arena_entries.c.content_sha256).where(arena_entries.c.id == entry.entry_id))
    same = sa.select(_V.id).where(_V.user_id == entry.user_id, _V.sha256 == says)
    return {*connection.scalars(same), *((0,) if says == DESIGN.sha256 else ())}
