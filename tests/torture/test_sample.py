"""A seeded sample of the torture, and proof that its judge has teeth."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from lib.adapters.sql.tables.trading import fills, order_events, orders
from tests.effort import EFFORT_NAME
from tests.torture import stores
from tests.torture.__main__ import torture
from tests.torture.ground import Ground, eventually, opened
from tests.torture.judge import Judge
from tests.torture.scenarios import POINTS, every, kinds, sample
from tests.worlds.killed import World, built

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

SEED = 1
BUDGET_S = {"nightly": 180.0}.get(EFFORT_NAME, 0.0)
"""How long it lasts at least; one of each kind is there however long they take."""


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; the torture did not run")


async def test_a_sample_of_kills_bugs_stalls_and_cuts_breaks_no_promise() -> None:
    report = await torture(sample(SEED), BUDGET_S, at_least=len(kinds(SEED)))
    assert not report.problems, "\n".join([*report.problems, *(o.said for o in report.outcomes if o.problems)])
    told = report.outcomes
    assert {scenario.action for scenario in every()} == {outcome.action for outcome in told}
    assert {scenario.story for scenario in every()} == {outcome.name.split()[0] for outcome in told}
    assert [outcome.name for outcome in report.outcomes if not outcome.hits] == []


def test_every_scenario_is_there_once_and_a_sample_loses_none() -> None:
    names = [scenario.name for scenario in every()]
    assert len(set(names)) == len(names)
    assert sorted(scenario.name for scenario in sample(SEED)) == sorted(names)
    assert {scenario.point for scenario in every()} == {point for points in POINTS.values() for point in points}


@pytest_asyncio.fixture
async def traded() -> AsyncIterator[World]:
    """Two people, long after one undisturbed cycle; the trader has ended."""
    async with opened() as ground:
        world = await _bought(ground)
        yield world
        await world.end()


async def _bought(ground: Ground) -> World:
    world = await built(ground)
    await world.come("buy")
    world.start()
    await eventually("everybody has bought", lambda: world.checked(world.t_ms) and world.is_terminal())
    assert await world.stop(signal.SIGTERM) == 0
    return world


async def test_the_judge_sees_what_is_wrong(traded: World) -> None:
    assert await Judge(traded).look() == []
    first = traded.people[0]
    mine = orders.c.account_id == first.account_id

    async def said_after(change: sa.Update | sa.Delete) -> str:
        backup = stores.snapshot(traded.engine)
        with traded.engine.begin() as connection:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
            connection.execute(change)
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
        problems = await Judge(traded).look()
        await asyncio.to_thread(stores.restore, traded.engine, backup)
        return "\n".join(problems)

    assert "P4" in await said_after(sa.update(orders).where(mine).values(state="ABSENT"))
    assert "has no row" in await said_after(sa.delete(orders).where(mine))
    assert "still ACCEPTED" in await said_after(sa.update(orders).where(mine).values(state="ACCEPTED"))
    assert "was changed" in await said_after(sa.update(order_events).values(why="as it should have been"))
    assert "executions" in await said_after(sa.delete(fills).where(fills.c.account_id == first.account_id))
    row = traded.rows(sa.select(orders).where(mine))[0]
    twin = row["order_link_id"].removesuffix("e0") + "e1"
    entry = {"side": "Buy", "orderType": "Market", "qty": str(row["qty"].normalize()), "orderLinkId": twin}
    assert (await first.key.post("/v5/order/create", **entry))["retCode"] == 0
    strip = {"stopLoss": "0", "tpslMode": "Full", "positionIdx": 0}
    assert (await first.key.post("/v5/position/trading-stop", **strip))["retCode"] == 0
    said = "\n".join(await Judge(traded).look())
    assert "P1" in said
    assert "was accepted without a stop" in said
    assert f"uid {first.uid} holds" in said
    for wider in (row["stop_loss"], row["stop_loss"] - 100):
        moved = {"stopLoss": str(wider.normalize()), "tpslMode": "Full", "positionIdx": 0}
        assert (await first.key.post("/v5/position/trading-stop", **moved))["retCode"] == 0
    assert "was accepted after one at" in "\n".join(await Judge(traded).look())
