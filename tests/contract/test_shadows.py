"""Shadows of people, and the book of what was asked, on every database: everybody's own, once, never a trading call."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.accounts.refusal import Refusal
from lib.accounts.shadows import MOST_LISTED, MadeShadow, ShadowDesk
from lib.accounts.web import SessionUser
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.shadow_desk import SqlShadows
from lib.adapters.sql.forms.strategy_desk import SqlStrategies
from lib.adapters.sql.ledger.shadowing import SqlShadowBook
from lib.adapters.sql.tables.people import system_settings
from lib.adapters.sql.tables.shadows import shadow_calls, shadows
from lib.adapters.sql.tables.strategies import strategy_versions
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import SHADOW, CycleKey, CycleRecord, ModelCall, shadow_of
from lib.domain.day import DAY_MS
from lib.domain.order import CYCLE_MS
from lib.domain.platform_settings import LIMIT
from lib.domain.scores import of_nothing
from lib.domain.shadow import Shadow, ShadowBudget, ShadowEnd, ShadowStake, ShadowTry, ShadowUse
from lib.domain.strategy import DESIGN
from lib.queries import OperatingReadings, Readings, ShadowDay
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import cycle_key, trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES

D = Decimal
WILD = replace(DESIGN, instructions="크게")


class Town:
    """Kim and Lee with accounts, their desk, and the book."""

    def __init__(self, engine: sa.Engine) -> None:
        self.world = SqlWorld(engine, SteppedClock(T + 4_000))
        self.engine, self.most = engine, 2
        self.kept, self.book = SqlShadows(engine), SqlShadowBook(self.world.ledger)
        self.desk = ShadowDesk(self.kept, self.world.people, None, lambda: self.most, self.world.clock)
        self.readings = Readings(engine, None, self.world.clock)

    async def person(self, name: str) -> tuple[SessionUser, TraderAccount]:
        account = await trading_account(self.world, uid=name)
        return SessionUser(account.user_id, f"{name}@example.test", "ko", proved_ms=T), account

    def version(self, user: SessionUser, content: object = WILD) -> int:
        made = SqlStrategies(self.engine).create(user.user_id, "wild", content, T, 9)  # type: ignore[arg-type]
        assert made is not None
        return made

    def added(self, user: SessionUser, version_id: int, budget: ShadowBudget | None = None) -> int:
        made = self.desk.add(user, version_id, "", budget or ShadowBudget())
        assert isinstance(made, MadeShadow)
        return made.shadow_id

    async def asked(self, key: CycleKey, cost: str, *, shadow: bool = True, owner: int = 0) -> int:
        """A call about *key*, stored; its number."""
        answer = make.analyst_answer()
        call = ModelCall("default", owner, replace(answer, cost=D(cost)))
        await self.world.ledger.record_cycle(
            CycleRecord(key, "p", "[]", answer, SHADOW if shadow else "paper", "a", calls=(call,), people=2)
        )
        found = await self.book.call_id(key)
        assert found is not None
        return found

    def rows(self, table: sa.Table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture(params=["sqlite", *AT_TIMES])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    made = Town(request.getfixturevalue(f"{request.param}_engine"))
    yield made
    made.world.close()


def turn(account: TraderAccount, shadow_id: int, t_ms: int = T, beside: int = 0) -> ShadowTry:
    return ShadowTry(shadow_id, account.user_id, account.account_id, SYMBOL, t_ms, beside)


async def test_a_shadow_is_added_stopped_started_and_removed_by_its_owner_alone(town: Town) -> None:
    (kim, _), (lee, _) = await town.person("kim"), await town.person("lee")
    number = town.added(kim, town.version(kim), ShadowBudget(5, D("0.125")))
    [line] = town.readings.shadows(kim.user_id)
    assert (line.name, line.number, line.running, line.shadow.budget.usd) == ("wild", 1, True, D("0.125"))
    assert line.shadow.content == WILD
    assert town.readings.shadows(lee.user_id) == []
    gone = Refusal("refuse.shadow.gone")
    for act in (town.desk.stop, town.desk.start, town.desk.remove):
        assert act(lee, number) == gone
    assert town.desk.set_budget(lee, number, ShadowBudget()) == gone
    assert await town.book.running([lee.user_id]) == []
    assert [one.shadow_id for one in await town.book.running([kim.user_id, lee.user_id])] == [number]
    assert town.desk.stop(kim, number) is None
    assert await town.book.running([kim.user_id]) == []
    assert town.desk.start(kim, number) is None
    assert town.desk.set_budget(kim, number, ShadowBudget(7, D(1))) is None
    assert [one.budget for one in await town.book.running([kim.user_id])] == [ShadowBudget(7, D(1))]
    assert town.desk.remove(kim, number) is None
    assert town.readings.shadows(kim.user_id) == [] == await town.book.running([kim.user_id])
    assert town.rows(shadows) == 0  # it never answered


async def test_what_says_nothing_new_or_is_not_theirs_is_refused(town: Town) -> None:
    (kim, _), (lee, _) = await town.person("kim"), await town.person("lee")
    wild = town.version(kim)
    usual = ShadowBudget()
    assert town.desk.add(kim, 0, "", usual) == Refusal("refuse.shadow.same")
    cadence = town.version(kim, replace(DESIGN, cadence_min=60, long_only=True))
    assert town.desk.add(kim, cadence, "", usual) == Refusal("refuse.shadow.same")
    assert town.desk.add(lee, wild, "", usual) == Refusal("refuse.strategy.gone")
    assert town.desk.add(kim, wild, "fast", usual) == Refusal("refuse.model.gone")
    assert town.desk.add(kim, wild, "Fast model", usual) == Refusal("refuse.model.gone")
    for odd in (ShadowBudget(0), ShadowBudget(3_000), ShadowBudget(1, D("NaN")), ShadowBudget(1, D("-1")),
                ShadowBudget(1, D("0.0000001")), ShadowBudget(1, D(101))):  # fmt: skip
        assert town.desk.add(kim, wild, "", odd) == Refusal("refuse.shadow.budget", calls=2_000, usd="100")
    guest = replace(kim, is_guest=True)
    assert town.desk.add(guest, wild, "", usual) == Refusal("refuse.guest")
    number = town.added(kim, wild)
    assert town.desk.set_budget(kim, number, ShadowBudget(0)) == Refusal("refuse.shadow.budget", calls=2_000, usd="100")
    assert town.desk.add(kim, wild, "", usual) == Refusal("refuse.shadow.twin")


async def test_no_more_run_than_the_operator_allows_and_no_more_are_listed_than_fit(town: Town) -> None:
    kim, _ = await town.person("kim")
    contents = [replace(DESIGN, instructions=f"{number}") for number in range(MOST_LISTED + 1)]
    versions = [town.version(kim, content) for content in contents[:9]]
    versions += [SqlStrategies(town.engine).create(kim.user_id, "x", one, T, 99) or 0 for one in contents[9:]]
    first, second = town.added(kim, versions[0]), town.added(kim, versions[1])
    assert town.desk.add(kim, versions[2], "", ShadowBudget()) == Refusal("refuse.shadow.most", most=2)
    assert town.desk.stop(kim, first) is None
    third = town.added(kim, versions[2])
    assert town.desk.start(kim, first) == Refusal("refuse.shadow.most", most=2)
    assert town.desk.start(kim, third) is None  # it runs
    assert [one.shadow_id for one in await town.book.running([kim.user_id])] == [second, third]
    town.most = 99
    for version in versions[3:MOST_LISTED]:
        town.added(kim, version)
    refused = town.desk.add(kim, versions[MOST_LISTED], "", ShadowBudget())
    assert refused == Refusal("refuse.shadow.listed", most=MOST_LISTED)


async def test_of_two_processes_one_writes_a_turn_down_and_its_end_is_written_once(town: Town) -> None:
    kim, account = await town.person("kim")
    number = town.added(kim, town.version(kim))
    one, other = turn(account, number), turn(account, number, T + CYCLE_MS)
    second = SqlShadowBook(town.world.another())  # type: ignore[arg-type]
    assert await town.book.claim([one, other]) == [one, other]
    assert await second.claim([one, other]) == []
    await second.drop([(one, ShadowEnd(why=codes.SHADOW_LATE()))])  # too late: it is under way
    cycle_id = await town.asked(replace(cycle_key("a"), prompt_group=shadow_of("a")), "0.5")
    await town.book.conclude([(one, ShadowEnd(cycle_id, usd=D("0.25")))])
    await second.conclude([(one, ShadowEnd(why=codes.SHADOW_LATE()))])
    await town.book.conclude([(other, ShadowEnd(why=codes.ANALYST_TIMEOUT()))])
    [line] = town.readings.shadows(kim.user_id)
    assert line.today == ShadowDay(1, 0, ((codes.ANALYST_TIMEOUT(), 1),), D("0.25"), 0)
    assert (line.today.drops, line.answered, line.scored) == (1, 1, 0)
    assert await town.book.claim([turn(account, number + 99)]) == []  # of a shadow that is gone meanwhile


async def test_what_is_used_counts_by_day_and_shared_answers_and_drops_cost_nothing(town: Town) -> None:
    kim, account = await town.person("kim")
    number = town.added(kim, town.version(kim))
    group = replace(cycle_key("a"), prompt_group=shadow_of("a"))
    cycle_id = await town.asked(group, "0.5")
    ends = [ShadowEnd(cycle_id, usd=D("0.25")), ShadowEnd(cycle_id, is_shared=True), ShadowEnd(why=codes.SHADOW_LATE())]
    ends += [ShadowEnd(cycle_id, codes.ANALYST_TIMEOUT(), D("0.5"))]
    for place, end in enumerate(ends):
        one = turn(account, number, T + place * CYCLE_MS)
        await town.book.claim([one])
        await town.book.conclude([(one, end)])
    assert await town.book.used(T) == {number: ShadowUse(2, D("0.75"))}
    assert await town.book.used(T + DAY_MS) == {}
    stake = ShadowStake(ShadowBudget(), ShadowUse(2, D("0.75")))
    assert await town.book.stakes(T) == {kim.user_id: stake}
    assert await town.book.stakes(T + DAY_MS) == {kim.user_id: replace(stake, used=ShadowUse())}
    assert await town.book.stakes(T + 2 * DAY_MS) == {}
    assert await town.book.paid(T) == ShadowUse(1, D("0.5"))
    room = OperatingReadings(town.engine, MemoryCandleStore(), town.world.clock)
    assert (room.shadow_use(), room.models(group.feed)) == (ShadowUse(1, D("0.5")), [])
    await town.asked(replace(group, prompt_group="own"), "9", owner=kim.user_id)
    assert await town.book.paid(T) == ShadowUse(2, D("0.5"))
    await town.asked(replace(group, prompt_group="traded"), "3", shadow=False)
    assert await town.book.paid(T) == ShadowUse(2, D("0.5"))
    assert await town.book.model_spent(0, "default", T) == D("3.5")
    assert await town.world.ledger.model_spent(0, "default", T) == D(3)  # a shadow uses up nothing of trading's


async def test_one_that_is_removed_and_made_anew_has_no_second_budget_of_the_day(town: Town) -> None:
    (kim, account), (lee, _) = await town.person("kim"), await town.person("lee")
    version, other = town.version(kim), town.version(kim, replace(DESIGN, system="a"))
    first, beside = town.added(kim, version), town.added(kim, other)
    cycle_id = await town.asked(replace(cycle_key("a"), prompt_group=shadow_of("a")), "1")
    await town.book.claim([turn(account, first)])
    await town.book.conclude([(turn(account, first), ShadowEnd(cycle_id, usd=D("0.5")))])
    town.world.clock.advance_to(T + 5_000)
    assert town.desk.remove(kim, first) is None
    again, hers = town.added(kim, version), town.added(lee, town.version(lee))
    used = await town.book.used(T)
    assert used == {first: ShadowUse(1, D("0.5")), again: ShadowUse(1, D("0.5"))}
    assert {beside, hers}.isdisjoint(used)
    assert await town.book.used(T + DAY_MS) == {}


async def test_a_shadows_answer_ends_no_silence_and_is_nobodys_earlier_opinion_or_newest_call(town: Town) -> None:
    key = cycle_key("a")
    failed = replace(make.analyst_answer(), failed=True)
    await town.world.ledger.record_cycle(CycleRecord(key, "p", "[]", failed, "paper", "asked"))
    other = replace(key, prompt_group=shadow_of(key.prompt_group))
    await town.world.ledger.record_cycle(
        CycleRecord(other, "p", "[]", make.analyst_answer(), SHADOW, shadow_of("asked"))
    )
    assert await town.world.ledger.analyst_failures(key.feed, key.symbol) == 1
    assert await town.world.ledger.opinions(key.feed, key.symbol, "asked", T + 1) == []
    assert len(await town.world.ledger.opinions(key.feed, key.symbol, shadow_of("asked"), T + 1)) == 1
    facts = await town.world.ledger.platform_facts(key.feed, T, "paper")
    assert facts.tokens == failed.prompt_tokens + failed.completion_tokens
    assert {one.cycle_id for one in town.world.scores.unscored(0, 9)} == {await town.book.call_id(other)}


async def test_scores_stand_beside_the_trading_versions_and_stay_when_the_shadow_is_removed(town: Town) -> None:
    (kim, account), (lee, _) = await town.person("kim"), await town.person("lee")
    version = town.version(kim)
    number = town.added(kim, version)
    beside = await town.asked(cycle_key("a"), "1", shadow=False)
    mine = await town.asked(replace(cycle_key("a"), prompt_group=shadow_of("a")), "1")
    one = turn(account, number, beside=beside)
    await town.book.claim([one])
    await town.book.conclude([(one, ShadowEnd(mine, usd=D("0.5")))])
    assert town.readings.shadow_scores(kim.user_id) == []
    worth = {mine: D("0.01"), beside: D("-0.02")}
    scored = [replace(of_nothing(opined, T), net=worth[opined.cycle_id]) for opined in town.world.scores.unscored(0, 9)]
    town.world.scores.keep(scored)
    [found] = town.readings.shadow_scores(kim.user_id)
    assert (found.shadow_id, found.version_id, found.model, found.symbol) == (number, version, "", SYMBOL)
    assert (found.net, found.beside, found.cycle_id, found.beside_id) == (D("0.01"), D("-0.02"), mine, beside)
    assert town.readings.shadow_scores(kim.user_id, since_ms=T + 1) == [] == town.readings.shadow_scores(lee.user_id)
    assert town.readings.shadows(kim.user_id)[0].scored == 1
    assert town.desk.remove(kim, number) is None
    assert town.readings.shadows(kim.user_id) == []
    assert town.readings.shadow_scores(kim.user_id) == [found]
    kept = SqlStrategies(town.engine)
    strategy_id = next(line.strategy_id for line in town.readings.strategies(kim.user_id))
    assert kept.delete(kim.user_id, strategy_id) is False  # its answers name the version


async def test_who_leaves_takes_shadows_along_and_their_answers_stay_as_calls(town: Town) -> None:
    kim, account = await town.person("kim")
    number = town.added(kim, town.version(kim))
    mine = await town.asked(replace(cycle_key("a"), prompt_group=shadow_of("a")), "1")
    one = turn(account, number)
    await town.book.claim([one])
    SqlLeaving(town.engine).leave(kim.user_id, T)
    await town.book.conclude([(one, ShadowEnd(mine))])  # it was under way
    assert (town.rows(shadows), town.rows(shadow_calls), town.rows(strategy_versions)) == (0, 0, 0)
    assert len(town.world.scores.unscored(0, 9)) == 1


async def test_one_that_cannot_be_read_leaves_out_itself_alone(town: Town) -> None:
    (kim, _), (lee, _) = await town.person("kim"), await town.person("lee")
    broken, sound = town.added(kim, version := town.version(kim)), town.added(lee, town.version(lee))
    with town.engine.begin() as connection:
        spoilt = sa.update(strategy_versions).where(strategy_versions.c.id == version).values(content="{}")
        connection.execute(spoilt)
    assert broken != sound
    found: list[Shadow] = await town.book.running([kim.user_id, lee.user_id])
    assert [one.shadow_id for one in found] == [sound]


def test_a_limit_that_cannot_be_read_lets_nobody_run_one(town: Town) -> None:
    assert town.readings.most_shadows(PlatformLimits()) == 3
    assert town.readings.most_shadows(PlatformLimits(shadows=7)) == 7
    with town.engine.begin() as connection:
        row = {"setting_key": f"{LIMIT}shadows", "setting_value": "many"}
        connection.execute(sa.insert(system_settings).values(row))
    assert town.readings.most_shadows(PlatformLimits()) == 0
