"""Orders of ours without a row are looked for after every cycle, and before an entry whenever one could be missing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.trading.orders.reconcile import reconcile
from tests.factories import SYMBOL, decision
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

WALLET, POSITION, TICKER = "/v5/account/wallet-balance", "/v5/position/list", "/v5/market/tickers"
MARGIN_MODE = "/v5/account/info"
REALTIME, HISTORY = "/v5/order/realtime", "/v5/order/history"


def paths(world: World) -> list[str]:
    """What was asked of the exchange since the last look, in order."""
    asked = [path for _, path, _ in world.transport.sent]
    world.transport.sent.clear()
    return asked


def before_the_send(asked: list[str]) -> list[str]:
    """The signed calls up to the order."""
    return [path for path in asked[: asked.index(CREATE) + 1] if "/market/" not in path]


async def settled(world: World) -> None:
    """A cycle behind us, so that the next one is as every other."""
    await world.cycle("hold")
    paths(world)


def counted(world: World, name: str) -> list[Any]:
    """Calls of the ledger's *name* from here on."""
    real: Callable[..., Awaitable[Any]] = getattr(world.ledger, name)
    calls: list[Any] = []

    async def noting(*args: Any, **named: Any) -> Any:
        calls.append(args)
        return await real(*args, **named)

    setattr(world.ledger, name, noting)
    return calls


async def test_a_days_first_entry_takes_four_calls_of_the_account_and_one_for_its_margin_mode(world: World) -> None:
    await settled(world)
    await world.cycle(decision("buy", leverage=10))  # what a fresh account has: nothing needs setting
    assert sorted(before_the_send(paths(world))) == sorted([WALLET, REALTIME, POSITION, MARGIN_MODE, CREATE])


async def test_the_orders_of_an_account_are_swept_after_they_were_sent(world: World) -> None:
    await settled(world)
    await world.cycle("buy")
    asked = paths(world)
    assert HISTORY in asked[asked.index(CREATE) :]
    assert HISTORY not in asked[: asked.index(CREATE)]


async def test_a_process_that_has_not_swept_yet_sweeps_before_it_enters(world: World) -> None:
    await world.cycle("buy")
    assert HISTORY in before_the_send(paths(world))


async def test_the_sweep_at_start_stands_for_the_first_cycle(world: World) -> None:
    await reconcile(world.context, sweep=True)
    paths(world)
    await world.cycle("buy")
    assert HISTORY not in before_the_send(paths(world))


async def test_after_another_trader_led_each_account_is_swept_before_it_enters(world: World) -> None:
    await settled(world)
    other = world.new_context("trader-2")
    await world.ledger.release_lease(world.context.holder)
    await world.cycle("hold", context=other)
    await world.ledger.release_lease("trader-2")
    paths(world)
    await world.cycle("buy")
    assert HISTORY in before_the_send(paths(world))


async def test_a_sweep_that_failed_is_made_good_before_the_next_entry(world: World) -> None:
    await settled(world)
    world.fault("http_5xx_before", HISTORY, count=9)
    assert result_of(await world.cycle("hold")).outcome == "held"
    world.calm()
    paths(world)
    await world.cycle("buy")
    assert HISTORY in before_the_send(paths(world))


async def test_an_open_row_is_brought_forward_before_an_entry(world: World) -> None:
    await settled(world)
    world.fault("drop_before", CREATE)
    for path in (REALTIME, HISTORY, "/v5/execution/list"):
        world.on(CREATE, lambda path=path: world.fault("http_5xx_before", path, count=60))  # type: ignore[misc]
    await world.cycle("buy")
    assert world.order().state is OrderState.UNKNOWN
    world.calm()
    paths(world)
    report = await world.cycle("buy")
    assert world.orders()[0].state is OrderState.ABSENT
    assert HISTORY in before_the_send(paths(world))
    assert result_of(report).outcome == "bought"


async def test_a_ledger_that_lost_what_we_sent_is_swept_before_the_next_entry(world: World) -> None:
    await settled(world)
    before = world.ledger.snapshot()
    await world.cycle("buy")
    link = world.order().order_link_id
    world.trade_at(58_000)  # the stop fires: the exchange is flat again, and no position tells of the order
    world.ledger.rollback(before)
    world.trade_at(60_000)
    paths(world)
    report = await world.cycle("buy")
    assert [order.order_link_id for order in world.orders()][:1] == [link]
    assert world.orders()[0].state is OrderState.UNKNOWN
    assert result_of(report).outcome == "refused"
    assert "not resolved" in english(result_of(report).reason)
    await reconcile(world.context, sweep=False)
    assert world.orders()[0].state is OrderState.FILLED


async def test_a_ledger_that_calls_a_sent_order_unsent_has_lost_commits_too(world: World) -> None:
    await settled(world)
    planned: list[Any] = []
    world.on("/v5/position/list", lambda: planned.append(world.ledger.snapshot()))
    await world.cycle("buy")
    world.calm()
    unsent = next(store for store in reversed(planned) if any(o.attempts == 0 for o in store.orders.values()))
    world.ledger.rollback(unsent)
    assert world.order().attempts == 0
    paths(world)
    await world.cycle("hold")
    asked = paths(world)
    assert asked.index(HISTORY) < asked.index(WALLET)


async def test_one_reading_a_cycle_tells_that_nobodys_sent_order_is_lost(world: World) -> None:
    for _ in range(2):
        world.add_account()
    await settled(world)
    await world.cycle("buy")
    together, singly = counted(world, "sent_links"), counted(world, "order_by_link")
    await world.cycle("hold")
    assert ([len(links) for (links,) in together], singly) == ([3], [])


async def test_an_account_whose_row_is_lost_and_a_ledger_away_for_all_ask_for_themselves(world: World) -> None:
    other = world.add_account()
    await settled(world)
    await world.cycle("buy")
    world.context.state._sent[(other, SYMBOL)] = "an order the ledger never heard of"
    singly = counted(world, "order_by_link")
    await world.cycle("hold")
    assert singly == [("an order the ledger never heard of",)]

    async def away(order_link_ids: Sequence[str]) -> set[str]:
        raise Retry("the database is away")

    world.ledger.sent_links = away  # type: ignore[method-assign]
    singly.clear()
    assert result_of(await world.cycle("hold")).outcome == "held"
    assert len(singly) == 1, "the lost one was told and forgotten"


async def test_who_waited_for_its_turn_does_not_go_by_what_was_read_before(world: World) -> None:
    await settled(world)
    await world.cycle("buy")
    singly = counted(world, "order_by_link")
    turn = world.context.state.turn((1, SYMBOL))
    await turn.acquire()
    cycle = asyncio.ensure_future(world.cycle("hold"))
    for _ in range(200):
        await asyncio.sleep(0)
    assert (singly, cycle.done()) == ([], False)
    turn.release()
    await cycle
    assert len(singly) == 1


async def test_a_position_nobody_can_explain_is_looked_into_before_it_counts(world: World) -> None:
    await settled(world)
    before = world.ledger.snapshot()
    await world.cycle("buy")
    world.ledger.rollback(before)
    world.context.state.forget_sent((1, SYMBOL))  # as in a process that took over
    report = await world.cycle("sell")
    assert world.orders()[0].leg == "e"
    assert result_of(report).outcome == "closed", "it is ours after all; the turn waits for its order's end"
    assert [order["reduceOnly"] for order in world.transport.orders()] == [False, True]


async def test_a_sweep_of_known_orders_writes_nothing(world: World) -> None:
    for view in ("buy", "sell", "buy"):
        await world.cycle(view)
    assert len(world.orders()) >= 3
    adopted, read = counted(world, "adopt"), counted(world, "known_links")
    assert await reconcile(world.context, sweep=True)
    assert adopted == []
    assert len(read) == 1


async def test_what_comes_after_the_send_waits_in_the_settle_lane(world: World) -> None:
    await settled(world)
    lanes: list[tuple[str, str]] = []
    limiter = world.context.exchanges._limits  # type: ignore[attr-defined]
    real = limiter.admit

    async def noting(account: str, path: str, **how: Any) -> None:
        lanes.append((path, how.get("lane", "trade")))
        await real(account, path, **how)

    limiter.admit = noting
    await world.cycle("buy")
    at = [path for path, _ in lanes].index(CREATE)
    signed = [(path, lane) for path, lane in lanes if "/market/" not in path]
    assert {lane for path, lane in signed[: signed.index((CREATE, "trade")) + 1]} == {"trade"}
    assert {lane for _, lane in lanes[at + 1 :]} == {"resolve"}
