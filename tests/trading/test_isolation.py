"""One account's trouble is that account's alone."""

import asyncio

import pytest

from lib.domain.order import OrderState
from lib.domain.reason import Reason
from lib.trading.orders.reconcile import reconcile
from tests.factories import settings
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE


@pytest.fixture
def crowd() -> World:
    """Three accounts, ids 1 to 3."""
    world = World()
    for _ in range(3):
        world.add_account()
    return world


async def test_a_revoked_key_pauses_its_account_once_and_the_others_trade(crowd: World) -> None:
    crowd.fault("key_revoked", uid=crowd.uid(1))
    report = await crowd.cycle("buy")
    assert [result.outcome for result in report.results] == ["skipped", "bought", "bought"]
    assert not crowd.ledger.store.accounts[1].trading_enabled
    assert [account for account, _ in crowd.ledger.store.outbox] == [1]
    assert "33004" in english(crowd.log(1).summary.message)
    report = await crowd.cycle("sell")
    assert [result.account_id for result in report.results] == [2, 3]
    assert len(crowd.ledger.store.outbox) == 1, "its owner is told once"


async def test_a_key_revoked_after_the_send_leaves_the_order_to_be_found(crowd: World) -> None:
    crowd.on(CREATE, lambda: crowd.fault("key_revoked", uid=crowd.uid(1)), after=True)
    report = await crowd.cycle("buy")
    assert crowd.order("e", 1).state in (OrderState.ACCEPTED, OrderState.UNKNOWN)
    assert result_of(report, 1).outcome == "unresolved"
    assert not crowd.ledger.store.accounts[1].trading_enabled
    assert crowd.order("e", 2).state is OrderState.FILLED


async def test_an_exchange_that_hangs_for_one_account_does_not_delay_the_others(crowd: World) -> None:
    hang = crowd.transport.hanging[crowd.api_key(1)] = asyncio.Event()
    running = asyncio.create_task(crowd.cycle("buy"))
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert [crowd.order("e", account).state for account in (2, 3)] == [OrderState.FILLED] * 2
    assert crowd.clock.now_ms() - crowd.t_ms < 5_000
    assert crowd.orders(1) == []
    hang.set()
    report = await running
    assert [result.outcome for result in report.results] == ["skipped", "bought", "bought"]


async def test_a_bug_on_one_accounts_path_is_contained_and_visible(crowd: World) -> None:
    crowd.spoil_key(1)
    report = await crowd.cycle("buy")
    assert [result.outcome for result in report.results] == ["failed", "bought", "bought"]
    assert "internal error" in english(crowd.log(1).summary.message)


async def test_a_bug_that_cannot_even_be_written_down_stops_nobody(crowd: World) -> None:
    plan = crowd.ledger.plan

    async def broken(account, *more):  # type: ignore[no-untyped-def]
        if account.account_id == 1:
            raise ValueError("broken")
        return await plan(account, *more)

    crowd.ledger.plan = broken  # type: ignore[method-assign]
    report = await crowd.cycle("buy")
    assert [result.outcome for result in report.results] == ["failed", "bought", "bought"]


async def test_a_ledger_too_busy_to_pause_an_account_stops_nobody(crowd: World) -> None:
    crowd.fault("key_revoked", uid=crowd.uid(1))
    pause = crowd.ledger.pause

    async def busy(account_id: int, why: Reason) -> None:
        crowd.ledger.commit_unknown = "lost"
        await pause(account_id, why)

    crowd.ledger.pause = busy  # type: ignore[method-assign]
    report = await crowd.cycle("buy")
    assert [result.outcome for result in report.results] == ["skipped", "bought", "bought"]


async def test_one_accounts_bug_does_not_keep_the_others_rows_from_being_resolved(crowd: World) -> None:
    crowd.fault("drop_reply", CREATE, count=3)
    crowd.on(CREATE, lambda: crowd.fault("http_5xx_before", "/v5/order/realtime", count=200))
    await crowd.cycle("buy")
    assert [crowd.order("e", account).state for account in (1, 2, 3)] == [OrderState.UNKNOWN] * 3
    crowd.calm()
    crowd.spoil_key(1)
    assert not await reconcile(crowd.context, sweep=False), "one account could not be asked"
    assert [crowd.order("e", account).state for account in (2, 3)] == [OrderState.FILLED] * 2


async def test_accounts_of_another_symbol_do_not_wait_for_the_first() -> None:
    world = World()
    world.add_account(symbol="ETHUSDT")
    world.add_account()
    hang = world.transport.hanging[world.api_key(2)] = asyncio.Event()
    running = asyncio.create_task(world.cycle("buy"))
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert world.order("e", 1).state is OrderState.FILLED
    hang.set()
    await running


async def test_an_account_that_was_switched_off_or_on_after_its_boundary_takes_no_part(crowd: World) -> None:
    people = crowd.ledger.people
    people.set_auto_trade(crowd.user_of(1), False, crowd.clock.now_ms())
    people.set_auto_trade(crowd.user_of(2), False, crowd.clock.now_ms())
    people.set_auto_trade(crowd.user_of(2), True, crowd.t_ms + 1)
    report = await crowd.cycle("buy")
    assert [result.account_id for result in report.results] == [3]


async def test_balances_and_positions_of_one_account_decide_nothing_for_another() -> None:
    world = World()
    world.add_account("10000")
    world.add_account("1", settings=settings())
    report = await world.cycle("buy")
    assert [result.outcome for result in report.results] == ["bought", "skipped"]
    assert "USDT of equity would be needed" in english(result_of(report, 2).reason)
