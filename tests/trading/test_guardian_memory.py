"""With the database down: stops are put back by memory, nothing is closed, and nothing that is not ours is touched."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from lib.domain.books import Fill
from lib.domain.errors import Retry
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.guardian.memory import AccountMemory
from tests.factories import SYMBOL, decision
from tests.trading.test_guardian import STOP, TARGET, TRADING_STOP, stop_calls
from tests.worlds.one_process import World

HOUR_MS = 3_600_000


class LedgerAway:
    """Every method raises *Retry*: the database is down."""

    def __getattr__(self, name: str) -> Any:
        async def away(*args: object) -> None:
            raise Retry("the database is away")

        return away


class Unlisting:
    """Exchanges that do not answer for executions, *count* times."""

    def __init__(self, inner: Any, count: int) -> None:
        self._inner = inner
        self._count = count

    def open(self, *args: Any) -> Exchange:
        exchange = self._inner.open(*args)
        read = exchange.fills_since

        async def fills_since(symbol: str, since_ms: int) -> Sequence[Fill]:
            if self._count:
                self._count -= 1
                raise Retry("executions are not answered")
            return cast("Sequence[Fill]", await read(symbol, since_ms))

        exchange.fills_since = fills_since
        return cast("Exchange", exchange)


def without_ledger(context: TradingContext) -> TradingContext:
    away = LedgerAway()
    return replace(context, orders=away, books=away, limits=away, switches=away, cycles=away, notifier=away)


def lose_ledger(world: World) -> None:
    world.guardian.context = without_ledger(world.context)


async def let_another_enter(world: World) -> None:
    """Another process takes the lease, and enters for the account whose entry of this process has ended."""
    world.to(world.t_ms + HOUR_MS)
    await world.ledger.release_lease("trader-1")
    await world.cycle("buy", context=world.new_context("trader-2"))


async def cannot_close(world: World) -> AccountMemory:
    """A position known from memory alone has lost its stop, the venue refuses another, and a close needs the ledger."""
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    world.remove_stop()
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    memory = world.guardian.memories[(1, SYMBOL)]
    assert memory.told == {"guardian.cannot_close"}
    return memory


async def test_with_the_database_down_a_known_stop_is_still_repaired(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    lose_ledger(world)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP


async def test_with_the_database_down_nothing_is_closed(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    lose_ledger(world)
    world.remove_stop()
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian.run_pass()
    assert not world.position().is_flat
    assert len(world.transport.orders()) == 1
    world.guardian.context = world.context
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP, "and repaired once it can"


async def test_with_the_database_down_the_stop_of_an_entry_nobody_has_looked_at_yet_is_repaired(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    world.remove_stop()
    await world.guardian.run_pass()
    assert (world.position().stop_loss, world.position().take_profit) == (STOP, TARGET)


async def test_with_the_database_down_a_position_turned_since_the_last_look_gets_its_stop_back(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    await world.cycle("sell")
    stop = world.position().stop_loss
    lose_ledger(world)
    world.remove_stop()
    for _ in range(3):
        await world.guardian.run_pass()
    assert world.position().stop_loss == stop > STOP
    world.guardian.context = world.context
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == stop
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms)).locks == ()


async def test_with_the_database_down_a_foreign_position_after_ours_is_not_touched(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    world.by_hand("sell", str(world.position().qty))
    world.by_hand("buy", "0.020")
    for _ in range(3):
        await world.guardian.run_pass()
    assert world.position().stop_loss == 0
    assert stop_calls(world) == 0


async def test_a_hand_beside_an_entry_known_from_memory_is_found_once_the_ledger_answers(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    world.by_hand("buy", "0.020")
    world.remove_stop()
    for _ in range(4):
        await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    world.guardian.context = world.context
    for _ in range(3):
        await world.guardian.run_pass()
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms + 300_000)).locks == ("external",)


async def test_an_entry_is_guarded_although_the_roster_never_told_of_it(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    assert world.guardian.memories[(1, SYMBOL)].is_met
    assert not world.context.state.unbooked
    lose_ledger(world)
    world.remove_stop()
    await world.guardian.run_pass()
    assert world.position().stop_loss == STOP
    assert [account.account_id for account in world.guardian.held()] == [1]


async def test_another_processs_entry_does_not_get_the_stop_of_ours(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.trade_at(64_000)
    await world.guardian.run_pass()
    await let_another_enter(world)
    lose_ledger(world)
    world.remove_stop()
    for _ in range(3):
        await world.guardian.run_pass()
    assert world.position().stop_loss == 0
    world.guardian.context = world.context
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(62_720)


async def test_executions_that_are_not_answered_are_no_reason_to_trust_memory(world: World) -> None:
    await world.cycle("sell")
    await world.guardian.run_pass()
    world.trade_at(61_500)
    await world.guardian.run_pass()
    await let_another_enter(world)
    world.remove_stop()
    world.guardian.context = replace(world.context, exchanges=Unlisting(world.context.exchanges, 1))
    await world.guardian.run_pass()
    await world.guardian.run_pass()
    assert not world.position().is_flat
    assert world.position().stop_loss == Decimal("60_270")
    assert world.guardian.closed == 0


async def test_executions_that_are_not_answered_bring_the_next_look_soon(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    world.remove_stop()
    lose_ledger(world)
    world.guardian.context = replace(world.guardian.context, exchanges=Unlisting(world.context.exchanges, 2))
    await world.guardian._read_roster()
    world.guardian.schedule.begin((1, SYMBOL), world.clock.now_ms())
    assert (await world.guardian._inspect((1, SYMBOL))).soon


async def test_a_repair_in_vain_is_tried_again_soon(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    world.remove_stop()
    lose_ledger(world)
    world.fault("refuse_stop", TRADING_STOP, count=3)
    await world.guardian._read_roster()
    world.guardian.schedule.begin((1, SYMBOL), world.clock.now_ms())
    assert (await world.guardian._inspect((1, SYMBOL))).soon


async def test_the_stop_of_a_hand_beside_ours_is_not_widened(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle(replace(decision("buy"), stop_loss=Decimal("0.05"), take_profit=Decimal("0.2")))
    lose_ledger(world)
    world.trade_at(61_800)
    world.by_hand("buy", "0.1")
    exchange = await world.exchange(1)
    await exchange.set_trading_stop("BTCUSDT", Decimal(57_600), Decimal(72_000))
    before = stop_calls(world)
    await world.guardian.run_pass()
    assert world.position().stop_loss == Decimal(57_600)
    assert stop_calls(world) == before


async def test_what_was_told_of_a_position_known_from_memory_is_told_again_of_the_next(world: World) -> None:
    memory = await cannot_close(world)
    world.by_hand("sell", str(world.position().qty))
    world.guardian.context = world.context
    await world.guardian.run_pass()
    assert memory.told == set()
    assert memory.guess is None


async def test_an_account_that_left_the_roster_is_kept_while_it_holds_what_memory_tells_of(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    await world.guardian.run_pass()
    world.guardian._meet([])
    assert list(world.guardian.memories) == [(1, SYMBOL)]


async def test_an_account_seen_flat_since_its_entry_is_not_looked_at_for_that_entry(world: World) -> None:
    world.add_account()
    await world.guardian.run_pass()
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.by_hand("sell", str(world.position().qty))
    world.wait(20)
    await world.guardian.run_pass()
    await world.cycle("hold")
    await world.guardian.run_pass()
    lose_ledger(world)
    await world.guardian._read_roster()
    assert world.guardian._maybe_holding() == [(2, SYMBOL)]
    await world.guardian.run_pass()
    assert world.guardian.held() == [world.guardian.memories[(2, SYMBOL)].account]


async def test_a_position_known_from_memory_is_looked_at_when_the_ledger_is_back(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    await world.guardian.run_pass()
    memory = world.guardian.memories[(1, SYMBOL)]
    assert memory.guess is not None
    world.by_hand("sell", str(world.position().qty))
    world.guardian.context = world.context
    await world.cycle("hold")
    await world.guardian.run_pass()
    assert not memory.holds


async def test_what_was_told_is_forgotten_although_the_end_cannot_be_booked_yet(world: World) -> None:
    memory = await cannot_close(world)
    world.by_hand("sell", str(world.position().qty))
    await world.guardian.run_pass()
    assert (memory.told, memory.guess, memory.firing_ms, memory.close_again_ms) == (set(), None, 0, 0)


async def test_a_position_known_from_memory_that_nobody_can_look_at_any_more_calls_a_person(world: World) -> None:
    await world.guardian.run_pass()
    await world.cycle("buy")
    lose_ledger(world)
    await world.guardian.run_pass()
    world.fault("key_revoked", code=33004)
    await world.guardian.run_pass()
    assert any("33004" in str(why) for why in world.guardian.memories[(1, SYMBOL)].told)


async def test_executions_that_are_not_answered_leave_the_last_positions_stop_where_it_was(world: World) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    world.trade_at(58_700)
    assert world.position().is_flat
    world.to(world.t_ms + HOUR_MS)
    await world.cycle("buy")
    stop = world.position().stop_loss
    world.remove_stop()
    world.guardian.context = replace(world.context, exchanges=Unlisting(world.context.exchanges, 1))
    await world.guardian.run_pass()
    assert world.position().stop_loss == 0
    await world.guardian.run_pass()
    assert world.position().stop_loss == stop != STOP


@pytest.mark.parametrize("turns", [False, True], ids=["entered again", "turned"])
@pytest.mark.parametrize("is_down", [False, True], ids=["ledger up", "ledger down at first"])
async def test_executions_that_are_not_answered_are_no_other_hand(world: World, *, turns: bool, is_down: bool) -> None:
    await world.cycle("buy")
    await world.guardian.run_pass()
    if not turns:
        world.trade_at(63_100)
        world.to(world.t_ms + HOUR_MS)
    await world.cycle("sell" if turns else "buy")
    assert not world.position().is_flat
    silent = replace(world.context, exchanges=Unlisting(world.context.exchanges, 4))
    world.guardian.context = without_ledger(silent) if is_down else silent
    for _ in range(3):
        await world.guardian.run_pass()
    world.guardian.context = silent
    await world.guardian.run_pass()
    assert (await world.ledger.facts((1, SYMBOL), world.t_ms + 300_000)).locks == ()
    await world.guardian.run_pass()
    guarded = world.guardian.memories[(1, SYMBOL)].guarded
    assert guarded is not None
    assert guarded.t_ms == world.t_ms
