"""
One symbol gone, one exchange under maintenance: its accounts wait visibly and go on by themselves; nobody else notices.
"""

from dataclasses import replace

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.maintenance import Maintenance
from lib.domain.order import OrderState
from lib.domain.reason import NOTHING, Code, text
from lib.market.status import ClosedMarket, closed_markets_of
from lib.trading.kill_switch.flatten import Flattener
from lib.trading.opening_hours import BELIEVED_MS, OpeningHours
from lib.trading.trader import Trader
from tests.factories import trader_account
from tests.reasons import english
from tests.worlds.one_process import World, result_of

OTHER = "ETHUSDT"
UNDER_WORK = "maintenance of the exchange until"


async def look(world: World) -> None:
    """What the trader's job does each minute."""
    trader = Trader(world.context, world.guardian, ready=True)
    trader.check_markets()
    for task in list(trader._tasks):
        await task
    assert trader.halted is None


def shown(world: World) -> tuple[ClosedMarket, ...]:
    return closed_markets_of(world.candles.status)


# --- maintenance ------------------------------------------------------------------------------------------------------


async def test_entries_wait_while_it_comes_and_are_made_when_it_is_over(world: World) -> None:
    world.fault("announce", ahead=7 * 60_000, ms=240_000)
    await look(world)
    assert shown(world) == ()
    world.wait(180)
    await look(world)
    await world.cycle("buy")
    log = world.log()
    assert log.planned == "refused"
    assert english(log.reason).startswith(UNDER_WORK)
    assert world.orders() == []
    assert [(one.venue, one.symbol) for one in shown(world)] == [("paper", "")]
    world.wait(700)
    await look(world)
    assert shown(world) == ()
    await world.cycle("buy")
    assert world.order().state is OrderState.FILLED


async def test_a_cycle_under_way_says_maintenance_and_not_what_broke(world: World) -> None:
    await world.cycle("buy")
    world.fault("announce", ms=600_000)
    await look(world)
    report = await world.cycle("sell")
    assert result_of(report).outcome == "skipped"
    assert english(result_of(report).reason).startswith(UNDER_WORK)
    assert not world.position().is_flat, "the exchange takes no order now"


async def test_an_exit_is_made_while_only_entries_wait(world: World) -> None:
    await world.cycle("buy")
    world.to(world.t_ms + 240_000)
    world.fault("announce", ahead=3 * 60_000)
    await look(world)
    await world.cycle("sell")
    assert world.order("x").state is OrderState.FILLED
    assert UNDER_WORK in english(world.log().reason)
    assert world.position().is_flat, "closed without turning"


async def test_the_guardian_and_a_close_go_on_trying_and_find_their_way(world: World) -> None:
    await world.cycle("buy")
    world.remove_stop()
    world.fault("announce", ms=60_000)
    await look(world)
    flattener, account = Flattener(world.context), await world.trader_account(1)
    await world.guardian.run_pass()
    assert await flattener.step(account) is None
    world.wait(61)
    await world.guardian.run_pass()
    assert world.position().stop_loss > 0, "put back the moment it was possible"
    while await flattener.step(account) is None:
        world.wait(1)
    assert world.position().is_flat


async def test_an_exchange_that_cannot_be_asked_is_known_as_before_for_a_while(world: World) -> None:
    hours, account = OpeningHours(), trader_account()
    now = world.clock.now_ms()
    endless, dated = Maintenance(now, 0, True), Maintenance(now, now + 2 * BELIEVED_MS, False)

    class Market:
        found: tuple[Maintenance, ...] | Retry = (endless, dated)

        async def maintenance(self, venue: str) -> tuple[Maintenance, ...]:
            if isinstance(self.found, Retry):
                raise self.found
            return self.found

        instrument = world.context.market.instrument

    market = Market()
    await hours.refresh(market, [account], world.clock)  # type: ignore[arg-type]
    assert hours.why_closed(account, now)
    market.found = Retry("away")
    world.wait(60)
    await hours.refresh(market, [account], world.clock)  # type: ignore[arg-type]
    assert len(hours.announced["paper"]) == 2
    world.wait(BELIEVED_MS / 1000)
    await hours.refresh(market, [account], world.clock)  # type: ignore[arg-type]
    assert hours.announced == {"paper": (dated,)}, "what names no end is believed no longer"
    market.found = ()
    await hours.refresh(market, [account], world.clock)  # type: ignore[arg-type]
    assert hours.why_closed(account, world.clock.now_ms()) == NOTHING


# --- symbols ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "why"), [("delist", codes.SYMBOL_NOT_LISTED), ("halt", codes.SYMBOL_NOT_TRADING)])
async def test_one_symbol_stops_itself_alone_and_goes_on_when_it_is_back(world: World, kind: str, why: Code) -> None:
    other = world.add_account(symbol=OTHER)
    world.fault(kind, symbol="BTCUSDT")
    await look(world)
    report = await world.cycle("buy")
    assert result_of(report, 1).reason == why(symbol="BTCUSDT")
    assert world.orders(1) == []
    assert world.order("e", other).state is OrderState.FILLED, "the other symbol trades"
    assert shown(world) == (ClosedMarket("paper", "BTCUSDT", why(symbol="BTCUSDT")),)
    world.fault("relist", symbol="BTCUSDT")
    world.wait(301)
    await look(world)
    assert shown(world) == ()
    await world.cycle("buy")
    assert world.order("e", 1).state is OrderState.FILLED, "without anybody having done anything"


async def test_a_symbol_that_goes_unannounced_is_a_skip_with_its_reason(world: World) -> None:
    world.fault("delist", symbol="BTCUSDT")
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert "does not list" in english(result_of(report).reason) or "Not supported symbols" in english(
        result_of(report).reason
    )
    assert world.ledger.store.accounts[1].trading_enabled, "nobody has to switch anything on again"


async def test_a_position_in_a_symbol_that_is_gone_ends_no_guardian(world: World) -> None:
    other = world.add_account(symbol=OTHER)
    await world.cycle("buy")
    world.fault("delist", symbol="BTCUSDT")
    world.remove_stop(other)
    await world.guardian.run_pass()
    assert world.position(other, OTHER).stop_loss > 0
    world.remove_stop(1)
    world.fault("relist", symbol="BTCUSDT")
    world.wait(30)
    await world.guardian.run_pass()
    assert world.position(1).stop_loss > 0


async def test_what_nobody_trades_any_more_is_forgotten(world: World) -> None:
    hours = OpeningHours(
        shut={("paper", "BTCUSDT"): codes.SYMBOL_NOT_TRADING(symbol="BTCUSDT"), ("paper", "OLDUSDT"): text("gone")}
    )
    await hours.refresh(world.context.market, [replace(trader_account(), symbol="BTCUSDT")], world.clock)
    assert hours.shut == {}
