"""What people are told of is in the outbox with the thing itself, once, on every implementation of the ledger."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.events import Event, EventKind
from lib.domain.order import OrderState
from lib.domain.reason import text
from lib.domain.switches import Flags
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import submitted, trading_account, verdict
from tests.factories import SYMBOL, T

S = OrderState


async def test_an_entry_is_told_when_its_verdict_is_written_and_once(world: World) -> None:
    account, order = await submitted(world)
    assert world.told() == []
    for _ in range(2):
        await world.ledger.close_order(order, verdict(filled="0.010"))
    (told,) = world.told()
    assert told[:2] == (account.account_id, "entry")
    assert told[2].params["stop"] == order.stop_loss
    assert told[2].params["qty"] == Decimal("0.010")


@pytest.mark.parametrize("state", [S.REJECTED, S.CANCELLED])
async def test_an_entry_that_filled_nothing_is_not_told(world: World, state: OrderState) -> None:
    _, order = await submitted(world)
    await world.ledger.close_order(order, verdict(state, "0"))
    assert world.told() == []


async def test_an_order_nobody_could_prove_is_told_to_its_owner(world: World) -> None:
    account, order = await submitted(world)
    row = await world.ledger.move(order, S.UNKNOWN, text("timed out"))
    assert row is not None
    await world.ledger.move(row, S.NEEDS_HUMAN, text("no proof within a day"))
    why = codes.ORDER_NEEDS_YOU(symbol=SYMBOL, link=order.order_link_id)
    assert world.told() == [(account.account_id, "unresolved", why)]


@pytest.mark.parametrize(("by_stop", "kind"), [(False, "exit"), (True, "stop")])
async def test_the_end_of_a_round_trip_is_told_with_its_result_however_often_it_is_read(
    world: World, by_stop: bool, kind: str
) -> None:
    account = await trading_account(world)
    opened = make.fill("1", "buy", "0.010", "60000", order_link_id="", fee=Decimal("0.3"))
    half = make.fill("2", "sell", "0.004", "61000", order_link_id="", fee=Decimal("0.1"))
    rest = replace(make.fill("3", "sell", "0.006", "61000", order_link_id="", fee=Decimal("0.2")), is_stop=by_stop)
    for seen in ([opened], [opened, half], [half, rest], [opened, half, rest]):
        await world.ledger.record_fills(account.account_id, seen)
    left = codes.LEFT(symbol=SYMBOL, way="long", price=Decimal(61000), result=Decimal("9.7"))
    assert world.told() == [(account.account_id, kind, left)]


async def test_a_forced_end_is_an_end_and_not_a_stop_of_ours(world: World) -> None:
    account = await trading_account(world)
    opened = make.fill("1", "sell", "0.010", "60000", order_link_id="", fee=Decimal(0))
    forced = make.fill("2", "buy", "0.010", "66000", order_link_id="", fee=Decimal(0))
    await world.ledger.record_fills(account.account_id, [opened, replace(forced, is_stop=True, kind="liquidation")])
    left = codes.LEFT(symbol=SYMBOL, way="short", price=Decimal(66000), result=Decimal(-60))
    assert world.told() == [(account.account_id, "exit", left)]


@pytest.mark.parametrize("whole_platform", [False, True])
async def test_a_proved_stop_is_told_once_to_whom_it_concerns(world: World, whole_platform: bool) -> None:
    account = await trading_account(world)
    number = 0 if whole_platform else account.account_id
    stop = Flags(trading_enabled=False, flatten=False)
    if whole_platform:
        await world.ledger.set_flags(stop, "operator")
        at = (await world.ledger.flags()).switched_ms
    else:
        await world.ledger.set_account_flags(number, stop, "user:1")
        at = (await world.ledger.accounts())[0].switched_ms
    assert not await world.ledger.prove_stopped(number, at - 1, T)
    for _ in range(2):
        assert await world.ledger.prove_stopped(number, at, T + 60_000)
    assert world.told() == [(number, "proved", codes.STOP_IS_PROVED())]


@pytest.mark.parametrize("applied", [True, False])
async def test_what_is_told_is_committed_with_the_thing_or_not_at_all(world: World, applied: bool) -> None:
    account = await trading_account(world)
    world.fail_next_commit(applied=applied)
    with pytest.raises(Retry):
        await world.ledger.pause(account.account_id, text("the key was revoked"))
    assert len(world.told()) == int(applied)


async def test_an_event_about_the_same_thing_is_kept_once_and_one_about_nothing_each_time(world: World) -> None:
    account = await trading_account(world)
    for about in ("x", "x", "y", "", ""):
        await world.ledger.notice(account.account_id, Event(EventKind.OPERATOR, text("said"), about))
    assert len(world.told()) == 4
