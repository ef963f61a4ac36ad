"""What two connections do to each other: waits become Retry, clocks are read after locks, readers block nobody."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.keyring import SqlKeyring
from lib.adapters.sql.ledger import claiming, locks, switches
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.rows import Now, ledger_clock, lock_account
from lib.adapters.sql.tables.people import accounts, system_flags, users
from lib.adapters.sql.tables.trading import orders
from lib.clock import Clock, SteppedClock, SystemClock
from lib.domain.account import AccountSettings
from lib.domain.books import EquityPoint
from lib.domain.errors import Halt, Retry
from lib.domain.events import Event, EventKind
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import Claim, Order, OrderState, order_link_id
from lib.domain.reason import text as words
from lib.domain.switches import Flags
from tests import factories as make
from tests.chains import chain_problem
from tests.contract.ledger_worlds import INSTALLATION, SqlWorld
from tests.contract.test_ledger import BUY, HOLDER, planned, signed, trading_account, verdict
from tests.factories import REF, T
from tests.reasons import english

PATIENCE_S = 20


@pytest.fixture
def server_world(server_engine: sa.Engine) -> Iterator[SqlWorld]:
    world = SqlWorld(server_engine, SteppedClock(T + 4_000))
    yield world
    world.close()


@pytest.fixture
def sqlite_world(sqlite_engine: sa.Engine) -> Iterator[SqlWorld]:
    world = SqlWorld(sqlite_engine, SteppedClock(T + 4_000))
    yield world
    world.close()


@pytest.fixture
def any_world(any_engine: sa.Engine) -> Iterator[SqlWorld]:
    world = SqlWorld(any_engine, SteppedClock(T + 4_000))
    yield world
    world.close()


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def wait_for_a_waiter(engine: sa.Engine, whose: Future[None] | None = None) -> None:
    """
    Until some transaction waits for a row lock, or *whose* it would be has ended without.

    Not innodb_trx: its cache never refreshes for who asks often.
    """
    query = sa.text("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up and not (whose and whose.done()):
        with engine.connect() as connection:
            if connection.execute(query).one()[1] != "0":
                return
    raise AssertionError("nobody waited")


def claim(world: SqlWorld, order: Order, bytes_: SignedOrder, clock: Clock | None) -> Claim:
    now = ledger_clock(world.engine, clock)
    return transact(world.engine, lambda c: claiming.claim(c, now, order, bytes_, HOLDER))


def retried(work: Callable[[], None]) -> str:
    """What *Retry* said, or "" when *work* went through."""
    try:
        work()
    except Retry as retry:
        return str(retry)
    return ""


SWITCHES: dict[str, Callable[[Order], sa.Update]] = {
    "platform flags": lambda row: sa.update(system_flags).values(trading_enabled=False),
    "account": lambda row: sa.update(accounts).where(accounts.c.id == row.account_id).values(trading_enabled=False),
    "person": lambda row: sa.update(users).where(users.c.id == row.user_id).values(auto_trade_enabled=False),
}


@pytest.mark.parametrize("switch", SWITCHES)
async def test_a_switch_thrown_before_the_claim_commits_is_seen_by_it(
    server_world: SqlWorld, aside: ThreadPoolExecutor, switch: str
) -> None:
    _, order = await planned(server_world)
    with server_world.engine.connect() as other, other.begin() as throwing:
        other.execute(SWITCHES[switch](order))
        waiting = aside.submit(claim, server_world, order, signed(order, T + 4_000), server_world.clock)
        wait_for_a_waiter(server_world.engine)
        throwing.commit()
    assert (waiting.result().granted, waiting.result().state) == (False, OrderState.BLOCKED)


async def test_a_risk_lock_being_written_is_seen_by_the_claim(
    server_world: SqlWorld, aside: ThreadPoolExecutor
) -> None:
    _, order = await planned(server_world)
    now = ledger_clock(server_world.engine, server_world.clock)
    with server_world.engine.connect() as other, other.begin() as locking:
        locks.lock(other, now, order.account_id, "daily loss", T + 86_400_000, words("lost 5 %"))
        waiting = aside.submit(claim, server_world, order, signed(order, T + 4_000), server_world.clock)
        wait_for_a_waiter(server_world.engine)
        locking.commit()
    assert "daily loss" in english(waiting.result().why)


async def test_a_platform_lock_being_written_is_seen_by_the_claim(
    server_world: SqlWorld, aside: ThreadPoolExecutor
) -> None:
    _, order = await planned(server_world)
    now = ledger_clock(server_world.engine, server_world.clock)
    with server_world.engine.connect() as other, other.begin() as locking:
        locks.lock(other, now, 0, "paper:daily_loss", T + 86_400_000, words("everybody lost"))
        waiting = aside.submit(claim, server_world, order, signed(order, T + 4_000), server_world.clock)
        wait_for_a_waiter(server_world.engine)
        locking.commit()
    assert "everybody's daily loss" in english(waiting.result().why)


THROWN: dict[str, Callable[[SqlWorld, Order, Now], None]] = {
    "auto-trading off": lambda world, row, now: world.people.set_auto_trade(row.user_id, False, T),
    "platform off": lambda world, row, now: world.people.set_flags(Flags(False, False), "operator"),
    "account off": lambda world, row, now: world.people.set_account_flags(row.account_id, Flags(False, False)),
    "risk lock": lambda world, row, now: transact(
        world.engine, lambda c: locks.lock(c, now, row.account_id, "daily loss", T + 86_400_000, words("lost 5 %"))
    ),
    "platform lock": lambda world, row, now: transact(
        world.engine, lambda c: locks.lock(c, now, 0, "paper:daily_loss", T + 86_400_000, words("everybody lost"))
    ),
    "pause": lambda world, row, now: transact(
        world.engine, lambda c: switches.pause(c, now, row.account_id, words("the key was revoked"))
    ),
}


@pytest.mark.parametrize("thrown", THROWN)
async def test_a_switch_waits_for_a_claim_in_progress(
    server_world: SqlWorld, aside: ThreadPoolExecutor, thrown: str
) -> None:
    _, order = await planned(server_world)
    now = ledger_clock(server_world.engine, server_world.clock)
    with server_world.engine.connect() as other, other.begin() as claiming_:
        assert claiming.claim(other, now, order, signed(order, T + 4_000), HOLDER).granted
        waiting: Future[None] = aside.submit(THROWN[thrown], server_world, order, now)
        wait_for_a_waiter(server_world.engine, waiting)
        assert not waiting.done()
        claiming_.commit()
    waiting.result()


async def test_the_clock_of_a_claim_is_read_after_its_locks(server_world: SqlWorld, aside: ThreadPoolExecutor) -> None:
    _, order = await planned(server_world)
    server_clock = ledger_clock(server_world.engine, None)
    transact(server_world.engine, lambda c: switches.hold_lease(c, server_clock, HOLDER, 30_000))
    with server_world.engine.connect() as other, other.begin() as holding:
        # a lock on the last row a claim locks: a clock read before it would be older than the moment of release
        other.execute(sa.select(orders).where(orders.c.id == order.id).with_for_update())
        waiting = aside.submit(claim, server_world, order, signed(order, T + 4_000), None)
        wait_for_a_waiter(server_world.engine)
        waited_until = server_clock(other)
        while server_clock(other) <= waited_until:
            pass
        released = server_clock(other)
        holding.commit()
    assert waiting.result().state is OrderState.EXPIRED
    with server_world.engine.connect() as connection:
        updated = connection.scalar(sa.select(orders.c.updated_ms).where(orders.c.id == order.id))
    assert updated is not None
    assert updated >= released


async def test_a_lock_held_too_long_is_retry(server_world: SqlWorld) -> None:
    _, order = await planned(server_world)
    with server_world.engine.connect() as other, other.begin():
        lock_account(other, order.account_id)
        with pytest.raises(Retry, match="1205"):
            await server_world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (await server_world.ledger.open_orders()) == [order]


async def test_a_sqlite_writer_that_never_ends_is_retry_and_readers_go_on(sqlite_world: SqlWorld) -> None:
    _, order = await planned(sqlite_world)
    engine = make_engine(str(sqlite_world.engine.url), sqlite_busy_ms=50)
    impatient = SqlWorld(engine, sqlite_world.clock)
    with sqlite_world.engine.connect() as other, other.begin():
        with pytest.raises(Retry, match="database_away"):
            await impatient.ledger.claim(order, signed(order, T + 4_000), HOLDER)
        assert await impatient.ledger.open_orders() == [order]
    impatient.close()
    engine.dispose()


async def test_a_sqlite_reader_blocks_no_writer(sqlite_world: SqlWorld) -> None:
    _, order = await planned(sqlite_world)
    with sqlite_world.engine.connect() as reader:
        reader.execution_options(sqlite_readonly=True)
        with reader.begin():
            assert reader.scalar(sa.select(orders.c.state)) == "PLANNED"
            assert (await sqlite_world.ledger.claim(order, signed(order, T + 4_000), HOLDER)).granted


async def test_a_deadlock_is_retry(server_world: SqlWorld, aside: ThreadPoolExecutor) -> None:
    _, order = await planned(server_world)
    account, person = (
        sa.update(accounts).where(accounts.c.id == order.account_id).values(flatten=True),
        sa.update(users).where(users.c.id == order.user_id).values(locale="en"),
    )
    crossing = threading.Event()

    def other_way_round(connection: sa.Connection) -> None:
        connection.execute(person)
        crossing.set()
        connection.execute(account)

    def one_way(connection: sa.Connection) -> None:
        connection.execute(account)
        waiting.append(aside.submit(transact, server_world.engine, other_way_round))
        assert crossing.wait(PATIENCE_S)
        wait_for_a_waiter(server_world.engine)
        connection.execute(person)

    waiting: list[Future[None]] = []
    said = [retried(lambda: transact(server_world.engine, one_way)), retried(lambda: waiting[0].result())]
    assert sorted("1213" in text for text in said) == [False, True]


async def test_traders_and_people_at_once_never_deadlock(server_world: SqlWorld) -> None:
    """Everything that locks more than one row, at once and again: one order of locking means nobody is a victim."""
    world, ledger, rounds = server_world, server_world.ledger, 25
    account, _ = await planned(world)
    keyring = SqlKeyring(world.engine, world.clock)

    async def trade() -> None:
        for number in range(1, rounds):
            order = (await ledger.plan(account, None, T + number * 60_000, BUY))[0]
            await ledger.claim(order, signed(order, T + 4_000), HOLDER)
            if (row := await ledger.order_by_link(order.order_link_id)) and row.state is OrderState.SUBMITTING:
                await ledger.move(row, OrderState.UNKNOWN, words("timed out"))

    async def keep() -> None:
        for number in range(rounds):
            fill = make.fill(f"{number}", "buy" if number % 2 else "sell", order_link_id="")
            await ledger.record_fills(account.account_id, [fill])
            point = EquityPoint(account.account_id, T + number, REF, REF, REF + number)
            await ledger.record_equity(point)
            await ledger.lock(account.account_id if number % 2 else 0, f"kind {number}", T + 4_001, words("why"))

    def click() -> None:
        for number in range(rounds):
            world.people.set_auto_trade(account.user_id, bool(number % 2), T)
            keyring.set_trading(account.user_id, bool(number % 2))
            world.people.change_settings(account.user_id, AccountSettings(max_leverage=number + 1))

    async def throw() -> None:
        for number in range(rounds):
            await ledger.pause(account.account_id, words("paused"))
            await ledger.set_account_flags(account.account_id, Flags(True, False), "owner")
            await ledger.set_flags(Flags(bool(number % 2), False), "operator")
            await ledger.notice(account.account_id, Event(EventKind.OPERATOR, words("body")))

    await asyncio.gather(trade(), keep(), asyncio.to_thread(click), throw())
    assert len(await ledger.open_orders()) >= 1


async def test_a_crowd_at_once_ends_as_it_would_one_by_one(any_world: SqlWorld) -> None:
    """Plans, claims, moves, books and readings of many accounts beside each other, some of which fail."""
    ledger, crowd = any_world.ledger, 40
    accounts = [await trading_account(any_world, uid=f"uid-{number}") for number in range(crowd)]
    assert await ledger.hold_lease(HOLDER, 60_000)

    async def trade(number: int) -> OrderState:
        account = accounts[number]
        order = (await ledger.plan(account, None, T, BUY))[0]
        if number % 5 == 0:  # not its row: a failure beside everybody's writes
            with pytest.raises(Retry):
                await ledger.move(replace(order, id=order.id + 1), OrderState.EXPIRED, words("lost"))
        if not (await ledger.claim(order, signed(order, T + 4_000), HOLDER)).granted:
            return OrderState.PLANNED
        row = await ledger.order_by_link(order.order_link_id)
        assert row is not None
        row = await ledger.move(row, OrderState.ACCEPTED, words("accepted"))
        assert row is not None
        fill = make.fill(f"fill-{number}", "buy", order_link_id=order.order_link_id)
        twice = (ledger.record_fills(account.account_id, [fill]) for _ in range(2))
        assert sorted(await asyncio.gather(*twice)) == [0, 1]
        assert (await ledger.facts(account.slot, T)).own_qty == fill.qty
        ends = (ledger.close_order(row, verdict(filled=str(fill.qty))) for _ in range(2))
        first, second = await asyncio.gather(*ends)
        assert (first is None) != (second is None)
        return OrderState.FILLED

    states = await asyncio.gather(*(trade(number) for number in range(crowd)))
    assert states == [OrderState.FILLED] * crowd
    assert await ledger.open_orders() == []
    for account in accounts:
        events = any_world.events(order_link_id(INSTALLATION, T, account.symbol_no, account.account_id, "e", 0))
        assert chain_problem(events) == ""
        assert [event.after for event, _ in events] == ["PLANNED", "SUBMITTING", "ACCEPTED", "FILLED"]


async def test_an_order_never_waits_behind_what_only_reads_and_books(server_world: SqlWorld) -> None:
    _, order = await planned(server_world)
    other = await trading_account(server_world, uid="uid-2")
    booking = EquityPoint(other.account_id, T, REF, REF, REF - REF)
    with server_world.engine.connect() as holder, holder.begin() as holding:
        lock_account(holder, other.account_id)
        # more than there are threads for books: all of them stand behind the one row
        stuck = [asyncio.ensure_future(server_world.ledger.record_equity(booking)) for _ in range(6)]
        await asyncio.to_thread(wait_for_a_waiter, server_world.engine)
        claim = await server_world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
        assert claim.granted
        assert not any(task.done() for task in stuck)
        holding.commit()
    assert [await task for task in stuck].count(False) == 6


async def test_a_connection_killed_while_idle_is_replaced_and_one_killed_at_work_is_retry(
    server_world: SqlWorld,
) -> None:
    engine = server_world.engine
    own_id = sa.text("SELECT CONNECTION_ID()")
    with engine.connect() as killer:
        with engine.connect() as idle:
            number = idle.scalar(own_id)
        killer.exec_driver_sql(f"KILL {number}")
        assert await server_world.ledger.now() == T + 4_000

        def killed(connection: sa.Connection) -> None:
            killer.exec_driver_sql(f"KILL {connection.scalar(own_id)}")
            connection.scalar(own_id)

        with pytest.raises(Retry, match="away"):
            transact(engine, killed)


async def test_the_server_session_is_set_up_as_we_rely_on_it(server_engine: sa.Engine) -> None:
    query = "SELECT @@time_zone, @@innodb_lock_wait_timeout, @@character_set_client, @@sql_mode"
    with server_engine.connect() as connection:
        zone, wait, charset, mode = connection.exec_driver_sql(query).one()
        isolation = connection.get_isolation_level()
        # only MariaDB ends a transaction that idles
        idle = [row[1] for row in connection.exec_driver_sql("SHOW VARIABLES LIKE 'idle_transaction_timeout'")]
    assert (zone, isolation, wait, charset) == ("+00:00", "READ COMMITTED", 2, "utf8mb4")
    assert "STRICT_TRANS_TABLES" in mode
    assert set(idle) <= {"10"}, "a process frozen inside a transaction must not hold its rows for ever"


async def test_without_a_clock_the_ledger_tells_the_servers_time(server_engine: sa.Engine) -> None:
    ledger = SqlLedger(server_engine, installation="t3st")
    before = SystemClock().now_ms()
    now = await ledger.now()
    ledger.close()
    assert before - 1 <= now <= SystemClock().now_ms() + 1


async def test_a_missing_flags_row_stops_the_process_rather_than_trade(sqlite_world: SqlWorld) -> None:
    with sqlite_world.engine.begin() as connection:
        connection.execute(sa.delete(system_flags))
    with pytest.raises(Halt, match="system_flags"):
        await sqlite_world.ledger.flags()


async def test_a_table_that_is_gone_stops_the_process(sqlite_world: SqlWorld) -> None:
    with sqlite_world.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE equity_points")
    with pytest.raises(Halt, match="make migrate"):
        await sqlite_world.ledger.facts((await _only_account(sqlite_world), "BTCUSDT"), T)


async def _only_account(world: SqlWorld) -> int:
    _, order = await planned(world)
    return order.account_id


async def test_settings_changed_by_two_forms_at_once_count_twice(sqlite_world: SqlWorld) -> None:
    _, order = await planned(sqlite_world)
    people = sqlite_world.people
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda cap: people.change_settings(order.user_id, AccountSettings(max_leverage=cap)), (3, 4)))
    (account,) = await sqlite_world.ledger.accounts()
    assert account.settings_version == 3
