"""
The rights of the web's database user are enough for what the web does, and too few to open a gate before real money,
make an operator or raise a limit.
"""

import re
from asyncio import to_thread
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.accounts.web import SessionUser
from lib.adapters.sql.archive.expired import free_uids_of_leavers
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.rights import TOO_MUCH, refuse_too_much, too_much
from lib.adapters.sql.database.schema import check_schema
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.operator_acts import SqlOperatorActs
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.forms.operators import SqlOperatorRoster
from lib.adapters.sql.forms.real_consents import SqlRealConsents
from lib.adapters.sql.forms.switchboard import SqlInvitations, SqlSwitchBoard
from lib.adapters.sql.tables.models import metadata
from lib.adapters.sql.tables.people import accounts
from lib.bootstrap.examining import _rights
from lib.clock import SteppedClock, SystemClock
from lib.domain.account import AccountSettings, PlatformLimits, RiskLevel
from lib.domain.account_records import NewAccount
from lib.domain.errors import Halt
from lib.domain.gates import FOREVER_MS
from lib.domain.reason import text
from lib.domain.trail import Note, TrailEvent
from lib.queries import OperatingReadings
from lib.settings import load
from lib.trading.operators_room import Invited, OperatorsRoom, RoomPorts
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import SYMBOL, T
from tests.fakes.market import MemoryCandleStore

GRANTS = Path(__file__).resolve().parents[2] / "db" / "web_grants.sql"
FORBIDDEN = (
    "INSERT INTO operators (user_id, granted_by) VALUES (1, 'nobody')",
    "UPDATE operators SET revoked_ms = 0",
    "INSERT INTO system_settings (setting_key, setting_value) VALUES ('platform:limit:max_exposure', '999999999')",
    "UPDATE setting_changes SET why = ''",
    "DELETE FROM operator_acts",
    "UPDATE orders SET state = 'FILLED'",
    "INSERT INTO real_caps (accounts, equity, positions, a_day, who) VALUES (9, 9, 9, 9, 'nobody')",
    "UPDATE real_caps SET equity = 999999",
    "INSERT INTO preflight_runs (venue, uid, host, version, symbol, cards, evidence) "
    "VALUES ('demo', '1', 'api-demo.bybit.com', '0.1.0', 'BTCUSDT', '{}', '')",
    "UPDATE preflight_runs SET started_ms = 0",
    "DELETE FROM preflight_runs",
    "DELETE FROM real_caps",
    "INSERT INTO stretch_marks (stretch_id, kind, seal) VALUES (1, 'begun', '')",
    "UPDATE stretch_marks SET measured = ''",
    "DELETE FROM stretch_marks",
    "UPDATE stretches SET criteria = '{}'",
    "UPDATE stretch_overrides SET given_ms = 0",
    "UPDATE demo_overrides SET given_ms = 0",
    "UPDATE accounts SET venue = 'paper'",
    "UPDATE accounts SET uid = '10000001'",
    "UPDATE accounts SET user_id = 1",
    "UPDATE account_symbols SET position_qty = 0",
    "UPDATE equity_points SET difference = 0",
    "UPDATE real_consents SET account_id = 1",
    "INSERT INTO arena_seasons (begun_ms, rules, seal) VALUES (1, '{}', '')",
    "UPDATE arena_seasons SET rules = '{}'",
    "UPDATE arena_seasons SET ended_ms = 1",
    "DELETE FROM arena_seasons",
    "INSERT INTO arena_standings (entry_id, user_id, figures, kept_ms) VALUES (1, 1, '{}', 1)",
    "UPDATE arena_standings SET figures = '{}'",
    "UPDATE arena_entries SET content_sha256 = ''",
    "UPDATE arena_entries SET entered_ms = 0",
    "UPDATE arena_entries SET place = 1",
)


@pytest.fixture
def admin(server_engine: sa.Engine) -> sa.Engine:
    return server_engine


@pytest.fixture
def web(admin: sa.Engine, request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The database as a user with the rights of db/web_grants.sql alone."""
    here = sa.make_url(request.getfixturevalue(f"{request.node.callspec.params['server_engine']}_url"))
    lines = [line for line in GRANTS.read_text("utf-8").splitlines() if line.startswith("GRANT")]
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE USER web@localhost IDENTIFIED BY 's3cret'")
        for line in lines:
            rights, table = re.fullmatch(r"GRANT ([A-Z_a-z, ()]+) ON (\w+) TO web;", line).groups()  # type: ignore[union-attr]
            connection.exec_driver_sql(f"GRANT {rights} ON `{here.database}`.{table} TO web@localhost")
    engine = make_engine(here.set(username="web", password="s3cret").render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP USER web@localhost")


@pytest.mark.server
def test_a_web_with_these_rights_alone_starts(web: sa.Engine) -> None:
    check_schema(web)
    refuse_too_much(web)


@pytest.mark.server
async def test_the_webs_rights_are_enough_for_the_room_and_for_nothing_more(admin: sa.Engine, web: sa.Engine) -> None:
    world = SqlWorld(admin, SteppedClock(T + 4_000))
    account = await trading_account(world)
    await world.ledger.lock(account.account_id, "drawdown", FOREVER_MS, text("fell"))
    user_id = world.people.add_user("op@example.test", "hash")
    SqlOperatorRegister(admin).grant("op@example.test", "the test")
    clock = SystemClock()
    user = SessionUser(user_id, "op@example.test", "ko", proved_ms=clock.now_ms())
    room = OperatorsRoom(
        RoomPorts(
            SqlOperatorRoster(web), SqlOperatorActs(web, clock), SqlSwitchBoard(web), SqlInvitations(web), clock,
            PlatformLimits(),
        )
    )  # fmt: skip
    number = account.account_id

    def everything() -> list[object]:
        done: list[object] = [
            room.stop(user, number), room.flatten(user, number), room.resume(user, number),
            room.stop(user, 0), room.flatten(user, 0), room.resume(user, 0),
            room.unlock(user, number, "drawdown", "checked"),
            room.settle(user, "mm-1", "ABSENT", "seen"), room.choose(user, "guests", "closed", "full"),
        ]  # fmt: skip
        assert isinstance(room.invite(user, 2, 3), Invited)
        readings = OperatingReadings(web, MemoryCandleStore(), clock)
        read = (
            readings.overview, readings.held_locks, readings.needs_human, readings.externals, readings.differing,
            readings.setting_rows, readings.invites, readings.setting_changes, readings.acts, readings.operators,
            readings.people,
        )  # fmt: skip
        for look in read:
            look()
        readings.account_standing(number), readings.person(user_id), readings.audited(1_000)
        readings.models("synthetic"), readings.spenders("synthetic")
        return done

    assert await to_thread(everything) == [None] * 9
    for statement in FORBIDDEN:
        with web.connect() as connection, pytest.raises((sa.exc.OperationalError, sa.exc.ProgrammingError, Halt)) as no:
            connection.exec_driver_sql(statement)
        assert "1142" in str(no.value) or "1143" in str(no.value), statement
    world.close()


@pytest.mark.server
def test_the_webs_rights_are_enough_for_what_people_do(admin: sa.Engine, web: sa.Engine) -> None:
    clock = SteppedClock(T)
    people, keyring = SqlAccounts(web), SqlKeyring(web, clock)
    user_id = people.add_user("kim@example.test", "hash")
    people.change_settings(user_id, AccountSettings(risk_level=RiskLevel.LOW))
    new = NewAccount(user_id, "mainnet", "bybit", "10000001", SYMBOL, "sealed", "1234", 1, Decimal(100), T)
    account_id = keyring.put(new)
    keyring.put(replace(new, key_version=2))
    people.set_auto_trade(user_id, True, T)
    consents = SqlRealConsents(web)
    assert consents.give(account_id, Note(user_id, T, TrailEvent.REAL_CONSENTED))
    assert consents.withdraw(Note(user_id, T, TrailEvent.REAL_WITHDRAWN))
    assert keyring.set_trading(user_id, False)
    assert keyring.flatten(user_id)
    SqlLeaving(web).leave(user_id, T)
    with web.connect() as connection:
        assert connection.scalar(sa.select(accounts.c.uid)) == "10000001", "the web may not relabel it"
    with admin.begin() as connection:
        free_uids_of_leavers(connection)
        assert connection.scalar(sa.select(accounts.c.uid)) == f"gone-{account_id}", "the archive does"


@pytest.mark.server
def test_a_web_beside_real_money_starts_with_no_rights_but_these(admin: sa.Engine, web: sa.Engine) -> None:
    assert too_much(web) == []
    refuse_too_much(web)
    assert too_much(admin) == list(TOO_MUCH)
    with pytest.raises(Halt, match="VENUES=mainnet is refused: the web's database user may write preflight_runs"):
        refuse_too_much(admin)


@pytest.mark.server
def test_the_doctor_names_each_right_too_many_and_operators_without_a_second_factor(
    admin: sa.Engine, web: sa.Engine
) -> None:
    here = load({"FEED": "bybit", "VENUES": "mainnet", "DATABASE_URL": "mysql://web@127.0.0.1/maemae"})
    assert list(_rights(here, web)) == []
    found = [each.what for each in _rights(here, admin)]
    assert found == [f"real money: the web's database user may {one}" for one in TOO_MUCH]
    SqlAccounts(admin).add_user("op@example.test", "hash")
    SqlOperatorRegister(admin).grant("op@example.test", "the test")
    [bare] = _rights(here, web)
    assert bare.level == "wrong"
    assert "1 operators have no second factor" in bare.what


def test_every_table_is_named_and_nobody_is_let_to_write_what_a_gate_is_judged_by() -> None:
    granted = re.findall(r"^GRANT .+ ON (\w+) TO web;$", GRANTS.read_text("utf-8"), re.MULTILINE)
    assert set(granted) == {table.name for table in metadata.sorted_tables} | {"alembic_version"}


def test_on_sqlite_there_is_nobody_to_keep_out(sqlite_engine: sa.Engine) -> None:
    assert too_much(sqlite_engine) == list(TOO_MUCH)
