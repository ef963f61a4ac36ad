"""A row nobody can ask the exchange about waits a day and is then a person's; what never left simply expires."""

from dataclasses import replace

import pytest

from lib.domain.order import EVIDENCE_LIFE_MS, MAX_AGE_MS, Order, OrderState
from lib.trading.orders import reconcile as reconciling
from lib.trading.orders.reconcile import reconcile
from lib.trading.orders.resolve import resolve_once
from tests.factories import SYMBOL
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

S = OrderState
DAY_S = EVIDENCE_LIFE_MS / 1000 + 600


@pytest.fixture
async def lost(world: World) -> World:
    """An entry whose reply was lost and whose query failed: UNKNOWN, with the exchange silent since."""
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    assert world.order().state is S.UNKNOWN
    world.calm()
    return world


def put(world: World, state: OrderState, **changes: object) -> Order:
    """Let the newest entry's row be in *state*, as a crash may leave it."""
    row = replace(world.order(), state=state, **changes)  # type: ignore[arg-type]
    world.ledger.store.orders[row.id] = row
    return row


def without_key(world: World, account_id: int = 1) -> None:
    """The account is no longer among those the trader has a key for."""
    store = world.ledger.store
    store.accounts[account_id] = replace(store.accounts[account_id], active=False)


async def test_without_a_key_an_unknown_row_waits_a_day_for_one(lost: World) -> None:
    without_key(lost)
    lost.wait(3_600)
    await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.UNKNOWN


@pytest.mark.parametrize("state", [S.SUBMITTING, S.ACCEPTED, S.UNKNOWN])
async def test_without_a_key_a_row_that_may_have_left_is_a_persons_after_a_day(lost: World, state: OrderState) -> None:
    put(lost, state)
    without_key(lost)
    lost.wait(DAY_S)
    await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.NEEDS_HUMAN
    await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.NEEDS_HUMAN, "and stays with them"


async def test_without_a_key_a_row_that_never_left_expires(lost: World) -> None:
    put(lost, S.PLANNED, attempts=0)
    without_key(lost)
    lost.to(lost.t_ms + MAX_AGE_MS + 1)
    await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.EXPIRED


async def test_a_row_closed_by_somebody_else_meanwhile_is_not_handed_over(lost: World) -> None:
    stale = put(lost, S.ACCEPTED)
    put(lost, S.FILLED)
    await reconciling._give_up(lost.context, stale)
    assert lost.order().state is S.FILLED


async def test_a_refused_key_pauses_its_account_once_and_its_rows_wait_for_a_day(lost: World) -> None:
    lost.fault("key_revoked", uid=lost.uid(1))
    assert not await reconcile(lost.context, sweep=False)
    assert not await reconcile(lost.context, sweep=False)
    assert not (await lost.trader_account(1)).trading_enabled
    assert lost.order().state is S.UNKNOWN
    lost.wait(DAY_S)
    await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.NEEDS_HUMAN


@pytest.mark.parametrize("state", [S.SUBMITTING, S.ACCEPTED, S.UNKNOWN])
async def test_no_evidence_after_a_day_is_a_persons_whatever_the_row_was(world: World, state: OrderState) -> None:
    world.fault("http_5xx_before", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=99))
    await world.cycle("buy")
    world.calm()
    row = put(world, state)
    world.wait(DAY_S)
    assert (await resolve_once(world.context, await world.exchange(1), row)).state is S.NEEDS_HUMAN


async def test_an_exchange_that_cannot_be_asked_leaves_the_account_unreconciled(lost: World) -> None:
    lost.fault("http_5xx_before", "/v5/order/realtime", count=99)
    assert not await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.UNKNOWN


async def test_a_bug_of_one_account_is_its_own(lost: World) -> None:
    lost.spoil_key(1)
    assert not await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.UNKNOWN


async def test_a_row_that_is_a_persons_already_is_left_to_them_though_the_key_works(lost: World) -> None:
    put(lost, S.NEEDS_HUMAN)
    assert await reconcile(lost.context, sweep=False)
    assert lost.order().state is S.NEEDS_HUMAN


async def test_a_sweep_without_the_lease_brings_rows_forward_and_stands_for_no_later_cycle(lost: World) -> None:
    await lost.ledger.hold_lease("trader-1", 600_000)
    other = lost.new_context("trader-2")
    assert await reconcile(other, sweep=True)
    assert lost.order().state is S.FILLED
    assert other.state.swept_under((1, SYMBOL)) is None
