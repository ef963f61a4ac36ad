"""The audit finds every history that is not as it was written, names it and its place, and fails the command."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from lib import log
from lib.adapters.sql.tables.trading import order_events, orders
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.order import OrderState, order_link_id
from lib.domain.reason import Reason
from lib.queries import Broken, OperatorReadings
from lib.queries import audit as audit_module
from services.control import main
from tests import factories as make
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import BUY, HOLDER, again, signed, trading_account, verdict
from tests.factories import T


@pytest.fixture
def world(any_engine: sa.Engine) -> Iterator[SqlWorld]:
    world = SqlWorld(any_engine, SteppedClock(T + 4_000))
    yield world
    world.close()


async def lived(world: SqlWorld, count: int = 3) -> list[str]:
    """The ids of *count* orders that were planned, sent and filled."""
    return [await _entry(world, await trading_account(world, uid=f"uid-{number}")) for number in range(count)]


async def _entry(world: SqlWorld, account: TraderAccount) -> str:
    ledger = world.ledger
    [order] = await ledger.plan(account, None, T, BUY)
    assert (await ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    assert await ledger.close_order(await again(ledger, order), verdict())
    return order.order_link_id


def found(world: SqlWorld) -> tuple[int, int, list[Broken]]:
    parts = list(OperatorReadings(world.engine).audit())
    return sum(p.orders for p in parts), sum(p.events for p in parts), [one for p in parts for one in p.broken]


def tamper(world: SqlWorld, statement: sa.Executable) -> None:
    with world.engine.begin() as connection:
        assert connection.execute(statement).rowcount >= 1


def event(link: str, to_state: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    mine = sa.select(orders.c.id).where(orders.c.order_link_id == link).scalar_subquery()
    return order_events.c.order_id == mine, order_events.c.to_state == to_state


async def test_untouched_histories_hold_however_small_the_batches(
    world: SqlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(world) == (0, 0, [])
    await lived(world)
    for batch in (1, 2, 500):
        monkeypatch.setattr(audit_module, "BATCH", batch)
        assert found(world) == (3, 9, [])


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("why", "another", codes.CHAIN_CHANGED(place=1)),
        ("at_ms", 9, codes.CHAIN_CHANGED(place=1)),
        ("code", 7, codes.CHAIN_CHANGED(place=1)),
        ("to_state", "ACCEPTED", codes.CHAIN_CHANGED(place=1)),
        ("prev_hash", "f" * 64, codes.CHAIN_CHANGED(place=1)),
        ("hash", "f" * 64, codes.CHAIN_CHANGED(place=1)),
    ],
)
async def test_an_edited_event_is_named(world: SqlWorld, column: str, value: object, problem: Reason) -> None:
    links = await lived(world)
    tamper(world, sa.update(order_events).where(*event(links[1], "SUBMITTING")).values({column: value}))
    assert found(world) == (3, 9, [Broken(links[1], problem)])


async def test_a_removed_event_is_missed(world: SqlWorld) -> None:
    links = await lived(world)
    tamper(world, sa.delete(order_events).where(*event(links[0], "PLANNED")))
    tamper(world, sa.delete(order_events).where(*event(links[1], "SUBMITTING")))
    tamper(world, sa.delete(order_events).where(*event(links[2], "FILLED")))
    assert found(world)[2] == [
        Broken(links[0], codes.CHAIN_MISSING(place=0)),
        Broken(links[1], codes.CHAIN_MISSING(place=1)),
        Broken(links[2], codes.CHAIN_ENDS_ELSEWHERE(state="FILLED", told="SUBMITTING")),
    ]


async def test_an_order_moved_behind_its_history_or_without_one_is_named(world: SqlWorld) -> None:
    links = await lived(world)
    tamper(world, sa.update(orders).where(orders.c.order_link_id == links[0]).values(state=OrderState.REJECTED.value))
    mine = sa.select(orders.c.id).where(orders.c.order_link_id == links[2]).scalar_subquery()
    tamper(world, sa.delete(order_events).where(order_events.c.order_id == mine))
    assert found(world)[2] == [
        Broken(links[0], codes.CHAIN_ENDS_ELSEWHERE(state="REJECTED", told="FILLED")),
        Broken(links[2], codes.CHAIN_NONE()),
    ]


async def test_the_command_says_what_is_broken_and_fails(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = SqlWorld(sqlite_engine, SteppedClock(T + 4_000))
    links = await lived(world)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{sqlite_engine.url.database}")
    monkeypatch.setenv("INSTALLATION", "t3st")
    monkeypatch.setattr(log, "setup", lambda *words: None)
    assert run_in_thread() == 0
    assert "3 orders, 9 events: every history is as it was written" in capsys.readouterr().out
    tamper(world, sa.update(order_events).where(*event(links[1], "SUBMITTING")).values(why="another"))
    assert run_in_thread() == 1
    said = capsys.readouterr()
    assert said.out == f"{links[1]}: event 1 was changed\n"
    assert "1 of 3 orders have a history that is not as it was written" in said.err
    world.close()


def run_in_thread() -> int:
    """The command line as a process would run it: with an event loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(main, ["audit"]).result()


async def test_an_adopted_orphan_is_alarmed_with_its_id(world: SqlWorld, caplog: pytest.LogCaptureFixture) -> None:
    account = await trading_account(world)
    link = order_link_id("t3st", T, account.symbol_no, account.account_id, "e", 0)
    record = replace(make.order_record(make.order(account_id=account.account_id)), order_link_id=link)
    assert await world.ledger.adopt(account, record, T)
    [line] = [row for row in caplog.records if row.getMessage() == "order.orphan_adopted"]
    fields = vars(line)["maemae_fields"]
    assert (fields["alert"], fields["order_link_id"]) == (True, record.order_link_id)
    assert fields["account"] == account.account_id
