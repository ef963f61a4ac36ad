"""Margin and position mode are read at start, daily and before a day's first entry; changed ones stop entries alone."""

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import Doubt
from lib.domain.order import CYCLE_MS
from lib.domain.reason import NOTHING, Reason
from lib.trading.cycle.account_modes import check_modes, modes_refusal
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.trader import Trader
from tests.factories import SYMBOL, T
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

INFO, POSITION = "/v5/account/info", "/v5/position/list"
DAY_MS = 86_400_000


def asked(world: World) -> int:
    """How often the margin mode was read."""
    return [path for _, path, _ in world.transport.sent].count(INFO)


def account_of(world: World, account_id: int = 1) -> object:
    return world.ledger.store.accounts[account_id]


async def refusal(world: World, entries_today: int, t_ms: int = T, account_id: int = 1) -> Reason:
    account = await world.trader_account(account_id)
    exchange = await world.exchange(account_id)
    position = await exchange.position(account.symbol)
    return await modes_refusal(world.context, account, exchange, position, entries_today, t_ms)


@pytest.mark.parametrize(
    ("kind", "word", "mode"),
    [
        ("margin_changed", "cross", "REGULAR_MARGIN"),
        ("margin_changed", "portfolio", "PORTFOLIO_MARGIN"),
        ("mode_changed", "hedge", 3),
    ],
)
async def test_a_mode_changed_at_the_exchange_stops_the_entry_and_pauses_with_a_sentence(
    world: World, kind: str, word: str, mode: str | int
) -> None:
    world.fault(kind, mode=mode)
    report = await world.cycle("buy")
    assert world.transport.orders() == []
    assert result_of(report).outcome == "refused"
    row = world.ledger.store.accounts[1]
    assert not row.trading_enabled
    assert word in english(row.pause_reason)
    assert result_of(report).reason == row.pause_reason


async def test_the_days_first_entry_reads_them_again_whatever_was_seen_this_day(world: World) -> None:
    await check_modes(world.context)
    world.fault("margin_changed")
    await world.cycle("buy")
    assert world.transport.orders() == []


async def test_later_entries_of_a_day_ask_nothing_and_the_next_day_asks(world: World) -> None:
    assert await refusal(world, 0) == NOTHING
    world.transport.sent.clear()
    assert await refusal(world, 1) == NOTHING
    assert asked(world) == 0
    assert await refusal(world, 1, T + DAY_MS) == NOTHING
    assert asked(world) == 1


async def test_a_process_that_just_started_asks_before_any_entry(world: World) -> None:
    assert await refusal(world, 5) == NOTHING
    assert asked(world) == 1


async def test_whoever_resumes_without_changing_it_back_meets_it_again(world: World) -> None:
    world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"
    assert await refusal(world, 3) == codes.CROSS_MARGIN()
    assert await refusal(world, 3) == codes.CROSS_MARGIN()
    world.engine.accounts[world.uid(1)].margin_mode = "ISOLATED_MARGIN"
    assert await refusal(world, 3) == NOTHING


async def test_an_exit_goes_though_the_modes_were_changed(world: World) -> None:
    await world.cycle("buy")
    assert not world.position().is_flat
    world.context.state.modes_doubtful((1, SYMBOL))
    world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"
    report = await world.cycle("sell")
    assert world.position().is_flat, "closed, and not turned"
    assert result_of(report).outcome == "closed"
    assert not world.ledger.store.accounts[1].trading_enabled


async def test_a_flip_resumed_by_another_process_asks_before_its_entry(world: World) -> None:
    await world.cycle("buy")

    def meanwhile() -> None:
        world.context.state.modes_doubtful((1, SYMBOL))
        world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"

    world.on(CREATE, meanwhile)
    await world.cycle("sell")
    assert world.position().is_flat


async def test_modes_that_cannot_be_read_cost_the_entry_and_no_pause(world: World) -> None:
    world.fault("http_5xx_before", INFO)
    report = await world.cycle("buy")
    assert world.transport.orders() == []
    assert result_of(report).outcome == "refused"
    assert "cannot be read" in english(result_of(report).reason)
    assert world.ledger.store.accounts[1].trading_enabled
    await world.cycle("buy")
    assert len(world.transport.orders()) == 1


async def test_a_key_refused_there_pauses_its_account(world: World) -> None:
    world.fault("key_revoked", INFO, code=33004)
    await world.cycle("buy")
    assert world.transport.orders() == []
    assert "33004" in english(world.ledger.store.accounts[1].pause_reason)


@pytest.mark.parametrize(("doubts", "entries"), [((), 0), (("cross_margin",), 1)])
async def test_cross_margin_that_was_taken_on_with_a_demo_key_trades(
    world: World, doubts: tuple[Doubt, ...], entries: int
) -> None:
    rows = world.ledger.store.accounts
    rows[1] = rows[1].__class__(**{name: getattr(rows[1], name) for name in rows[1].__slots__} | {"doubts": doubts})
    world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"
    await world.cycle("buy")
    assert len(world.transport.orders()) == entries


async def test_one_persons_changed_mode_is_theirs_alone(world: World) -> None:
    other = world.add_account()
    world.fault("margin_changed", uid=world.uid(1))
    report = await world.cycle("buy")
    assert (result_of(report, 1).outcome, result_of(report, other).outcome) == ("refused", "bought")


async def test_the_daily_look_pauses_who_changed_them_and_asks_nobody_twice(world: World) -> None:
    other = world.add_account()
    world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"
    await check_modes(world.context)
    assert not world.ledger.store.accounts[1].trading_enabled
    assert world.ledger.store.accounts[other].trading_enabled
    world.transport.sent.clear()
    await check_modes(world.context)
    assert asked(world) == 0
    world.to(world.clock.now_ms() + DAY_MS)
    await check_modes(world.context)
    assert asked(world) == 1, "the next day, who still trades"


async def test_a_start_looks_at_everybody(world: World) -> None:
    world.engine.accounts[world.uid(1)].margin_mode = "REGULAR_MARGIN"
    trader = Trader(world.context, world.guardian, stopper=Stopper(world.context))
    world.to(T - CYCLE_MS // 2)
    await trader.start()
    await trader.drain()
    assert not world.ledger.store.accounts[1].trading_enabled
    assert "cross" in english(world.ledger.store.accounts[1].pause_reason)


async def test_who_is_switched_off_is_not_looked_at(world: World) -> None:
    world.ledger.people.set_auto_trade(world.user_of(1), False, world.clock.now_ms())
    await check_modes(world.context)
    assert asked(world) == 0
