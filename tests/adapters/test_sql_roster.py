"""Who there is to trade for, over SQL: one unreadable row is its owner's trouble alone; every door dates its switch."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.clock import SteppedClock
from lib.domain.account import AccountSettings, Limits
from lib.domain.account_records import NewAccount
from lib.domain.reason import text
from lib.domain.session import IDLE_MS, NewSession
from lib.domain.stored_reason import parse
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import submitted, trading_account
from tests.factories import SYMBOL, T
from tests.servers import SERVERS

NOW = T + 4_000


@pytest.fixture(params=["sqlite", *SERVERS])
def world(request: pytest.FixtureRequest) -> Iterator[SqlWorld]:
    made = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), SteppedClock(NOW))
    yield made
    made.close()


def spoil(world: SqlWorld, user_id: int, column: str, value: str) -> None:
    """Write what no form writes, past the column's type."""
    statement = sa.text(f"UPDATE users SET {column} = :value WHERE id = :id")  # noqa: S608 - our own names
    with world.engine.begin() as connection:
        connection.execute(statement, {"value": value, "id": user_id})


SPOILED = {
    "a list": '["daily_loss"]',
    "text": '"daily_loss"',
    "a number": "5",
    "a float": '{"daily_loss": 0.05}',
    "not a number": '{"daily_loss": "NaN"}',
    "no end": '{"daily_loss": "Infinity"}',
    "negative": '{"daily_loss": "-0.05"}',
    "words": '{"entries_per_day": "many"}',
    "nothing": '{"entries_per_day": null}',
    "deep": "[" * 20 + "]" * 20,
}


def errors(caplog: pytest.LogCaptureFixture) -> int:
    return [record.message for record in caplog.records].count("settings.unreadable")


@pytest.mark.parametrize("stored", SPOILED)
async def test_limits_that_cannot_be_read_cost_their_own_account_alone(world: SqlWorld, stored: str) -> None:
    spoiled, fine = await trading_account(world), await trading_account(world, uid="uid-2")
    world.people.change_settings(fine.user_id, make.settings(max_leverage=3))
    spoil(world, spoiled.user_id, "limits", SPOILED[stored])
    first, second = await world.ledger.accounts()
    assert (first.account_id, first.auto_trade, first.settings) == (spoiled.account_id, False, AccountSettings())
    assert (second.auto_trade, second.settings.max_leverage) == (True, 3)


async def test_a_sqlite_file_somebody_edited_hides_nobody(sqlite_engine: sa.Engine) -> None:
    world = SqlWorld(sqlite_engine, SteppedClock(NOW))
    half_and_deep = (("limits", "{half"), ("limits", "[" * 100_000))
    changes = (*half_and_deep, ("risk_per_trade", "a lot"), ("min_confidence", "NaN"), ("max_leverage", "ten"))
    for number, (column, value) in enumerate(changes):
        account = await trading_account(world, uid=f"uid-{number}")
        spoil(world, account.user_id, column, value)
    assert [account.auto_trade for account in await world.ledger.accounts()] == [False] * len(changes)
    world.close()


async def test_an_unreadable_row_is_told_once_per_change(world: SqlWorld, caplog: pytest.LogCaptureFixture) -> None:
    account = await trading_account(world)
    for stored, told in (("[1]", 1), ("[1]", 1), ('{"daily_loss": "NaN"}', 2), ("{}", 2), ("[1]", 3)):
        spoil(world, account.user_id, "limits", stored)
        await world.ledger.accounts()
        assert errors(caplog) == told, stored


async def test_limits_of_before_get_the_default_of_what_is_new(world: SqlWorld) -> None:
    account = await trading_account(world)
    spoil(world, account.user_id, "limits", '{"daily_loss": "0.02", "of_a_later_release": "1"}')
    (row,) = await world.ledger.accounts()
    assert row.settings.limits == Limits(daily_loss=Decimal("0.02"))
    assert row.auto_trade


# --- every door dates its switch -------------------------------------------------------------------------------------


def keyring(world: SqlWorld) -> SqlKeyring:
    return SqlKeyring(world.engine, world.clock)


def replace_key(world: SqlWorld, user_id: int) -> None:
    new = NewAccount(user_id, "paper", "synthetic", "uid-1", SYMBOL, "sealed", "5678", 2, Decimal(1), 0)
    keyring(world).put(new)


DOORS: dict[str, Callable[[SqlWorld, int], object]] = {
    "paused by the owner": lambda world, user_id: keyring(world).set_trading(user_id, False),
    "key replaced": replace_key,
    "person deleted": lambda world, user_id: SqlLogins(world.engine).delete(user_id, world.clock.now_ms()),
    "auto-trading off": lambda world, user_id: world.people.set_auto_trade(user_id, False, world.clock.now_ms()),
}


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_to_a_switch_dates_it_and_takes_the_proof_back(world: SqlWorld, door: str) -> None:
    account, _ = await submitted(world)
    await world.ledger.prove_stopped(account.account_id, account.switched_ms, NOW)
    world.clock.advance_to(T + 60_000)
    DOORS[door](world, account.user_id)
    (after,) = await world.ledger.accounts()
    assert (after.switched_ms, after.proven_ms) == (T + 60_000, 0)


async def test_a_switch_that_stands_already_keeps_its_proof(world: SqlWorld) -> None:
    account = await trading_account(world)
    keyring(world).set_trading(account.user_id, False)
    (off,) = await world.ledger.accounts()
    await world.ledger.prove_stopped(account.account_id, off.switched_ms, T + 30_000)
    world.clock.advance_to(T + 60_000)
    keyring(world).set_trading(account.user_id, False)
    (again,) = await world.ledger.accounts()
    assert (again.switched_ms, again.proven_ms) == (off.switched_ms, T + 30_000)


async def test_who_ended_a_lock_and_when_stays_in_its_row(world: SqlWorld) -> None:
    account = await trading_account(world)
    await world.ledger.lock(account.account_id, "external", T + 86_400_000, text("another hand"))
    await world.ledger.unlock(account.account_id, "external", "cli:kim")
    with world.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT why, ended_by, ended_ms, until_ms FROM risk_locks").one()
    assert (parse(row[0]), *row[1:]) == (text("another hand"), "cli:kim", NOW, NOW)


async def test_a_guest_trades_while_a_session_of_theirs_lives(world: SqlWorld) -> None:
    account = await trading_account(world)
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE users SET is_guest = 1 WHERE id = :id"), {"id": account.user_id})
    sessions = SqlSessions(world.engine)

    async def trades() -> bool:
        (found,) = await world.ledger.accounts()
        assert found.is_guest
        return found.auto_trade

    assert not await trades()
    sessions.open(NewSession("a" * 64, account.user_id, False, "", "", NOW))
    assert await trades()
    world.clock.advance_to(NOW + IDLE_MS - 1)
    assert await trades()
    world.clock.advance_to(NOW + IDLE_MS)
    assert not await trades(), "whether or not the web was there to end them"
