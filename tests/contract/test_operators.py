"""
Operators over SQL, on SQLite, MariaDB and MySQL: the role and its history, acts and who takes them, switches without
keys, and what the room reads: figures of everybody, and nothing that is a person's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.operator_acts import LOST_MS, SqlOperatorActs, SqlRequestedActs
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.forms.operators import SqlOperatorRoster
from lib.adapters.sql.forms.platform_book import SqlPlatformBook
from lib.adapters.sql.forms.sessions import SqlSessions
from lib.adapters.sql.forms.switchboard import SqlInvitations, SqlSwitchBoard
from lib.adapters.sql.forms.terminal_acts import SqlTerminalActs
from lib.adapters.sql.tables.people import account_symbols, accounts, audit_events, users
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import CycleKey, CycleRecord
from lib.domain.books import EquityPoint
from lib.domain.gates import FOREVER_MS
from lib.domain.operator_act import ActKind, NewAct
from lib.domain.order import OrderState
from lib.domain.platform_settings import REGISTRATION, Invites
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from lib.domain.session import NewSession
from lib.domain.switches import Flags
from lib.ports.operators import NoOperator, NoSuchSubject
from lib.queries import OperatingReadings
from lib.trading.kill_switch.operator import NoSuchAccountError, Switchman
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, submitted, trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES

BY = "cli:kim@desk"
NOW = T + 4_000


@dataclass
class Scene:
    """A database with two people, the first of whom is called an operator where a test says so."""

    world: SqlWorld
    register: SqlOperatorRegister
    acts: SqlOperatorActs
    requested: SqlRequestedActs
    readings: OperatingReadings

    @property
    def engine(self) -> sa.Engine:
        return self.world.engine

    def person(self, email: str, **values: object) -> int:
        user_id = self.world.people.add_user(email, "hash")
        if values:
            with self.engine.begin() as connection:
                connection.execute(sa.update(users).where(users.c.id == user_id).values(**values))
        return user_id

    def trail(self) -> list[tuple[str, str, str]]:
        """What everybody's trails say."""
        query = sa.select(audit_events.c.event, audit_events.c.actor, audit_events.c.detail).order_by(audit_events.c.id)
        with self.engine.connect() as connection:
            return [(event, actor, detail) for event, actor, detail in connection.execute(query)]

    def operator(self, email: str = "op@example.test") -> int:
        user_id = self.person(email)
        assert self.register.grant(email, BY)
        return user_id

    def ask(self, user_id: int, kind: ActKind = "setting", account_id: int = 0, at_ms: int = NOW) -> int:
        return self.acts.begin(NewAct(user_id, kind, account_id, {"why": "점검"}, "203.0.113.7", at_ms))


@pytest.fixture(params=["sqlite", *AT_TIMES])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    clock = SteppedClock(NOW)
    world = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), clock)
    engine = world.engine
    yield Scene(
        world,
        SqlOperatorRegister(engine, clock),
        SqlOperatorActs(engine, clock),
        SqlRequestedActs(engine, clock),
        OperatingReadings(engine, MemoryCandleStore(), clock),
    )
    world.close()


# --- the role ---------------------------------------------------------------------------------------------------------


def test_the_role_is_given_taken_and_given_again_and_its_history_stays(scene: Scene) -> None:
    user_id, roster = scene.person("kim@example.test"), SqlOperatorRoster(scene.engine)
    assert not roster.is_operator(user_id)
    assert scene.register.grant(" KIM@example.test ", BY)
    assert not scene.register.grant("kim@example.test", BY), "has it already"
    assert roster.is_operator(user_id)
    scene.world.clock.advance_to(NOW + 5)
    assert scene.register.revoke("kim@example.test", "cli:lee@desk")
    assert not scene.register.revoke("kim@example.test", BY), "does not have it"
    assert not roster.is_operator(user_id)
    [row] = scene.register.operators()
    assert (row.email, row.granted_by, row.granted_ms, row.revoked_by, row.revoked_ms) == (
        "kim@example.test", BY, NOW, "cli:lee@desk", NOW + 5,
    )  # fmt: skip
    assert scene.register.grant("kim@example.test", BY)
    assert roster.is_operator(user_id)


@pytest.mark.parametrize("values", [{"is_guest": True}, {"is_demo": True}])
def test_guests_and_the_demo_person_are_no_operators(scene: Scene, values: dict[str, bool]) -> None:
    scene.person("odd@example.test", **values)
    for email in ("odd@example.test", "nobody@example.test"):
        with pytest.raises(NoOperator):
            scene.register.grant(email, BY)


def test_who_is_deleted_is_no_operator_any_more(scene: Scene) -> None:
    user_id = scene.operator()
    scene.world.delete_user(user_id)
    assert not SqlOperatorRoster(scene.engine).is_operator(user_id)
    with pytest.raises(NoOperator):
        scene.ask(user_id)


# --- acts -------------------------------------------------------------------------------------------------------------


def test_an_act_is_stored_whole_and_what_became_of_it_is_written_once(scene: Scene) -> None:
    user_id = scene.operator()
    act = scene.ask(user_id, "stop")
    [before] = scene.readings.acts()
    assert (before.email, before.kind, before.account_id, before.origin) == (
        "op@example.test",
        "stop",
        0,
        "203.0.113.7",
    )
    assert (dict(before.args), before.asked_ms, before.done_ms) == ({"why": "점검"}, NOW, 0)
    scene.acts.end(act, codes.OPERATOR_DONE())
    scene.acts.end(act, codes.OPERATOR_NO_MORE())
    [after] = scene.readings.acts()
    assert (after.result, after.done_ms) == (codes.OPERATOR_DONE(), NOW)


def test_nobody_else_stores_an_act_and_none_is_about_an_account_that_is_not_there(scene: Scene) -> None:
    with pytest.raises(NoOperator):
        scene.ask(scene.person("lee@example.test"))
    with pytest.raises(NoSuchSubject):
        scene.ask(scene.operator(), "stop", account_id=99)
    assert scene.readings.acts() == []


async def test_a_terminals_act_is_its_own_and_no_traders(scene: Scene) -> None:
    acts = SqlTerminalActs(scene.engine, scene.world.clock)
    args = {"setting": "registration", "value": "closed"}
    act = acts.begin(NewAct(0, "setting", 0, args, "", NOW, "cli:kim@desk"))
    assert not await scene.requested.waiting()
    assert await scene.requested.take(NOW) == []
    with pytest.raises(NoSuchSubject):
        acts.begin(NewAct(0, "stop", 99, {}, "", NOW, "cli:kim@desk"))
    acts.end(act, codes.OPERATOR_DONE())
    [row] = scene.readings.acts()
    assert (row.user_id, row.email, row.who, dict(row.args)) == (0, "", "cli:kim@desk", args)
    assert (row.done_ms, row.result) == (NOW, codes.OPERATOR_DONE())


async def test_the_trader_takes_what_waits_for_it_once_and_in_order(scene: Scene) -> None:
    user_id = scene.operator()
    scene.ask(user_id, "stop")
    assert not await scene.requested.waiting()
    first, second = scene.ask(user_id, "setting"), scene.ask(user_id, "settle")
    assert await scene.requested.waiting()
    taken = await scene.requested.take(NOW)
    assert [(act.id, act.kind, act.who, dict(act.args)) for act in taken] == [
        (first, "setting", f"operator:{user_id}", {"why": "점검"}),
        (second, "settle", f"operator:{user_id}", {"why": "점검"}),
    ]
    assert await scene.requested.take(NOW) == []
    await scene.requested.done(first, codes.SETTING_UNCHANGED())
    assert await scene.requested.take(NOW + LOST_MS + 1) == []
    assert [act.result for act in scene.readings.acts()[:2]] == [
        codes.COMMAND_INTERRUPTED(), codes.SETTING_UNCHANGED()
    ]  # fmt: skip
    assert not await scene.requested.waiting()


async def test_what_was_asked_before_the_role_was_taken_is_not_carried_out(scene: Scene) -> None:
    scene.ask(scene.operator())
    scene.register.revoke("op@example.test", BY)
    assert await scene.requested.take(NOW) == []
    assert scene.readings.acts()[0].result == codes.OPERATOR_NO_MORE()


# --- switches without keys --------------------------------------------------------------------------------------------


async def test_the_board_throws_what_the_ledger_throws_and_reads_no_key(scene: Scene) -> None:
    account = await trading_account(scene.world)
    board = SqlSwitchBoard(scene.engine, scene.world.clock)
    man = Switchman(board, "operator:7")
    await man.stop(account.account_id)
    [mine] = await scene.world.ledger.accounts()
    assert (mine.trading_enabled, mine.paused_by, mine.switched_ms) == (False, "operator", NOW)
    [seen] = await board.accounts()
    assert not hasattr(seen, "sealed_key")
    assert scene.trail() == [("paused", "operator", "")]
    await man.flatten(0)
    assert await scene.world.ledger.flags() == await board.flags()
    assert (await board.flags()).flatten
    await man.resume(0)
    assert (await board.flags()).trading_enabled
    with pytest.raises(NoSuchAccountError):
        await man.stop(99)


async def test_the_board_ends_a_lock(scene: Scene) -> None:
    account = await trading_account(scene.world)
    await scene.world.ledger.lock(account.account_id, "drawdown", FOREVER_MS, text("fell"))
    await scene.world.ledger.lock(0, "daily_loss", NOW + 60_000, text("lost"))
    assert [(one.email, one.lock.kind) for one in scene.readings.held_locks()] == [
        ("", "daily_loss"), ("uid-1@example.test", "drawdown")
    ]  # fmt: skip
    man = Switchman(SqlSwitchBoard(scene.engine, scene.world.clock), "operator:7")
    assert await man.unlock(account.account_id, "drawdown")
    assert await man.unlock(0, "daily_loss")
    assert not await man.unlock(0, "daily_loss")
    assert scene.trail() == [("lock_ended", "operator", "drawdown")]
    assert scene.readings.held_locks() == []


def test_invitations_are_counted(scene: Scene) -> None:
    invitations = SqlInvitations(scene.engine, scene.world.clock)
    invitations.add(["a" * 64, "b" * 64], NOW + 5, "operator:7")
    assert scene.readings.invites() == Invites(2, 0, 0)
    scene.world.clock.advance_to(NOW + 5)
    assert scene.readings.invites() == Invites(0, 0, 2)


# --- what is read -----------------------------------------------------------------------------------------------------


async def test_people_are_found_by_their_email_page_by_page_and_the_deleted_are_not(scene: Scene) -> None:
    ids = [scene.person(f"person{number}@example.test") for number in range(5)]
    scene.person("gone@example.test", deleted_at=None)
    scene.world.delete_user(scene.person("deleted@example.test"))
    scene.person("guest-1@maemae.local", is_guest=True)
    first = scene.readings.people(limit=3)
    assert (first.total, [row.email for row in first.rows][:2]) == (6, ["gone@example.test", "person4@example.test"])
    rest = scene.readings.people(limit=3, before=first.older)
    assert [row.user_id for row in (*first.rows, *rest.rows)][1:] == ids[::-1]
    assert rest.older == 0
    assert [row.email for row in scene.readings.people("PERSON3").rows] == ["person3@example.test"]
    assert scene.readings.people("%").rows == ()
    assert scene.readings.people(guests=True).total == 7


async def test_a_person_is_their_figures_and_the_call_they_shared_counts_in_parts(scene: Scene) -> None:
    one, other = [await trading_account(scene.world, uid=uid) for uid in ("uid-1", "uid-2")]
    key = CycleKey("synthetic", SYMBOL, 300, T, "g" * 64)
    answer = replace(make.analyst_answer(), prompt_tokens=900, completion_tokens=100, cost=Decimal("0.5"), model="m1")
    await scene.world.ledger.record_cycle(CycleRecord(key, "a prompt nobody else reads", "[]", answer))
    for account in (one, other):
        await scene.world.ledger.plan(account, key, T, AccountPlan("held", text("quiet")))
    point = EquityPoint(one.account_id, T, Decimal(10_100), Decimal(10_250), Decimal(0))
    await scene.world.ledger.record_equity(point)
    with scene.engine.begin() as connection:
        day = sa.text("UPDATE trade_logs SET executed_at = :at")
        connection.execute(day, {"at": make_day(NOW)})
    found = scene.readings.person(one.user_id)
    assert found is not None
    assert (found.equity, found.pnl) == (Decimal(10_250), Decimal(250))
    assert (found.spend.calls, found.spend.tokens, found.spend.cost) == (Decimal("0.5"), Decimal(500), Decimal("0.25"))
    assert found.standing is not None
    assert found.standing.state == "on"
    [newcomer] = [row for row in scene.readings.people().rows if row.user_id == other.user_id]
    assert (newcomer.equity, newcomer.pnl) == (Decimal(10_000), Decimal(0))
    [model] = scene.readings.models("synthetic")
    assert {(row.user_id, row.model, row.spend.tokens) for row in scene.readings.spenders("synthetic")} == {
        (one.user_id, "m1", Decimal(500)), (other.user_id, "m1", Decimal(500))
    }  # fmt: skip
    assert (model.model, model.calls, model.failed, model.cost) == ("m1", 1, 0, Decimal("0.5"))
    assert "prompt nobody else reads" not in repr((scene.readings.people(), found, model))
    assert "sealed" not in repr(scene.readings.people())


def make_day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.000000")


async def test_when_a_person_was_last_seen_is_their_own_session_not_a_visitors(scene: Scene) -> None:
    user_id = scene.person("kim@example.test")
    sessions = SqlSessions(scene.engine)
    sessions.open(NewSession("a" * 64, user_id, False, "203.0.113.7", "x", NOW - 60_000))
    sessions.open(NewSession("b" * 64, user_id, True, "203.0.113.7", "x", NOW))
    found = scene.readings.person(user_id)
    assert found is not None
    assert (found.last_seen_ms, found.standing, found.equity) == (NOW - 60_000, None, None)


async def test_the_overview_counts_and_stopped_is_said_of_a_proof_alone(scene: Scene) -> None:
    _, order = await submitted(scene.world)
    ledger = scene.world.ledger
    with scene.engine.begin() as connection:
        connection.execute(sa.update(account_symbols).values(position_qty=Decimal("0.01")))
    await ledger.set_flags(Flags(False, flatten=True), BY)
    seen = scene.readings.overview()
    assert (seen.accounts, seen.auto_trading, seen.holding, seen.open_count) == (1, 1, 1, 1)
    assert [row.id for row in seen.open_rows] == [order.id]
    assert seen.trader_alive
    assert not seen.is_proved
    await ledger.prove_stopped(0, seen.switches.switched_ms, NOW + 20_000)
    assert not scene.readings.overview().is_proved, "an order is open again"
    with scene.engine.begin() as connection:
        connection.execute(sa.text("UPDATE orders SET state = 'FILLED'"))
    assert scene.readings.overview().is_proved


async def test_what_a_person_must_look_at_is_found(scene: Scene) -> None:
    account, order = await submitted(scene.world, BUY)
    ledger = scene.world.ledger
    with scene.engine.begin() as connection:
        connection.execute(sa.text("UPDATE orders SET state = :state"), {"state": OrderState.NEEDS_HUMAN.value})
        connection.execute(sa.update(accounts).values(difference=Decimal("1.5"), checked_ms=NOW))
    await ledger.lock(account.account_id, "external", NOW + 86_400_000, text("another hand"))
    [(row, email)] = scene.readings.needs_human()
    assert (row.order_link_id, email) == (order.order_link_id, "uid-1@example.test")
    [hand] = scene.readings.externals()
    assert (hand.email, hand.lock.kind, hand.ended_by) == ("uid-1@example.test", "external", "")
    [differing] = scene.readings.differing()
    assert (differing.difference, differing.email) == (Decimal("1.5"), "uid-1@example.test")


def test_settings_and_their_trail_are_read(scene: Scene) -> None:
    SqlPlatformBook(scene.engine, scene.world.clock).change(REGISTRATION, "invite", "operator:7", "full")
    assert scene.readings.setting_rows() == {REGISTRATION: "invite"}
    [change] = scene.readings.setting_changes()
    assert (change.after, change.who, change.why) == ("invite", "operator:7", "full")
