"""The deployment's figures over SQL, on each database: counts, ages and sums, and nothing about anybody."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from lib.clock import SteppedClock
from lib.domain.reason import text
from lib.domain.worker import Worker
from lib.queries.figures import WORKER_DEAD_MS, WORKER_GONE_MS, FigureReadings
from lib.trading.part import TTL_MS
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import submitted
from tests.factories import T
from tests.servers import SERVERS

NOW = T + 4_000


@pytest.fixture(params=["sqlite", *SERVERS])
def world(request: pytest.FixtureRequest) -> Iterator[SqlWorld]:
    made = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), SteppedClock(NOW))
    yield made
    made.close()


def readings(world: SqlWorld) -> FigureReadings:
    return FigureReadings(world.engine, world.clock)


def test_a_new_deployment_has_nothing_open_and_nobody_who_leads(world: SqlWorld) -> None:
    now = readings(world).figures()
    assert (now.unresolved, now.unresolved_s, now.accounts, now.locks) == ({}, 0.0, 0, {})
    assert (now.kill_switch, now.unproved_s, now.lease_held, now.untold) == (0, 0.0, False, 0)
    assert readings(world).waiting().call_s is None


async def test_an_order_without_an_end_and_a_lock_are_counted_by_state_and_kind(world: SqlWorld) -> None:
    account, _ = await submitted(world)
    await world.ledger.lock(account.account_id, "drawdown", NOW + 60_000, text("it fell"))
    world.clock.advance_to(NOW + 5_000)
    now = readings(world).figures()
    assert now.unresolved == {"SUBMITTING": 1}
    assert now.unresolved_s > 0
    assert now.locks == {("account", "drawdown"): 1}
    assert (now.accounts, now.stopped, now.lease_held) == (1, 0, True)
    assert now.untold >= 1, "its owner is told of the lock"
    assert now.untold_s >= 0


async def test_dead_workers_and_accounts_of_nobody_are_counted_where_accounts_are_divided(world: SqlWorld) -> None:
    await submitted(world)
    first = readings(world).figures()
    assert (first.workers, first.workers_dead, first.unowned) == (0, 0, 0), "one trader serves them all"
    await world.ledger.hold(Worker("gone", "", 0), TTL_MS)
    now = readings(world).figures()
    assert (now.workers, now.workers_dead, now.unowned) == (1, 0, 1), "its capacity is no account"
    world.clock.advance_to(NOW + WORKER_DEAD_MS + 1)
    await world.ledger.hold(Worker("lives", "", 9), TTL_MS)
    now = readings(world).figures()
    assert (now.workers, now.workers_dead, now.unowned) == (1, 1, 0)
    world.clock.advance_to(NOW + WORKER_GONE_MS)
    now = readings(world).figures()
    assert (now.workers, now.workers_dead, now.unowned) == (0, 1, 1)


async def test_a_thrown_switch_waits_for_its_proof(world: SqlWorld) -> None:
    with world.engine.begin() as connection:
        thrown = sa.text("UPDATE system_flags SET trading_enabled = 0, switched_ms = :at")
        connection.execute(thrown, {"at": NOW - 9_000})
    now = readings(world).figures()
    assert (now.kill_switch, now.unproved_s) == (2, 9.0)
