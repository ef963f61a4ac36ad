"""Every off-switch works until the last moment: what changed after the plan stops the entry at the claim."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.domain.locks import RiskLock
from lib.domain.order import OrderState
from lib.domain.reason import text
from lib.domain.switches import Flags
from tests.factories import T, settings
from tests.fakes.accounts import LockRow
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

SET_LEVERAGE = "/v5/position/set-leverage"

Change = Callable[[World], None]


def auto_trade_off(world: World) -> None:
    world.ledger.people.set_auto_trade(world.user_of(1), False, world.clock.now_ms())


def kill_switch(world: World) -> None:
    world.ledger.people.set_flags(Flags(trading_enabled=False, flatten=False), "operator")


def flatten_all(world: World) -> None:
    world.ledger.people.set_flags(Flags(trading_enabled=True, flatten=True), "operator")


def account_paused(world: World) -> None:
    world.ledger.people.set_account_flags(1, Flags(trading_enabled=False, flatten=False))


def settings_changed(world: World) -> None:
    world.ledger.people.change_settings(world.user_of(1), settings(max_leverage=2))


def key_replaced(world: World) -> None:
    world.rekey(1)


def account_deleted(world: World) -> None:
    user = world.ledger.store.users[world.user_of(1)]
    world.ledger.store.users[world.user_of(1)] = replace(user, deleted=True)


def entries_locked(world: World) -> None:
    held = RiskLock(1, "drawdown", world.clock.now_ms() + 3_600_000, text("fell by 20 %"), world.clock.now_ms())
    world.ledger.store.locks[1, 0, "drawdown"] = LockRow(held)


CHANGES = (
    auto_trade_off,
    kill_switch,
    flatten_all,
    account_paused,
    settings_changed,
    key_replaced,
    account_deleted,
    entries_locked,
)


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_between_plan_and_claim_stops_the_entry(world: World, change: Change) -> None:
    world.on(SET_LEVERAGE, lambda: change(world))
    await world.cycle("buy")
    assert world.order().state is OrderState.BLOCKED
    assert world.transport.orders() == []
    assert world.accepted() == []
    assert world.log().summary.outcome == "refused"


@pytest.mark.parametrize("change", [auto_trade_off, kill_switch, settings_changed, entries_locked])
async def test_what_changes_before_a_resend_leaves_the_row_to_a_query(world: World, change: Change) -> None:
    world.fault("rate_limit_past_reset", CREATE)
    world.on(CREATE, lambda: change(world))
    await world.cycle("buy")
    assert len(world.transport.orders()) == 1
    assert world.order().state is OrderState.ABSENT


async def test_an_entry_too_old_at_the_claim_expires(world: World) -> None:
    world.on(SET_LEVERAGE, lambda: world.clock.advance_to(T + 91_000), after=True)
    await world.cycle("buy")
    assert world.order().state is OrderState.EXPIRED
    assert world.transport.orders() == []


async def test_a_lost_lease_stops_the_entry(world: World) -> None:
    store = world.ledger.store
    world.on(SET_LEVERAGE, lambda: setattr(store, "lease", replace(store.lease, holder="trader-2")))
    await world.cycle("buy")
    assert world.order().state is OrderState.PLANNED
    assert world.transport.orders() == []


async def test_an_account_on_another_feeds_prices_never_enters(world: World) -> None:
    row = world.ledger.store.accounts[1]
    world.ledger.store.accounts[1] = replace(row, feed="bybit")
    report = await world.cycle("buy")
    assert report.results == ()
    assert world.transport.orders() == []
