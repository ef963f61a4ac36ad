"""
A close whose sending is in doubt holds the next one up for as long as its proof of absence takes, and hardly longer.

The stop is gone and the exchange refuses it: until the second close, the position is open to the market. The law gives
thirty seconds, W + LAG of them are the proof.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from lib.domain.errors import Retry
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Claim, Order, OrderState
from lib.trading.orders.resolve import POLL_S
from lib.trading.trader import Trader
from tests.trading.test_closing import asked, claimed_close, close, shared
from tests.trading.test_guardian_task import TRADING_STOP, Process
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

PROOF_S = (RECV_WINDOW_MS + INDEX_LAG_MS) / 1000
REALTIME = "/v5/order/realtime"
ROUND_S = 5.0
"""How often the timetable has the trader reconcile."""


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    made = Process(accounts=1, hinted=True)
    yield made
    await made.end()


async def naked_s(process: Process, first_round_s: float) -> float:
    """How long a position stands without its stop, which the exchange refuses, beside rounds of reconciliation."""
    process.world.fault("refuse_stop", TRADING_STOP, count=999)
    process.world.remove_stop()
    for tenths in range(600):
        if process.world.position().is_flat:
            return tenths / 10
        if (tenths / 10 - first_round_s) % ROUND_S == 0:
            process.trader.reconcile()
        await process.run(0.1)
    raise AssertionError("never closed")


def unconfirmed(world: World, most: int, trouble: Callable[[], Exception]) -> None:
    """The commits of the guardian's next *most* claims take effect, and *trouble* is all the trader hears of it."""
    claim, left = world.ledger.claim, [most]

    async def unheard(order: Order, signed: SignedOrder, holder: str) -> Claim:
        ruling = await claim(order, signed, holder)
        if order.leg == "g" and left[0]:
            left[0] -= 1
            raise trouble()
        return ruling

    world.ledger.claim = unheard  # type: ignore[method-assign]


@pytest.mark.parametrize("first_round_s", [0.0, 1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("trouble", [lambda: Retry("the commit is not confirmed"), lambda: ValueError("a bug")])
async def test_a_close_whose_commit_is_not_confirmed_costs_its_proof_and_two_seconds(
    process: Process, trouble: Callable[[], Exception], first_round_s: float
) -> None:
    await process.start()
    unconfirmed(process.world, 1, trouble)
    took = await naked_s(process, first_round_s)
    await process.run(1)
    assert [row.state for row in process.world.orders() if row.leg == "g"] == [OrderState.ABSENT, OrderState.FILLED]
    assert PROOF_S < took <= PROOF_S + 2


async def test_found_by_the_timetable_alone_such_a_position_is_closed_in_time(process: Process) -> None:
    process.guardian.hints = None
    await process.start()
    unconfirmed(process.world, 1, lambda: Retry("the commit is not confirmed"))
    assert await naked_s(process, 0.0) <= 27


async def test_two_closes_in_doubt_cost_two_proofs(process: Process) -> None:
    await process.start()
    unconfirmed(process.world, 2, lambda: Retry("the commit is not confirmed"))
    assert await naked_s(process, 0.0) <= 2 * PROOF_S + 3


@pytest.mark.parametrize("first_round_s", [0.0, 1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("kind", ["drop_before", "async_reject"])
async def test_a_close_that_never_arrives_or_is_rejected_costs_little_more_than_its_proof(
    process: Process, kind: str, first_round_s: float
) -> None:
    await process.start()
    process.world.fault(kind, CREATE if kind == "drop_before" else None)
    took = await naked_s(process, first_round_s)
    assert PROOF_S < took <= PROOF_S + (4 if kind == "async_reject" else 2), "after a rejection the next close waits"


async def test_a_traders_close_in_doubt_is_asked_for_by_the_next_trader(process: Process) -> None:
    """Nothing but the row is left of it."""
    await process.start()
    await process.trader.drain()
    row = await claimed_close(process.world)
    process.trader = Trader(process.world.context, process.guardian)
    await process.trader.start()
    assert await naked_s(process, 99.0) <= PROOF_S + 2
    assert process.world.orders()[1].id == row.id
    assert process.world.orders()[1].state is OrderState.ABSENT


# --- what is asked ----------------------------------------------------------------------------------------------------


class Queries:
    """Counts who is asked for by *order_link_id*, from now on."""

    def __init__(self, world: World) -> None:
        self.at_ms: list[int] = []
        self._clock, self._passed = world.clock, world.transport.request
        world.transport.request = self._noted  # type: ignore[method-assign]

    async def _noted(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path == REALTIME and "orderLinkId=" in query:
            self.at_ms.append(self._clock.now_ms())
        return await self._passed(method, path, query, headers, body)


async def test_an_exit_that_is_only_under_way_is_not_asked_about_by_another(world: World) -> None:
    await shared(world)
    await claimed_close(world)
    queries = Queries(world)
    world.wait(PROOF_S - 3)
    assert await close(world) is None
    assert queries.at_ms == []


async def test_an_exit_whose_proof_is_ripe_is_asked_about_once_and_the_close_follows(world: World) -> None:
    ours = await shared(world)
    row = await claimed_close(world)
    queries = Queries(world)
    world.wait(PROOF_S - 1)
    done = await close(world)
    assert done is not None
    assert (done.state, done.filled_qty) == (OrderState.FILLED, ours)
    assert (await world.ledger.order_by_link(row.order_link_id)).state is OrderState.ABSENT  # type: ignore[union-attr]
    assert len(queries.at_ms) == 3, "one for the exit in doubt, two for the end of the close as for any other"
    assert len(asked(world)) == 1


async def test_while_the_exchange_says_nothing_of_an_exit_no_other_follows(world: World) -> None:
    await shared(world)
    row = await claimed_close(world)
    world.fault("http_5xx_before", REALTIME, count=99)
    for _ in range(3):
        world.wait(PROOF_S)
        assert await close(world) is None
    assert (await world.ledger.order_by_link(row.order_link_id)) == row
    assert asked(world) == []


async def test_an_exit_found_filled_after_all_is_not_followed_by_another(world: World) -> None:
    ours = await shared(world)
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99))
    first = await close(world)
    assert first is not None
    assert first.state is OrderState.UNKNOWN
    world.calm()
    world.wait(PROOF_S)
    assert await close(world) is None
    assert world.order("g").state is OrderState.FILLED
    assert sum((body["qty"] == str(ours) for body in asked(world)), 0) == 1


async def test_an_order_that_arrives_is_asked_for_no_more_often_for_all_that(world: World) -> None:
    queries = Queries(world)
    await world.cycle("buy")
    assert world.order().state is OrderState.FILLED
    assert len(queries.at_ms) == 2, "at once and when the exchange has listed it"


async def test_a_lost_order_is_known_as_lost_as_soon_as_that_is_proved(world: World) -> None:
    queries = Queries(world)
    world.fault("drop_before", CREATE)
    await world.cycle("buy")
    row: Any = world.order()
    assert row.state is OrderState.ABSENT
    assert queries.at_ms[-1] - row.signed_ts <= PROOF_S * 1000 + 500
    assert len(queries.at_ms) <= len(POLL_S)


async def test_beside_a_venue_whose_clock_is_behind_it_is_asked_for_each_second(world: World) -> None:
    queries = Queries(world)
    world.fault("clock_skew", ms=-900)
    world.fault("drop_before", CREATE)
    await world.cycle("buy")
    row = world.order()
    assert row.state is OrderState.ABSENT
    assert queries.at_ms[-1] - row.signed_ts <= (PROOF_S + 0.9) * 1000 + 1_000


async def test_an_order_nobody_can_be_asked_about_is_asked_for_about_twenty_seconds(world: World) -> None:
    queries = Queries(world)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99))
    await world.cycle("buy")
    assert world.order().state is OrderState.ACCEPTED
    assert len(queries.at_ms) <= len(POLL_S)
    assert queries.at_ms[-1] - world.order().signed_ts >= 19_000
