"""A decision to tighten: the stop goes toward the price, once committed, and never back."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from lib.domain import reason_codes as codes
from lib.domain.decision import Decision
from lib.domain.errors import Retry
from lib.domain.order import CYCLE_MS, Order, OrderState
from lib.domain.reason import text
from lib.domain.stops import IN_FLIGHT_MS, StopMove
from lib.domain.switches import Flags
from lib.simulator.engine.dealing import ProtectionChange
from lib.trading.cycle.run import run_cycle
from lib.trading.guardian.task import Guardian
from tests.factories import SYMBOL, decision
from tests.worlds.one_process import World, result_of

TRADING_STOP = "/v5/position/trading-stop"
ENTRY_STOP, TIGHT, TIGHTER = Decimal(58_800), Decimal(59_400), Decimal(59_700)
NEAR, NEARER = "0.01", "0.005"


def tighten(distance: str = NEAR, confidence: str = "0.8") -> Decision:
    return decision("tighten", confidence, 1, "half of it is won", distance, 0)


def stop_calls(world: World) -> int:
    return sum(path == TRADING_STOP for _, path, _ in world.transport.sent)


def moves(world: World) -> list[StopMove]:
    return [move for _, move in world.ledger.store.stop_moves.values()]


async def held(world: World) -> None:
    """A long at 60,000 whose stop stands at 58,800, guarded."""
    await world.cycle("buy")
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP


async def test_a_move_is_committed_with_the_plan_and_put_in_force_by_the_guardian(world: World) -> None:
    await held(world)
    target = world.position().take_profit
    report = await world.cycle(tighten())
    assert (stop_calls(world), [move.price for move in moves(world)]) == (0, [TIGHT])
    why = codes.STOP_TIGHTENED(before=ENTRY_STOP, after=TIGHT, why=text("half of it is won"))
    assert (result_of(report).outcome, result_of(report).reason) == ("held", why)
    assert world.log().reason == why
    await world.guardian.run_pass()
    assert (world.position().stop_loss, world.position().take_profit) == (TIGHT, target)
    await world.guardian.run_pass()
    assert moves(world)[0].settled_ms
    assert (stop_calls(world), len(world.orders())) == (1, 1)


async def test_a_short_tightens_downward(world: World) -> None:
    await world.cycle("sell")
    await world.guardian.run_pass()
    await world.cycle(tighten())
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(60_600)


async def test_a_stop_is_never_moved_away(world: World) -> None:
    await held(world)
    report = await world.cycle(tighten("0.03"))
    assert (result_of(report).outcome, result_of(report).reason) == ("held", codes.STOP_LEFT_WHERE_IT_IS())
    await world.guardian.run_pass()
    assert (world.position().stop_loss, moves(world), stop_calls(world)) == (ENTRY_STOP, [], 0)


async def test_a_move_whose_call_nobody_made_is_put_in_force_by_the_next_process(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    await Guardian(world.new_context("trader-2")).run_pass()
    assert world.position().stop_loss == TIGHT


async def moved_elsewhere(world: World) -> None:
    """A stop that another process moved, and settled, since this one looked."""
    await held(world)
    await world.cycle(tighten())
    other = Guardian(world.new_context("trader-2"))
    for _ in range(2):
        await other.run_pass()
    assert world.position().stop_loss == TIGHT
    assert await world.ledger.moved_slots() == set()


async def test_a_lost_stop_comes_back_where_another_process_moved_it(world: World) -> None:
    await moved_elsewhere(world)
    world.wait(20)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHT


async def test_a_move_of_an_older_entry_never_counts_for_a_newer_one(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.by_hand("sell", str(world.position().qty))
    await world.guardian.run_pass()
    await world.cycle("buy")
    await Guardian(world.new_context("trader-2")).run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    assert await world.ledger.moved_slots() == set()


async def test_a_wanted_stop_that_the_price_has_passed_is_an_exit_at_once(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.trade_at(59_300)
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert (world.order("g").state, stop_calls(world)) == (OrderState.FILLED, 0)


async def test_a_price_that_falls_between_the_look_and_the_claim_is_an_exit_too(world: World) -> None:
    await moved_elsewhere(world)
    world.wait(20)
    world.remove_stop()
    world.trade_at(59_300)  # beyond the moved stop, not beyond the one this process remembers
    await world.guardian.run_pass()
    assert (world.position().is_flat, stop_calls(world)) == (True, 1)


async def test_a_stop_the_venue_refuses_is_an_exit(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    assert world.position().is_flat
    assert world.order("g").state is OrderState.FILLED


async def test_a_call_that_was_lost_is_made_again_and_closes_nothing(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.fault("http_5xx_before", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHT


async def test_no_other_price_is_called_while_a_call_may_still_arrive(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.fault("http_5xx_before", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    world.ledger._insert_move(await world.trader_account(1), world.t_ms + 1, TIGHTER)
    before = stop_calls(world)
    for guardian in (world.guardian, Guardian(world.new_context("trader-2"))):
        await guardian.run_pass()
    assert (stop_calls(world), world.position().stop_loss) == (before, ENTRY_STOP)
    world.wait(IN_FLIGHT_MS / 1000 + 1)
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHTER


async def test_a_stop_gone_while_a_call_may_still_arrive_is_put_back_at_that_price(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    world.fault("http_5xx_before", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    world.ledger._insert_move(await world.trader_account(1), world.t_ms + 1, TIGHTER)
    world.remove_stop()
    await Guardian(world.new_context("trader-2")).run_pass()
    assert world.position().stop_loss == TIGHT
    world.wait(IN_FLIGHT_MS / 1000 + 1)
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHTER


async def test_a_process_that_was_held_up_before_its_call_is_not_heard(world: World) -> None:
    await held(world)
    await world.cycle(tighten())

    class Slow:
        """The ledger, after whose claim the process is frozen for a minute; another moves the stop meanwhile."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.ledger, name)

        async def claim_stop(self, entry: Order, known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
            price = await world.ledger.claim_stop(entry, known, standing, at_ms)
            if stop_calls(world) == 0:
                world.wait(60)
                world.ledger._insert_move(await world.trader_account(1), world.t_ms + 1, TIGHTER)
                await Guardian(world.new_context("trader-2")).run_pass()
                assert world.position().stop_loss == TIGHTER
            return price

    world.guardian.context = replace(world.context, orders=cast(Any, Slow()))
    accepted: list[Decimal] = []
    world.engine.on_stop = lambda uid, symbol, stop: accepted.append(stop)
    await world.guardian.run_pass()
    assert accepted == [TIGHTER]
    assert world.position().stop_loss == TIGHTER


async def test_what_the_owner_loosened_by_hand_stays_until_it_is_lost(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    await world.guardian.run_pass()
    await world.guardian.run_pass()
    world.engine.dealing.set_protection(world.uid(1), SYMBOL, ProtectionChange(stop_loss=ENTRY_STOP))
    await world.guardian.run_pass()
    assert world.position().stop_loss == ENTRY_STOP
    world.wait(20)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHT


async def test_with_the_database_away_a_stop_that_stands_waits_and_a_lost_one_comes_back(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    await world.guardian.run_pass()
    await world.cycle(tighten(NEARER))

    class Away:
        """A ledger that is away once the guardian wants to call."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.ledger, name)

        async def claim_stop(self, *_: object) -> Decimal:
            raise Retry("the database is away")

    world.guardian.context = replace(world.context, orders=cast(Any, Away()))
    before = stop_calls(world)
    await world.guardian.run_pass()
    assert (stop_calls(world), world.position().stop_loss) == (before, TIGHT)
    world.wait(20)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHTER  # the tightest it had heard of


async def test_a_lost_stop_that_another_process_puts_back_meanwhile_is_not_moved_away_from_memory(world: World) -> None:
    await held(world)
    world.remove_stop()

    class Away:
        """A ledger that is away, and another process that has it and is quicker."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.ledger, name)

        async def claim_stop(self, *_: object) -> Decimal:
            if not world.position().stop_loss:
                world.engine.dealing.set_protection(world.uid(1), SYMBOL, ProtectionChange(stop_loss=TIGHT))
            raise Retry("the database is away")

    world.guardian.context = replace(world.context, orders=cast(Any, Away()))
    world.fault("http_5xx_before", TRADING_STOP)  # our own call is lost, and the position read again
    await world.guardian.run_pass()
    assert world.position().stop_loss == TIGHT


async def test_a_tighten_nobody_is_sure_of_is_refused(world: World) -> None:
    await held(world)
    report = await world.cycle(tighten(confidence="0.64"))
    assert (result_of(report).outcome, moves(world)) == ("refused", [])


async def test_from_flat_it_does_nothing(world: World) -> None:
    report = await world.cycle(tighten())
    assert (result_of(report).reason, moves(world)) == (codes.FLAT_ALREADY(), [])


async def test_who_is_switched_off_has_no_stop_moved(world: World) -> None:
    await held(world)
    world.ledger.people.set_account_flags(1, Flags(trading_enabled=False, flatten=False))
    world.analyst.view = tighten()
    world.to(world.t_ms + CYCLE_MS + 2_000)
    report = await run_cycle(world.context, world.t_ms + CYCLE_MS, only=frozenset({1}))
    assert (result_of(report).outcome, moves(world)) == ("refused", [])


async def test_planning_one_t_twice_commits_one_move(world: World) -> None:
    await held(world)
    await world.cycle(tighten())
    await world.again()
    assert len(moves(world)) == 1
