"""The rights the runbook names are enough for the operators' room, and too few to make an operator or raise a limit."""

import re
from asyncio import to_thread
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.accounts.web import SessionUser
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.schema import migrate
from lib.adapters.sql.forms.operator_acts import SqlOperatorActs
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from lib.adapters.sql.forms.operators import SqlOperatorRoster
from lib.adapters.sql.forms.switchboard import SqlInvitations, SqlSwitchBoard
from lib.clock import SteppedClock, SystemClock
from lib.domain.account import PlatformLimits
from lib.domain.errors import Halt
from lib.domain.gates import FOREVER_MS
from lib.domain.reason import text
from lib.queries import OperatingReadings
from lib.trading.operators_room import Invited, OperatorsRoom, RoomPorts
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import T
from tests.fakes.market import MemoryCandleStore

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbooks" / "operators.md"
FORBIDDEN = (
    "INSERT INTO operators (user_id, granted_by) VALUES (1, 'nobody')",
    "UPDATE operators SET revoked_ms = 0",
    "INSERT INTO system_settings (setting_key, setting_value) VALUES ('platform:limit:max_exposure', '999999999')",
    "UPDATE setting_changes SET why = ''",
    "DELETE FROM operator_acts",
    "SELECT sealed FROM credentials",
    "UPDATE orders SET state = 'FILLED'",
    "INSERT INTO real_caps (accounts, equity, positions, a_day, who) VALUES (9, 9, 9, 9, 'nobody')",
    "UPDATE real_caps SET equity = 999999",
    "INSERT INTO preflight_runs (venue, uid, host, version, symbol, cards, evidence) "
    "VALUES ('demo', '1', 'api-demo.bybit.com', '0.1.0', 'BTCUSDT', '{}', '')",
    "UPDATE preflight_runs SET started_ms = 0",
)


@pytest.fixture
def admin(new_database: str) -> Iterator[sa.Engine]:
    engine = make_engine(new_database)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def web(admin: sa.Engine, new_database: str) -> Iterator[sa.Engine]:
    """The database as a user with the runbook's rights alone."""
    here = sa.make_url(new_database)
    found = re.search(r"<!-- rights -->\s*```sql\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE USER web@localhost IDENTIFIED BY 's3cret'")
        for line in found[1].strip().splitlines():
            rights, table = re.fullmatch(r"GRANT ([A-Z, ]+) ON (\w+) TO web;", line).groups()  # type: ignore[union-attr]
            connection.exec_driver_sql(f"GRANT {rights} ON `{here.database}`.{table} TO web@localhost")
    engine = make_engine(here.set(username="web", password="s3cret").render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP USER web@localhost")


@pytest.mark.server
async def test_the_rights_of_the_runbook_are_enough_for_the_room_and_for_nothing_more(
    admin: sa.Engine, web: sa.Engine
) -> None:
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
