"""Other hands: a person's, the exchange's. What is put right, what is left alone, who is told."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.order import OrderState
from lib.domain.position import Position
from lib.domain.reason import Reason
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.orders import OrderRequest
from lib.trading.guardian.inspect import FIRING_MS
from tests.factories import SYMBOL
from tests.reasons import english
from tests.worlds.one_process import World, result_of

STOP, TARGET = Decimal(58_800), Decimal(63_000)


def move_stop(world: World, price: int) -> None:
    """The owner moves the stop in the exchange's app."""
    world.engine.dealing.set_protection(world.uid(1), SYMBOL, ProtectionChange(stop_loss=Decimal(price)))


def change_leverage(world: World, leverage: int) -> None:
    world.engine.dealing.set_leverage(world.uid(1), SYMBOL, Decimal(leverage))


async def reasons(world: World) -> list[Reason]:
    return [lock.why for lock in await world.ledger.locks(1)]


async def guarded(world: World, view: str = "buy") -> None:
    """A position of ours that the guardian has seen."""
    await world.cycle("buy" if view == "buy" else "sell")
    await world.guardian.run_pass()
    assert not world.position().is_flat


# --- the stop, moved --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [57_000, 59_900])
async def test_a_stop_moved_inside_the_band_is_the_owners_and_stays(world: World, price: int) -> None:
    await guarded(world)
    move_stop(world, price)
    for _ in range(3):
        await world.guardian.run_pass()
    assert world.position().stop_loss == price
    assert await reasons(world) == []


async def test_a_stop_moved_too_far_is_put_back(world: World) -> None:
    await guarded(world)
    move_stop(world, 55_000)
    await world.guardian.run_pass()
    assert (world.position().stop_loss, world.position().take_profit) == (STOP, TARGET)


async def test_a_stop_moved_too_far_goes_back_to_the_owners_last_good_one(world: World) -> None:
    await guarded(world)
    move_stop(world, 59_400)
    await world.guardian.run_pass()
    move_stop(world, 55_000)
    await world.guardian.run_pass()
    assert world.position().stop_loss == 59_400


async def test_a_stop_moved_beyond_liquidation_is_put_back(world: World) -> None:
    await guarded(world, "sell")
    change_leverage(world, 30)
    move_stop(world, 62_000)
    await world.guardian.run_pass()
    assert world.position().stop_loss == 61_200


async def test_a_restarted_guardian_leaves_the_owners_stop_alone(world: World) -> None:
    await guarded(world)
    move_stop(world, 59_400)
    world.guardian = type(world.guardian)(world.new_context())
    await world.guardian.run_pass()
    assert world.position().stop_loss == 59_400


async def test_a_target_the_owner_took_away_stays_away(world: World) -> None:
    await guarded(world)
    world.engine.dealing.set_protection(world.uid(1), SYMBOL, ProtectionChange(take_profit=Decimal(0)))
    await world.guardian.run_pass()
    await world.guardian.run_pass()
    assert world.position().take_profit == 0


async def test_a_stop_the_price_has_passed_is_given_seconds_and_then_the_position_closed(world: World) -> None:
    await guarded(world)
    world.guardian.context = replace(world.context, exchanges=Marked(world.context.exchanges, STOP - 1))
    await world.guardian.run_pass()
    assert len(world.transport.orders()) == 1
    world.wait(FIRING_MS / 1000)
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert world.order("g").state is OrderState.FILLED


async def test_a_price_that_came_back_from_the_stop_is_forgotten(world: World) -> None:
    await guarded(world)
    marked = Marked(world.context.exchanges, STOP - 1)
    for context in (replace(world.context, exchanges=marked), world.context, replace(world.context, exchanges=marked)):
        world.guardian.context = context
        await world.guardian.run_pass()
        world.wait(FIRING_MS / 1000)
    assert not world.position().is_flat


class Marked:
    """Exchanges at which the mark price is *mark*."""

    def __init__(self, inner: Any, mark: Decimal) -> None:
        self._inner, self._mark = inner, mark

    def open(self, *args: Any) -> Any:
        exchange = self._inner.open(*args)
        read = exchange.position

        async def position(symbol: str) -> Position:
            seen: Position = await read(symbol)
            return replace(seen, mark=self._mark)

        exchange.position = position
        return exchange


async def test_a_repair_that_got_no_answer_is_tried_again_and_nothing_closed(world: World) -> None:
    await guarded(world)
    world.remove_stop()
    world.fault("http_5xx_before", "/v5/position/trading-stop", count=2)
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    assert world.guardian.closed == 0


async def test_with_the_database_away_a_position_a_person_changed_is_still_protected(world: World) -> None:
    async def away(*_: object) -> Any:
        raise Retry("the database is away")

    await guarded(world)
    for name in ("accounts", "open_orders", "last_entry", "books", "record_fills"):
        setattr(world.ledger, name, away)
    world.by_hand("sell", "0.010")
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP


# --- leverage and mode ------------------------------------------------------------------------------------------------


async def test_leverage_changed_by_hand_locks_entries_and_says_why_once(world: World) -> None:
    await guarded(world)
    change_leverage(world, 3)
    for _ in range(3):
        await world.guardian.run_pass()
    assert await reasons(world) == [codes.EXTERNAL_LEVERAGE_CHANGE()]
    assert not world.position().is_flat
    assert await world.ledger.unlock(1, "external", "the owner")
    await world.guardian.run_pass()
    assert await reasons(world) == [], "what a person ended is not locked again for the same reason"


async def test_leverage_that_brings_liquidation_before_the_stop_closes_the_position(world: World) -> None:
    await guarded(world)
    change_leverage(world, 50)
    assert world.position().stop_loss == STOP
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert world.order("g").state is OrderState.FILLED


async def test_hedge_mode_pauses_the_account_and_tells_its_owner_once(world: World) -> None:
    await guarded(world)
    world.fault("mode_changed", "/v5/position/list", mode=3)
    for _ in range(3):
        await world.guardian.run_pass()
    assert not (await world.trader_account(1)).trading_enabled
    assert len(world.ledger.store.outbox) == 1
    assert "hedge mode" in english(world.ledger.store.outbox[0][1])
    assert world.position().stop_loss == STOP


# --- quantities -------------------------------------------------------------------------------------------------------


async def test_a_position_a_person_added_to_is_guarded_and_entries_are_locked(world: World) -> None:
    await guarded(world)
    world.by_hand("buy", "0.020")
    await world.guardian.run_pass()
    assert await reasons(world) == [], "executions may be listed a moment after the position"
    for _ in range(2):
        await world.guardian.run_pass()
    assert await reasons(world) == [codes.EXTERNAL_POSITION_CHANGE()]
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    report = await world.cycle("sell")
    assert result_of(report).outcome == "refused"


async def test_a_position_a_person_shrank_is_still_ours_and_guarded(world: World) -> None:
    await guarded(world)
    left = world.position().qty - Decimal("0.010")
    world.by_hand("sell", "0.010")
    await world.guardian.run_pass()
    world.remove_stop()
    await world.guardian.run_pass()
    assert (world.position().qty, world.position().stop_loss) == (left, STOP)
    assert (await world.ledger.books((1, SYMBOL))).position.qty == left
    assert await reasons(world) == []


async def test_a_position_a_person_turned_round_is_left_alone(world: World) -> None:
    await guarded(world)
    ours = world.position().qty
    world.by_hand("sell", str(ours * 2))
    for _ in range(4):
        await world.guardian.run_pass()
    assert await reasons(world) == [codes.EXTERNAL_POSITION_CHANGE()]
    assert world.position().qty == -ours
    assert world.position().stop_loss == 0
    assert len(world.transport.orders()) == 1


async def test_an_order_by_hand_beside_our_position_locks_entries_when_it_is_heard_of(world: World) -> None:
    await guarded(world)
    request = OrderRequest(SYMBOL, "buy", Decimal("0.01"), order_type="Limit", price=Decimal(55_000))
    world.engine.dealing.place(world.uid(1), request)
    world.guardian.heard(1)
    await world.guardian.run_pass()
    assert await reasons(world) == [codes.EXTERNAL_ORDER_BESIDE_POSITION()]


async def test_a_close_by_hand_is_booked_at_once(world: World) -> None:
    await guarded(world)
    world.by_hand("sell", str(world.position().qty))
    assert await world.guardian.run_pass() == 0
    books = await world.ledger.books((1, SYMBOL))
    assert books.position.is_flat
    assert books.balance == world.cash()


async def test_a_target_that_was_hit_is_booked_at_once(world: World) -> None:
    await guarded(world)
    world.trade_at(63_100)
    assert await world.guardian.run_pass() == 0
    assert (await world.ledger.books((1, SYMBOL))).balance == world.cash()
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).last_stop_ms == 0


async def test_executions_listed_a_moment_late_are_no_other_hand(world: World) -> None:
    await world.cycle("buy")
    late = Late(world.context.exchanges)
    world.guardian.context = replace(world.context, exchanges=late)
    await world.guardian.run_pass()
    late.parts = 1
    await world.guardian.run_pass()
    late.parts = 0
    world.remove_stop()
    for _ in range(3):
        await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    assert await reasons(world) == []


class Late:
    """Exchanges that list of our executions nothing yet (*parts* 2), half (1), or all (0)."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.parts = 2

    def open(self, *args: Any) -> Any:
        exchange = self._inner.open(*args)
        read = exchange.fills_since

        async def fills_since(symbol: str, since_ms: int) -> list[Any]:
            found = await read(symbol, since_ms)
            return (
                [replace(one, qty=one.qty / 2) for one in found] if self.parts == 1 else found if not self.parts else []
            )

        exchange.fills_since = fills_since
        return exchange


# --- the exchange's own hand ------------------------------------------------------------------------------------------


async def test_a_liquidation_is_booked_and_its_owner_told_once(world: World) -> None:
    await guarded(world)
    world.remove_stop()
    world.trade_at(40_000)
    assert world.position().is_flat
    for _ in range(3):
        await world.guardian.run_pass()
    assert (await world.ledger.books((1, SYMBOL))).balance == world.cash()
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).last_stop_ms > 0
    assert [english(why).split(" of ")[0] for _, why in world.ledger.store.outbox] == [
        f"the exchange liquidated {world.order().filled_qty} BTCUSDT"
    ]


async def test_auto_deleveraging_is_told_and_what_is_left_stays_guarded(world: World) -> None:
    await guarded(world)
    taken = Decimal("0.010")
    world.by_hand("sell", str(taken))
    world.guardian.context = replace(world.context, exchanges=Deleveraged(world.context.exchanges))
    for _ in range(3):
        await world.guardian.run_pass()
    reduced = codes.REDUCED_BY_ADL(qty=Decimal("0.01"), symbol="BTCUSDT", price=60_000)
    assert [why for _, why in world.ledger.store.outbox] == [reduced]
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP


class Deleveraged:
    """Exchanges at which every execution without a link id was the exchange's doing."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def open(self, *args: Any) -> Any:
        exchange = self._inner.open(*args)
        read = exchange.fills_since

        async def fills_since(symbol: str, since_ms: int) -> list[Any]:
            found = await read(symbol, since_ms)
            return [one if one.order_link_id else replace(one, kind="adl") for one in found]

        exchange.fills_since = fills_since
        return exchange
