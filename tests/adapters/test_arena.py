"""The arena over SQL: entering is one's own act, one version is one entry, places are counted for good."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.arena import SqlArena
from lib.adapters.sql.forms.arena_book import SqlArenaBook, SqlArenaSeasons
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.tables.arena import arena_entries, arena_seasons, arena_standings
from lib.adapters.sql.tables.operating import operators
from lib.adapters.sql.tables.people import accounts, audit_events, system_settings, users
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_versions
from lib.clock import SteppedClock
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey, CycleRecord
from lib.domain.arena import DAY_MS, Entry, Rules
from lib.domain.platform_settings import ARENA
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from lib.domain.scores import BOTH_WAYS, BothWays, of_nothing
from lib.domain.strategy import Strategy, written
from lib.domain.trail import Note, TrailEvent
from lib.evidence.arena import standing_of
from lib.ports.arena import Entering, Wish
from lib.queries import Readings
from lib.queries.arena import ArenaAnswers
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore

RULES = Rules(60, 3, 2)
BEGUN = T - 5 * DAY_MS


class Scene:
    """A season, and people with a version that runs and was answered for on their paper account."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.world = engine, SqlWorld(engine, SteppedClock(T))
        self.desk, self.book, self.seasons = SqlArena(engine), SqlArenaBook(engine), SqlArenaSeasons(engine)
        assert self.seasons.begin(RULES, BEGUN) is not None

    def put(self, table: sa.Table, **values: Any) -> int:
        with self.engine.begin() as connection:
            made = connection.execute(sa.insert(table).values(values)).inserted_primary_key
        return int(made[0]) if made else 0

    async def person(self, uid: str, *, answered: bool = True) -> int:
        account = await trading_account(self.world, uid=uid, venue="paper")
        self.run(account.user_id, self.version(account.user_id, uid), T - 4 * DAY_MS)
        if answered:
            await self.answer(account, T)
        return account.user_id

    def version(self, user_id: int, says: str) -> int:
        kept = Strategy(instructions=says)
        strategy = self.put(strategies, user_id=user_id, name="mine", made_ms=T)
        whose = {"user_id": user_id, "strategy_id": strategy, "number": 1, "made_ms": T}
        return self.put(strategy_versions, **whose, content=written(kept), sha256=kept.sha256)

    def run(self, user_id: int, version_id: int, from_ms: int) -> None:
        self.put(strategy_runs, user_id=user_id, version_id=version_id, from_ms=from_ms)
        with self.engine.begin() as connection:
            mine = sa.update(users).where(users.c.id == user_id)
            connection.execute(mine.values(strategy_version_id=version_id))

    async def answer(self, account: TraderAccount, t_ms: int, model: str = "rules") -> None:
        key = CycleKey("synthetic", SYMBOL, 300, t_ms, f"{account.user_id}{t_ms}".ljust(64, "0"))
        said = make.analyst_answer(make.decision(action="buy"), model=model)
        await self.world.ledger.record_cycle(CycleRecord(key, "a secret prompt", "[]", said))
        await self.world.ledger.plan(account, key, t_ms, AccountPlan("held", text("no")))

    def score(self) -> None:
        waiting = self.world.scores.unscored(0, 99, BOTH_WAYS)
        worth = (Decimal("0.01"), Decimal("-0.012"))
        self.world.scores.keep_both([BothWays(of_nothing(one, T), *worth) for one in waiting])

    def enter(self, user_id: int, name: str, at_ms: int = T, *, house: bool = False) -> Entering:
        return self.desk.enter(Wish(name, house), note(user_id, at_ms))

    def entries(self) -> list[Entry]:
        return [one for _, one in self.book.entries()]

    def count(self, table: sa.Table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def note(user_id: int, at_ms: int = T, event: TrailEvent = TrailEvent.ARENA_ENTERED) -> Note:
    return Note(user_id, at_ms, event)


@pytest.fixture
def scene(sqlite_engine: sa.Engine) -> Iterator[Scene]:
    made = Scene(sqlite_engine)
    yield made
    made.world.close()


async def test_entering_is_a_person_s_act_with_a_place_and_a_line_of_the_trail(scene: Scene) -> None:
    kim, lee = await scene.person("1"), await scene.person("2")
    assert scene.entries() == []
    assert scene.enter(kim, "Blue Whale") is Entering.ENTERED
    assert scene.enter(lee, "blue-whale") is Entering.NAMED
    assert scene.enter(lee, "Otter") is Entering.ENTERED
    assert [(one.user_id, one.name, one.model, one.place) for one in scene.entries()] == [
        (kim, "Blue Whale", "rules", 1),
        (lee, "Otter", "rules", 2),
    ]
    with scene.engine.connect() as connection:
        told = connection.execute(sa.select(audit_events.c.user_id, audit_events.c.detail)).all()
    assert [tuple(one) for one in told] == [(kim, "Blue Whale"), (lee, "Otter")]


async def test_who_leaves_keeps_their_place_taken_and_comes_back_as_who_they_were(scene: Scene) -> None:
    kim, lee = await scene.person("1"), await scene.person("2")
    assert scene.enter(kim, "Whale") is Entering.ENTERED
    [before] = scene.entries()
    assert not scene.desk.leave(before.entry_id, note(lee)), "another's"
    assert scene.desk.leave(before.entry_id, note(kim, T + 1, TrailEvent.ARENA_LEFT))
    assert not scene.desk.leave(before.entry_id, note(kim))
    assert scene.enter(lee, "Whale") is Entering.NAMED, "nobody is taken for who left"
    assert scene.enter(kim, "Orca", T + 9 * DAY_MS) is Entering.BACK
    [after] = scene.entries()
    assert after == replace(before, name="Orca")
    season = scene.seasons.newest()
    assert season is not None
    assert season.taken == 1


async def test_the_same_words_under_another_number_are_the_same_entry_and_new_words_a_new_one(scene: Scene) -> None:
    kim = await scene.person("1")
    assert scene.enter(kim, "Whale") is Entering.ENTERED
    again, other, third = (scene.version(kim, says) for says in ("1", "other", "third"))
    scene.run(kim, again, T - DAY_MS)
    assert scene.enter(kim, "Whale") is Entering.BACK
    scene.run(kim, other, T - DAY_MS)
    assert scene.enter(kim, "Whale") is Entering.NAMED
    assert scene.enter(kim, "Orca") is Entering.ENTERED
    scene.run(kim, third, T - DAY_MS)
    assert scene.enter(kim, "Third") is Entering.EACH
    assert [(one.name, one.standing) for one in scene.entries()] == [("Whale", None), ("Orca", None)]


async def test_places_are_counted_for_good_even_when_an_account_is_deleted(scene: Scene) -> None:
    people = [await scene.person(str(number)) for number in range(1, 5)]
    assert [scene.enter(one, f"name {one}") for one in people] == [Entering.ENTERED] * 3 + [Entering.FULL]
    [gone, *_] = scene.entries()
    scene.book.keep(gone, standing_of([], gone, T, 3), T)
    assert scene.count(arena_standings) == 1
    SqlLeaving(scene.engine).leave(gone.user_id, T)
    assert [one.user_id for one in scene.entries()] == people[1:3]
    assert scene.count(arena_standings) == 0
    assert scene.enter(people[3], "late") is Entering.FULL
    scene.book.keep(gone, standing_of([], gone, T, 3), T)
    assert scene.count(arena_standings) == 0, "who left is not written down again"


async def test_who_may_not_enter(scene: Scene) -> None:
    silent = await scene.person("1", answered=False)
    assert scene.enter(silent, "Whale") is Entering.UNANSWERED
    kim = await scene.person("2")
    assert scene.enter(kim, "Whale", T + 61 * DAY_MS) is Entering.CLOSED
    with scene.engine.begin() as connection:
        connection.execute(sa.update(arena_seasons).values(rules='{"days":60,"each":9,"places":400}'))
    assert scene.enter(kim, "Whale") is Entering.CLOSED, "rules that are not the sealed ones"
    assert not scene.count(arena_entries)


async def test_a_name_is_changed_by_its_owner_alone(scene: Scene) -> None:
    kim, lee = await scene.person("1"), await scene.person("2")
    scene.enter(kim, "Whale")
    scene.enter(lee, "Otter")
    whale, _ = scene.entries()
    assert scene.desk.rename(whale.entry_id, "Orca", note(lee)) is None
    assert scene.desk.rename(whale.entry_id, "OTTER", note(kim)) is False
    assert scene.desk.rename(whale.entry_id, "whale", note(kim)) is True
    assert [one.name for one in scene.entries()] == ["whale", "Otter"]


async def test_the_house_is_an_operator_s_to_enter(scene: Scene) -> None:
    kim, lee = await scene.person("1"), await scene.person("2")
    scene.put(operators, user_id=kim, granted_by="cli", granted_ms=T)
    scene.enter(kim, "Rules", house=True)
    scene.enter(lee, "Otter", house=True)
    assert [one.house for one in scene.entries()] == [True, False]


async def test_an_entry_is_judged_by_its_own_answers_on_paper_since_its_first_day(scene: Scene) -> None:
    kim = await scene.person("1")
    scene.enter(kim, "Whale", T - 2 * DAY_MS)
    account = next(one for one in await scene.world.ledger.accounts() if one.user_id == kim)
    for t_ms, model in ((T - 3 * DAY_MS, "rules"), (T + 300_000, "other"), (T + 600_000, "rules")):
        await scene.answer(account, t_ms, model)
    scene.run(kim, scene.version(kim, "other words"), T + 900_000)
    await scene.answer(account, T + 1_200_000)
    other = await scene.person("2")
    scene.score()
    [entry] = scene.entries()
    readings = ArenaAnswers(scene.engine, MemoryCandleStore())
    found = readings.answers_of(entry, T + DAY_MS)
    assert sorted(one.t_ms for one in found) == [T, T + 600_000]
    assert {(one.side, one.long) for one in found} == {(1, Decimal("0.01"))}
    assert len(readings.answers_of(entry, T + 1)) == 1
    assert other != kim
    with scene.engine.begin() as connection:
        connection.execute(sa.update(accounts).values(venue="demo"))
    assert readings.answers_of(entry, T + DAY_MS) == []


async def test_what_is_kept_is_what_people_read_until_the_operator_closes(scene: Scene) -> None:
    kim = await scene.person("1")
    scene.enter(kim, "Whale")
    [entry] = scene.entries()
    told = standing_of([], entry, T, 3)
    scene.book.keep(entry, replace(told, days=1), T)
    scene.book.keep(entry, told, T)
    readings = Readings(scene.engine, MemoryCandleStore(), scene.world.clock)
    assert readings.arena().entries == (replace(entry, standing=told),)
    assert readings.is_arena_open()
    scene.put(system_settings, setting_key=ARENA, setting_value="no such word")
    assert readings.arena().entries == ()
    assert not readings.is_arena_open()


def test_one_season_at_a_time_and_its_end_closes_it(scene: Scene) -> None:
    assert scene.seasons.begin(RULES, T) is None
    ended = scene.seasons.end(T)
    assert ended is not None
    assert ended.until_ms <= T
    assert scene.seasons.end(T) is None
    again = scene.seasons.begin(RULES, T + 1)
    assert again is not None
    assert (again.season_id, again.taken) == (ended.season_id + 1, 0)
    with pytest.raises(ValueError, match="rules"):
        scene.seasons.begin(Rules(1, 1, 1), T)


def test_rows_that_cannot_be_read_are_no_season_and_no_standing(scene: Scene) -> None:
    with scene.engine.begin() as connection:
        connection.execute(sa.update(arena_seasons).values(rules="nothing"))
    assert scene.seasons.newest() is None
    assert scene.book.entries() == []
