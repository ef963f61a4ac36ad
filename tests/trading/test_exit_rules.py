"""Exits by the rules of the entry: break-even, time stop, the venue's own trailing stop."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.events import EventKind
from lib.domain.exit_rules import NO_RULES, ExitRules
from lib.domain.order import OrderState
from lib.domain.stops import IN_FLIGHT_MS, StopMove
from lib.domain.venues import CAPABILITIES
from lib.simulator.engine.orders import Trail
from lib.simulator.engine.protection import trail_of
from lib.trading.guardian.task import Guardian
from tests.factories import SYMBOL, decision
from tests.worlds.one_process import World

TRADING_STOP = "/v5/position/trading-stop"
ENTRY_STOP = Decimal(58_800)
EVEN, SHORT_EVEN = Decimal("60066.0"), Decimal("59934.1")
"""Both fees of 0.055 % paid, rounded to the tick away from the price."""
ONE = Decimal(1)
BREAK_EVEN, HOUR = ExitRules(break_even_r=ONE), ExitRules(time_stop_min=60)
TRAILING, LATER = ExitRules(trail_r=ONE), ExitRules(trail_r=ONE, trail_from_r=ONE)


def choose(world: World, rules: ExitRules) -> None:
    settings = world.ledger.store.users[world.user_of(1)].settings
    world.ledger.people.change_settings(world.user_of(1), replace(settings, exits=rules))


async def held(world: World, rules: ExitRules, side: str = "buy") -> None:
    """A position at 60,000 whose stop is 1,200 away, guarded."""
    choose(world, rules)
    await world.cycle(decision(cast(Any, side), stop_loss="0.02", take_profit="0.15"))
    assert not world.position().is_flat
    await world.guardian.run_pass()


def calls(world: World) -> int:
    return sum(path == TRADING_STOP for _, path, _ in world.transport.sent)


def moves(world: World) -> list[StopMove]:
    return [move for _, move in world.ledger.store.stop_moves.values()]


def trail(world: World) -> Trail:
    account = world.engine.accounts[world.uid(1)]
    return trail_of(account, world.engine.books.holding(account, SYMBOL))


def drop_trail(world: World) -> None:
    """The owner cancels the trailing stop in the exchange's app."""
    world.engine.dealing.cancel_all(world.uid(1), lambda order: order.stop_order_type == "TrailingStop")


def told(world: World) -> list[EventKind]:
    return [event.kind for _, event in world.ledger.store.events_told]


class Away:
    """The ledger of *world*, without what was cut off."""

    def __init__(self, world: World, *cut: str) -> None:
        self._world, self._cut = world, cut

    def __getattr__(self, name: str) -> Any:
        async def away(*args: object) -> None:
            raise Retry("the database is away")

        return away if name in self._cut or not self._cut else getattr(self._world.ledger, name)


# --- break-even -------------------------------------------------------------------------------------------------------


async def test_one_r_in_profit_the_stop_goes_to_where_both_fees_are_paid(world: World) -> None:
    await held(world, BREAK_EVEN)
    target = world.position().take_profit
    world.trade_at(61_199)
    await world.guardian.run_pass()
    assert (world.position().stop_loss, moves(world)) == (ENTRY_STOP, [])
    world.trade_at(61_200)
    await world.guardian.run_pass()
    assert (world.position().stop_loss, world.position().take_profit) == (EVEN, target)
    await world.guardian.run_pass()
    (move,) = moves(world)
    assert (move.t_ms, move.price, bool(move.settled_ms)) == (world.order().t_ms + 1, EVEN, True)
    assert (calls(world), told(world).count(EventKind.MOVED)) == (1, 1)


async def test_a_short_breaks_even_below_its_entry(world: World) -> None:
    await held(world, BREAK_EVEN, "sell")
    world.trade_at(58_800)
    await world.guardian.run_pass()
    assert world.position().stop_loss == SHORT_EVEN


async def test_a_move_by_rule_is_written_before_it_is_called(world: World) -> None:
    await held(world, BREAK_EVEN)
    world.trade_at(61_200)
    written: list[int] = []
    world.on(TRADING_STOP, lambda: written.append(len(moves(world))))
    await world.guardian.run_pass()
    assert written == [1]


async def test_a_move_the_ledger_does_not_take_is_not_called(world: World) -> None:
    await held(world, BREAK_EVEN)
    world.trade_at(61_200)
    world.guardian.context = replace(world.context, orders=cast(Any, Away(world, "move_stop")))
    await world.guardian.run_pass()
    assert (calls(world), world.position().stop_loss) == (0, ENTRY_STOP)
    world.guardian.context = world.context
    await world.guardian.run_pass()
    assert world.position().stop_loss == EVEN


async def test_a_stop_nearer_than_break_even_stays(world: World) -> None:
    await held(world, BREAK_EVEN)
    world.trade_at(61_000)
    await world.cycle(decision("tighten", "0.8", 1, "it is won", "0.01", 0))
    await world.guardian.run_pass()
    nearer = world.position().stop_loss
    assert nearer > EVEN
    world.trade_at(61_200)
    await world.guardian.run_pass()
    assert (world.position().stop_loss, len(moves(world))) == (nearer, 1)


async def test_break_even_waits_until_the_price_is_twice_as_far_as_the_fees(world: World) -> None:
    choose(world, ExitRules(break_even_r=Decimal("0.5")))
    await world.cycle(decision("buy", stop_loss="0.002", take_profit="0.01"))
    await world.guardian.run_pass()
    world.trade_at(60_100)
    await world.guardian.run_pass()
    assert moves(world) == []
    world.trade_at(60_140)
    await world.guardian.run_pass()
    assert world.position().stop_loss == EVEN


async def test_the_rules_of_an_open_position_are_those_of_its_entry_in_every_process(world: World) -> None:
    await held(world, BREAK_EVEN)
    choose(world, NO_RULES)
    world.trade_at(61_200)
    await Guardian(world.new_context("trader-2")).run_pass()
    assert world.position().stop_loss == EVEN


async def test_rules_chosen_later_do_not_reach_an_open_position(world: World) -> None:
    await held(world, NO_RULES)
    choose(world, ExitRules(ONE, 5, ONE))
    world.trade_at(61_200)
    world.wait(600)
    for guardian in (world.guardian, Guardian(world.new_context("trader-2"))):
        await guardian.run_pass()
    assert (world.position().stop_loss, trail(world), world.position().is_flat) == (ENTRY_STOP, Trail(), False)


async def test_what_one_position_reached_counts_for_no_other(world: World) -> None:
    await held(world, LATER)
    world.trade_at(62_000)
    await world.guardian.run_pass()
    world.by_hand("sell", str(world.position().qty))
    world.trade_at(60_000)
    await held(world, LATER)
    assert trail(world).active_price == Decimal(61_200)
    drop_trail(world)
    world.wait(20)
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP


# --- time stop --------------------------------------------------------------------------------------------------------


async def test_a_position_is_closed_when_its_time_is_over_and_its_owner_is_told_why(world: World) -> None:
    await held(world, HOUR)
    world.wait(3_590)
    await world.guardian.run_pass()
    assert not world.position().is_flat
    world.wait(15)
    await world.guardian.run_pass()
    why = codes.HELD_TO_TIME_STOP(minutes=60)
    assert world.position().is_flat
    assert (world.order("g").state, world.log(t_ms=world.order("g").t_ms).reason) == (OrderState.FILLED, why)
    assert [event.why for _, event in world.ledger.store.events_told if event.why == why] == [why]


async def test_the_time_of_a_position_runs_on_while_no_process_looks(world: World) -> None:
    await held(world, HOUR)
    world.wait(3_620)
    await Guardian(world.new_context("trader-2")).run_pass()
    assert world.position().is_flat


async def test_a_time_stop_is_no_reason_to_leave_a_lost_stop_alone(world: World) -> None:
    await held(world, HOUR)
    world.wait(3_620)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    await world.guardian.run_pass()
    assert world.position().is_flat


async def test_executions_that_cannot_be_read_close_nothing(world: World) -> None:
    choose(world, HOUR)
    await world.cycle("buy")
    world.fault("http_5xx_before", "/v5/execution/list", count=9)
    world.wait(3_620)
    await world.guardian.run_pass()
    assert not world.position().is_flat
    world.calm()
    await world.guardian.run_pass()
    assert world.position().is_flat


async def test_a_time_stop_that_cannot_close_now_closes_later(world: World) -> None:
    await held(world, HOUR)
    world.wait(3_620)
    world.guardian.context = replace(world.context, orders=cast(Any, Away(world, "plan_exit")))
    await world.guardian.run_pass()
    assert not world.position().is_flat
    world.guardian.context = world.context
    await world.guardian.run_pass()
    assert world.position().is_flat


async def test_a_time_stop_closes_no_more_than_our_part(world: World) -> None:
    await held(world, HOUR)
    ours = world.position().qty
    world.by_hand("buy", "0.010")
    world.wait(3_620)
    for _ in range(4):
        await world.guardian.run_pass()
        world.wait(2)
    assert world.position().qty == Decimal("0.010")
    assert world.order("g").qty == ours


# --- trailing ---------------------------------------------------------------------------------------------------------


async def test_the_venue_trails_from_the_fill_on_and_the_fixed_stop_stands_beside(world: World) -> None:
    await held(world, TRAILING)
    assert (trail(world), world.position().stop_loss) == (Trail(Decimal(1_200)), ENTRY_STOP)
    world.wait(20)
    await world.guardian.run_pass()
    assert calls(world) == 1
    world.trade_at(62_000)
    world.trade_at(60_790)
    assert world.position().is_flat


async def test_trailing_begins_where_the_strategy_says(world: World) -> None:
    await held(world, LATER)
    assert trail(world) == Trail(Decimal(1_200), Decimal(61_200))
    world.trade_at(61_300)
    assert trail(world) == Trail(Decimal(1_200))


async def test_a_trailing_stop_set_late_begins_at_once(world: World) -> None:
    world.fault("http_5xx_before", TRADING_STOP)
    await held(world, LATER)
    assert trail(world) == Trail()
    world.trade_at(61_300)
    world.wait(20)
    await world.guardian.run_pass()
    assert trail(world) == Trail(Decimal(1_200))


async def test_a_lost_trailing_stop_is_set_again_and_what_it_had_reached_is_kept(world: World) -> None:
    await held(world, LATER)
    world.trade_at(62_400)
    await world.guardian.run_pass()
    world.trade_at(62_000)
    drop_trail(world)
    world.wait(20)
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(61_200)
    await world.guardian.run_pass()
    assert trail(world) == Trail(Decimal(1_200))
    assert told(world).count(EventKind.MOVED) == 1


async def test_a_price_beyond_what_a_lost_trailing_stop_had_reached_is_an_exit_at_once(world: World) -> None:
    await held(world, TRAILING)
    world.trade_at(62_400)
    await world.guardian.run_pass()
    drop_trail(world)
    world.trade_at(61_000)
    await world.guardian.run_pass()
    assert world.position().is_flat


async def test_a_trailing_stop_that_had_not_begun_moves_no_stop(world: World) -> None:
    await held(world, LATER)
    drop_trail(world)
    world.wait(20)
    await world.guardian.run_pass()
    assert (trail(world).active_price, world.position().stop_loss) == (Decimal(61_200), ENTRY_STOP)


async def test_a_lost_stop_is_put_back_and_the_trailing_stop_stays_where_it_is(world: World) -> None:
    await held(world, TRAILING)
    world.trade_at(62_400)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    world.trade_at(61_100)
    assert world.position().is_flat


async def test_no_trailing_stop_is_called_while_another_call_may_arrive(world: World) -> None:
    world.fault("http_5xx_before", TRADING_STOP)
    await held(world, TRAILING)
    before = calls(world)
    world.wait(IN_FLIGHT_MS / 1000 - 1)
    await world.guardian.run_pass()
    assert (calls(world), trail(world)) == (before, Trail())


async def test_a_venue_that_refuses_the_trailing_stop_leaves_the_fixed_one(world: World) -> None:
    world.fault("refuse_stop", TRADING_STOP, count=9)
    await held(world, TRAILING)
    world.wait(20)
    await world.guardian.run_pass()
    assert (world.position().stop_loss, trail(world), world.position().is_flat) == (ENTRY_STOP, Trail(), False)


async def test_where_a_venue_cannot_trail_the_fixed_stop_stands_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(Any, CAPABILITIES), "paper", replace(CAPABILITIES["paper"], has_trailing_stop=False))
    await held(world, TRAILING)
    assert (calls(world), world.position().stop_loss) == (0, ENTRY_STOP)


async def test_no_rule_is_followed_while_the_ledger_is_away(world: World) -> None:
    choose(world, ExitRules(ONE, 60, ONE))
    await world.cycle("buy")
    world.trade_at(61_200)
    world.guardian.context = replace(world.context, orders=cast(Any, Away(world)))
    await world.guardian.run_pass()
    assert (calls(world), world.position().is_flat) == (0, False)
