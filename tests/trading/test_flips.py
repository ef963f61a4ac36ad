"""Turning a position round: out first, in only after flat is proved."""

from decimal import Decimal
from typing import Any

import pytest

from lib.domain.errors import Retry
from lib.domain.order import MAX_AGE_MS, OrderState
from lib.domain.reason import text
from lib.trading.orders.reconcile import reconcile
from tests.factories import decision, settings
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE


async def test_a_flip_closes_first_and_sizes_its_entry_after_flat(world: World) -> None:
    await world.cycle("buy")
    entry_at_exit: list[Decimal | None] = []
    world.on(CREATE, lambda: entry_at_exit.append(world.order("e").qty))
    report = await world.cycle("sell")
    assert entry_at_exit[0] is None, "not sized before the exit is done"
    _, close, entry = world.transport.orders()
    assert (close["side"], close["reduceOnly"], close["orderType"]) == ("Sell", True, "Market")
    assert (entry["side"], entry["reduceOnly"], entry["stopLoss"]) == ("Sell", False, "61200.0")
    assert world.position().direction == "short"
    assert world.position().qty == -world.order("e").filled_qty
    assert result_of(report).outcome == "sold"
    assert result_of(report).difference == 0


async def test_a_flips_entry_rests_on_the_balance_after_the_exit(world: World) -> None:
    await world.cycle("buy")
    world.trade_at(59_500)
    await world.cycle(decision("sell", stop_loss="0.01"))
    row = world.order("e")
    assert row.state is OrderState.FILLED
    cash_before_entry = world.cash() + row.fee
    worst = Decimal("0.013") * 59_500  # from the edge of the collar to the stop
    assert row.qty == Decimal("0.001") * int(Decimal("0.01") * cash_before_entry / worst * 1000)


async def test_a_flip_whose_exit_never_arrived_enters_nothing(world: World) -> None:
    await world.cycle("buy")
    held = world.position()
    world.fault("drop_before", CREATE)
    await world.cycle("sell")
    assert world.order("x").state is OrderState.ABSENT
    assert world.order("e").state is OrderState.EXPIRED
    assert world.position().qty == held.qty
    assert world.position().stop_loss == held.stop_loss, "the old position keeps its stop"
    assert world.log().summary.outcome == "failed"


async def test_a_flip_whose_exit_cannot_be_proved_expires_and_stays_flat(world: World) -> None:
    await world.cycle("buy")
    world.on(CREATE, lambda: world.fault("http_5xx_before", "/v5/order/realtime", count=500))
    await world.cycle("sell")
    assert world.order("e").state is OrderState.EXPIRED
    assert world.clock.now_ms() > world.t_ms + MAX_AGE_MS
    assert world.position().is_flat
    world.calm()
    await reconcile(world.context, sweep=False)
    assert world.order("x").state is OrderState.FILLED
    assert world.log().summary.outcome == "closed"
    assert len(world.transport.orders()) == 2


async def test_a_partly_filled_exit_stops_the_turn(world: World) -> None:
    await world.cycle("buy")
    world.fault("partial_fill", share="0.5")
    await world.cycle("sell")
    assert world.order("x").state is OrderState.PARTIAL
    assert world.order("e").state is OrderState.EXPIRED
    assert world.position().direction == "long"
    assert world.position().stop_loss > 0


async def test_a_long_only_account_closes_instead_of_turning() -> None:
    world = World()
    world.add_account(settings=settings(long_only=True))
    await world.cycle("buy")
    report = await world.cycle("sell")
    assert result_of(report).outcome == "closed"
    assert "only goes long" in english(result_of(report).reason)
    assert world.position().is_flat
    assert [body["reduceOnly"] for body in world.transport.orders()] == [False, True]


async def test_closing_passes_no_entry_gate(world: World) -> None:
    await world.cycle("buy")
    await world.ledger.lock(1, "daily_loss", world.clock.now_ms() + 3_600_000, text("enough for today"))
    report = await world.cycle("sell")
    assert result_of(report).outcome == "closed"
    assert world.position().is_flat


async def test_switching_off_between_plan_and_claim_stops_the_entry_but_not_the_exit(world: World) -> None:
    await world.cycle("buy")
    world.on(CREATE, lambda: world.ledger.people.set_auto_trade(world.user_of(1), False, world.clock.now_ms()))
    await world.cycle("sell")
    assert world.order("x").state is OrderState.FILLED
    assert world.order("e").state is OrderState.BLOCKED
    assert world.position().is_flat


async def test_a_settings_change_between_exit_and_entry_stops_the_entry(world: World) -> None:
    await world.cycle("buy")
    world.on(CREATE, lambda: world.ledger.people.change_settings(world.user_of(1), settings(max_leverage=2)))
    await world.cycle("sell")
    assert world.order("x").state is OrderState.FILLED
    assert world.order("e").state is OrderState.BLOCKED


async def test_a_flips_exit_takes_no_more_than_what_is_still_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("buy")
    ours = world.position().qty
    plan = world.ledger.plan

    async def frozen(*args: Any) -> Any:
        """Planned, and then frozen while the owner closes by hand and opens a position of their own."""
        rows = await plan(*args)
        world.by_hand("sell", str(ours - Decimal("0.001")))
        world.by_hand("buy", "0.500")
        return rows

    monkeypatch.setattr(world.ledger, "plan", frozen)
    await world.cycle("sell")
    assert [order for order in world.accepted() if order.reduce_only] == []
    assert world.order("x").state is OrderState.BLOCKED
    assert world.order("e").state is OrderState.EXPIRED
    assert world.position().qty == Decimal("0.501"), "theirs is untouched"


async def test_a_flips_exit_that_is_taken_up_again_is_held_against_what_is_ours_by_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("buy")
    ours, plan = world.position().qty, world.ledger.plan

    async def killed(*args: Any) -> Any:
        await plan(*args)
        raise Retry("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "plan", killed)
        await world.cycle("sell")
    assert world.order("x").state is OrderState.PLANNED
    world.by_hand("sell", str(ours))
    world.by_hand("buy", "0.500")
    await world.again()
    assert world.order("x").state is OrderState.BLOCKED
    assert world.position().qty == Decimal("0.500"), "theirs is untouched"
