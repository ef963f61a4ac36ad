"""The lowest step over SQL: stretches on paper are a set of their own, and demo trading waits for them."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.stretches import SqlStretches
from lib.adapters.sql.ledger.stretches import stretches_of
from lib.adapters.sql.tables.people import accounts, audit_events, users
from lib.adapters.sql.tables.stretches import demo_overrides, stretch_marks, stretches
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.real_money import RealGate, standings
from lib.domain.reason import NOTHING, Code, Reason
from lib.domain.stretch import OVERRIDE_LIFE_MS, Criteria, Step
from lib.domain.trail import Note, TrailEvent
from lib.ports.people import EvidenceLacking
from lib.queries.demo_step import DemoStanding, DemoStepReadings
from tests.adapters.test_real_money import ready
from tests.contract.ledger_worlds import SqlWorld
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore
from tests.worlds.real_rows import evidenced

D = Decimal
CRITERIA = Criteria("rules", 14, 100, 1)


class Person:
    """One, with a paper account at the prices of *feed* and then one in demo trading."""

    def __init__(self, engine: sa.Engine, feed: str = "bybit") -> None:
        self.engine, self.people, self.desk = engine, SqlAccounts(engine), SqlStretches(engine)
        self.user_id = self.people.add_user("kim@example.test", "hash")
        self.paper = self.account("paper", "p", feed)

    def account(self, venue: Venue, uid: str, feed: str = "bybit") -> int:
        new = NewAccount(self.user_id, venue, feed, uid, SYMBOL, "sealed", "1234", 1, D(100), 0)
        return self.people.add_account(new)

    def begins(self, account_id: int, step: Step = Step.DEMO) -> bool:
        return self.desk.ask(account_id, CRITERIA, Note(self.user_id, T, TrailEvent.STRETCH_ASKED), step)

    def does_without(self, at_ms: int = T) -> bool:
        return self.desk.demo_without(Note(self.user_id, at_ms, TrailEvent.DEMO_OVERRIDDEN))

    def refused(self, now_ms: int = T) -> Reason:
        """Why auto-trading is not switched on, which is off; `NOTHING` = it was, and is off again."""
        try:
            self.people.set_auto_trade(self.user_id, True, now_ms)
        except EvidenceLacking as lacking:
            return lacking.why
        self.people.set_auto_trade(self.user_id, False, now_ms)
        return NOTHING

    def change(self, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    def standing(self, now_ms: int = T) -> DemoStanding | None:
        return DemoStepReadings(self.engine, MemoryCandleStore(), SteppedClock(now_ms)).demo_step(self.user_id, now_ms)

    def count(self, step: Step) -> int:
        with self.engine.connect() as connection:
            return len(stretches_of(connection, self.user_id, step))


@pytest.fixture
def kim(sqlite_engine: sa.Engine) -> Person:
    return Person(sqlite_engine)


@pytest.fixture
def world(sqlite_engine: sa.Engine) -> Iterator[SqlWorld]:
    made = SqlWorld(sqlite_engine, SteppedClock(T + 4_000))
    yield made
    made.close()


def test_demo_trading_is_switched_on_by_a_stretch_on_paper_of_the_version_that_runs(kim: Person) -> None:
    assert kim.refused() == NOTHING, "paper waits for nothing"
    kim.account("demo", "d")
    assert kim.refused() == codes.DEMO_STRETCH_LACKING()
    evidenced(kim.engine, kim.user_id, kim.paper, T)
    assert kim.refused() == NOTHING
    kim.change(sa.update(stretches).values(version_id=7))
    assert kim.refused() == codes.DEMO_STRETCH_LACKING()


@pytest.mark.parametrize(
    ("taken", "code"),
    [
        (sa.delete(stretch_marks), codes.REAL_STRETCH_UNSEALED),
        (sa.delete(stretch_marks).where(stretch_marks.c.kind == "ended"), codes.REAL_STRETCH_RUNNING),
        (sa.update(stretch_marks).values(measured="{}"), codes.DEMO_STRETCH_UNREADABLE),
        (sa.update(accounts).where(accounts.c.venue == "paper").values(feed="synthetic"), codes.DEMO_STRETCH_LACKING),
        (sa.update(accounts).where(accounts.c.venue == "paper").values(venue="testnet"), codes.DEMO_STRETCH_LACKING),
    ],
)
def test_a_stretch_that_is_not_as_it_was_or_was_not_on_real_prices_opens_nothing(
    kim: Person, taken: sa.Executable, code: Code
) -> None:
    kim.account("demo", "d")
    evidenced(kim.engine, kim.user_id, kim.paper, T)
    kim.change(taken)
    assert code.is_of(kim.refused())


def test_what_is_on_stays_on_and_off_is_never_refused(kim: Person) -> None:
    """Whoever traded before there was a step goes on; asked is who switches on."""
    kim.account("demo", "d")
    kim.change(sa.update(users).values(auto_trade_enabled=True, auto_trade_since_ms=7))
    kim.people.set_auto_trade(kim.user_id, True, T)
    with kim.engine.connect() as connection:
        assert connection.scalar(sa.select(users.c.auto_trade_since_ms)) == 7
    kim.people.set_auto_trade(kim.user_id, False, T)
    assert kim.refused() == codes.DEMO_STRETCH_LACKING()
    with kim.engine.connect() as connection:
        assert not connection.scalar(sa.select(users.c.auto_trade_enabled))


def test_who_does_without_is_let_on_for_a_week_with_that_account_and_version_and_it_is_in_the_trail(
    kim: Person,
) -> None:
    assert not kim.does_without(), "paper waits for nothing"
    kim.account("demo", "d")
    assert kim.does_without()
    assert kim.refused(T + OVERRIDE_LIFE_MS) == NOTHING
    assert kim.refused(T + OVERRIDE_LIFE_MS + 1) == codes.DEMO_STRETCH_LACKING()
    with kim.engine.connect() as connection:
        assert TrailEvent.DEMO_OVERRIDDEN.value in connection.scalars(sa.select(audit_events.c.event)).all()
    for other in ({"version_id": 3}, {"version_id": 0, "account_id": kim.paper}):
        kim.change(sa.update(demo_overrides).values(other))
        assert kim.refused() == codes.DEMO_STRETCH_LACKING()


def test_what_another_person_did_without_lets_nobody_else_on(kim: Person) -> None:
    kim.account("demo", "d")
    assert kim.does_without()
    other = kim.people.add_user("lee@example.test", "hash")
    kim.change(sa.update(demo_overrides).values(user_id=other))
    assert kim.refused() == codes.DEMO_STRETCH_LACKING()


def test_a_stretch_on_paper_is_begun_at_real_prices_alone(sqlite_engine: sa.Engine) -> None:
    lee = Person(sqlite_engine, "synthetic")
    assert not lee.begins(lee.paper)
    stand = lee.standing()
    assert stand is not None
    assert (stand.waits, stand.can_learn, stand.why) == (False, False, codes.DEMO_STRETCH_LACKING())


def test_the_stretches_of_a_step_are_neither_begun_nor_counted_as_the_others(kim: Person) -> None:
    assert not kim.begins(kim.paper, Step.REAL)
    assert kim.begins(kim.paper)
    assert not kim.begins(kim.paper), "one of an account at a time"
    demo = kim.account("demo", "d")
    assert not kim.begins(demo, Step.DEMO)
    assert kim.begins(demo, Step.REAL)
    assert (kim.count(Step.DEMO), kim.count(Step.REAL)) == (1, 1)
    with kim.engine.connect() as connection:
        for step in Step:
            assert stretches_of(connection, kim.user_id, step)[0].criteria.tries == 1


async def test_a_stretch_on_paper_opens_nothing_before_real_money(world: SqlWorld) -> None:
    account = await ready(world)
    assert await evidence_gate(world, account) == NOTHING
    rehearsed = {stretch.account_id for stretch in (await world.ledger.real_money(account.slot)).stretches}
    with world.engine.begin() as connection:
        on_paper = {"venue": "paper", "feed": "bybit"}
        connection.execute(sa.update(accounts).where(accounts.c.id.in_(rehearsed)).values(on_paper))
        assert stretches_of(connection, account.user_id, Step.DEMO)
    assert await evidence_gate(world, account) == codes.REAL_STRETCH_LACKING()


async def evidence_gate(world: SqlWorld, account: TraderAccount) -> Reason:
    """Why the gate of evidence before real money is closed."""
    found = standings(await world.ledger.real_money(account.slot))
    return next(each.why for each in found if each.gate is RealGate.EVIDENCE)


def test_the_page_reads_what_the_switch_judges(kim: Person) -> None:
    assert kim.begins(kim.paper)
    stand = kim.standing()
    assert stand is not None
    assert (stand.venue, stand.can_learn, len(stand.stretches), stand.is_on) == ("paper", True, 1, False)
    kim.account("demo", "d")
    stand = kim.standing()
    assert stand is not None
    assert (stand.venue, stand.can_learn, stand.why) == ("demo", False, kim.refused())
    assert kim.does_without()
    stand = kim.standing()
    assert stand is not None
    assert (stand.why, stand.overridden_until_ms) == (NOTHING, T + OVERRIDE_LIFE_MS)
    kim.account("testnet", "t")
    assert kim.standing() is None
    kim.change(sa.update(accounts).values(active=False))
    assert kim.standing() is None
