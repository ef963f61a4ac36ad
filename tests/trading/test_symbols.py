"""One account in several symbols: judged together, closed and guarded apart."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, Limits
from lib.domain.account_records import TraderAccount
from lib.domain.command import Command
from lib.domain.decision import Action
from lib.domain.order import OrderState
from lib.domain.risk import AccountPlan, exit_draft
from lib.domain.switches import Flags
from lib.simulator.engine.orders import OrderRequest
from lib.trading.closing import close_as_asked
from lib.trading.cycle.run import AccountResult, CycleReport
from lib.trading.kill_switch.flatten import Flattener
from lib.trading.kill_switch.proof import PROOF_MS
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.orders.close import close_ours
from lib.trading.state import EntryTurn
from tests.factories import REF, SYMBOL, T, decision
from tests.worlds.one_process import World

OTHER = "ETHUSDT"
BOTH = (SYMBOL, OTHER)
D = Decimal


def choose(world: World, symbols: Sequence[str] = BOTH, account_id: int = 1) -> None:
    world.ledger.people.choose_symbols(world.user_of(account_id), symbols, world.clock.now_ms())


def limited(world: World, **limits: object) -> None:
    settings = AccountSettings(limits=replace(Limits(cooldown_ms=0), **limits))  # type: ignore[arg-type]
    world.ledger.people.change_settings(world.user_of(1), settings)


def outcomes(report: CycleReport) -> dict[str, str]:
    return {result.symbol: result.outcome for result in report.results}


def of(report: CycleReport, symbol: str) -> AccountResult:
    return next(result for result in report.results if result.symbol == symbol)


@pytest.fixture
def pair(world: World) -> World:
    """A world whose one account trades two symbols."""
    choose(world)
    return world


async def test_an_account_enters_each_of_its_symbols_and_its_books_are_those_of_all(pair: World) -> None:
    report = await pair.cycle("buy")
    assert outcomes(report) == dict.fromkeys(BOTH, "bought")
    assert all(pair.position(1, symbol).qty > 0 for symbol in BOTH)
    assert {result.difference for result in report.results} == {None, 0}, "held against the wallet once"
    assert (await pair.ledger.books((1, SYMBOL))).balance == pair.cash()
    assert pair.ledger.store.equity[1, pair.t_ms].difference == 0
    assert not pair.context.state.unbooked


async def test_a_ceiling_of_positions_is_over_all_symbols(pair: World) -> None:
    limited(pair, max_positions=1)
    report = await pair.cycle("buy")
    assert outcomes(report) == {SYMBOL: "bought", OTHER: "refused"}
    assert codes.POSITIONS_FULL(open=1, limit=1) == of(report, OTHER).reason
    assert pair.position(1, OTHER).is_flat


async def test_positions_of_one_direction_share_the_exposure_and_those_apart_do_not(pair: World) -> None:
    limited(pair, max_exposure=D("0.5"))
    await pair.cycle("buy")
    held = [abs(pair.position(1, s).qty) * pair.position(1, s).avg_entry_price for s in BOTH]
    assert held[0] > 0
    assert sum(held) <= D(10_000) * D("0.5") * D("1.01")


async def test_without_correlation_each_position_has_the_exposure_by_itself(pair: World) -> None:
    limited(pair, max_exposure=D("0.3"), correlation=D(0))
    await pair.cycle("buy")
    held = [abs(pair.position(1, s).qty) * pair.position(1, s).avg_entry_price for s in BOTH]
    assert all(D(10_000) * D("0.28") < one <= D(10_000) * D("0.305") for one in held)


async def test_the_margin_of_all_positions_stays_within_one_share(pair: World) -> None:
    limited(pair, max_margin=D("0.12"), max_exposure=D(3))
    await pair.cycle("buy")
    used = [
        abs(pair.position(1, s).qty) * pair.position(1, s).avg_entry_price / pair.position(1, s).leverage for s in BOTH
    ]
    assert 0 < used[1] < used[0]
    assert sum(used) <= D(10_000) * D("0.1201")


async def test_trouble_with_the_candles_of_one_symbol_holds_up_no_other(pair: World) -> None:
    newest = pair.candles.newest

    async def broken(symbol: str, interval: str, count: int) -> object:
        return [] if symbol == SYMBOL else await newest(symbol, interval, count)

    pair.candles.newest = broken  # type: ignore[method-assign,assignment]
    report = await pair.cycle("buy")
    assert outcomes(report) == {SYMBOL: "skipped", OTHER: "bought"}
    assert pair.ledger.store.equity[1, pair.t_ms].difference == 0


@pytest.mark.parametrize("view", ["close", "hold"])
async def test_what_closes_waits_for_no_other_symbols_entry(pair: World, view: Action) -> None:
    await pair.cycle("buy")
    settings = replace(pair.ledger.store.users[1].settings, answer_version=2)
    pair.ledger.people.change_settings(pair.user_of(1), settings)
    async with pair.context.state.entering(1).of(99):
        async with asyncio.timeout(5):
            await pair.cycle(decision(view, close_fraction=1 if view == "close" else 0))
    assert pair.position(1, OTHER).is_flat == (view == "close")


async def test_a_close_in_one_symbol_is_not_beaten_by_one_on_its_way_in_another(pair: World) -> None:
    await pair.cycle("buy")
    here, there = (await pair.trader_account(1)).views
    exchange, why = await pair.exchange(1), codes.STOP_MISSING()
    draft = exit_draft(pair.position(), REF, leg="g")
    stuck = await pair.ledger.plan_exit(here, pair.t_ms, AccountPlan("closed", why, (draft,)))
    signed = exchange.sign_order(stuck, pair.clock.now_ms())
    assert (await pair.ledger.claim(stuck, signed, pair.context.holder)).granted
    assert await close_ours(pair.context, here, exchange, "g", why) is None
    done = await close_ours(pair.context, there, exchange, "g", why)
    assert done is not None
    assert (done.symbol, done.state) == (OTHER, OrderState.FILLED)


async def test_an_order_on_its_way_in_one_symbol_does_not_bar_the_other(pair: World) -> None:
    choose(pair, (SYMBOL,))
    await pair.cycle("buy")
    entry = pair.order("e")
    pair.ledger.store.orders[entry.id] = replace(entry, state=OrderState.NEEDS_HUMAN, filled_qty=D(0))
    facts = await pair.ledger.facts((1, OTHER), T + 300_000)
    assert facts.unresolved == 1, "one that waits for a person bars every symbol"
    pair.ledger.store.orders[entry.id] = replace(entry, state=OrderState.UNKNOWN)
    assert (await pair.ledger.facts((1, OTHER), T + 300_000)).unresolved == 0


async def test_each_position_has_a_guard_of_its_own(pair: World) -> None:
    await pair.cycle("buy")
    await pair.guardian.run_pass()
    assert {slot[1] for slot in pair.guardian.memories} == set(BOTH)
    pair.engine.dealing.cancel_all(pair.uid(1), lambda order: order.stop_order_type == "StopLoss")
    assert all(not pair.position(1, symbol).stop_loss for symbol in BOTH)
    await pair.guardian.run_pass()
    assert all(pair.position(1, symbol).stop_loss for symbol in BOTH)


async def test_a_symbol_that_was_taken_off_is_entered_no_more_guarded_and_closable(pair: World) -> None:
    await pair.cycle("buy")
    choose(pair, (SYMBOL,))
    report = await pair.cycle("buy")
    assert outcomes(report) == {SYMBOL: "kept"}
    pair.engine.dealing.cancel_all(pair.uid(1), lambda order: order.stop_order_type == "StopLoss")
    await pair.guardian.run_pass()
    assert pair.position(1, OTHER).stop_loss
    view = (await pair.trader_account(1)).on(OTHER)
    assert view is not None
    wish = Command(1, 1, 1, "close", pair.clock.now_ms(), "long", OTHER)
    said = await close_as_asked(pair.context, view, wish)
    assert codes.CLOSED_AS_ASKED.is_of(said)
    assert (pair.position(1, OTHER).is_flat, pair.position(1).is_flat) == (True, False)


async def test_a_hand_in_one_symbol_is_an_external_change_of_that_one_alone(pair: World) -> None:
    await pair.cycle("buy")
    await pair.guardian.run_pass()
    pair.engine.dealing.place(pair.uid(1), OrderRequest(OTHER, "buy", D("0.05")))
    pair.wait(2)
    for _ in range(4):
        await pair.guardian.run_pass()
    held = {slot[1]: memory.guarded for slot, memory in pair.guardian.memories.items()}
    assert [guarded.is_shared for guarded in held.values() if guarded] == [symbol == OTHER for symbol in held]


async def test_everything_is_closed_in_every_symbol_before_anybody_says_stopped(pair: World) -> None:
    await pair.cycle("buy")
    stopper = Stopper(pair.context)
    await pair.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=True), "test")
    for _ in range(30):
        await stopper.run_pass()
        account = await pair.trader_account(1)
        if account.proven_ms:
            break
        pair.wait(2)
    assert account.proven_ms > account.switched_ms + PROOF_MS
    assert all(pair.position(1, symbol).is_flat for symbol in BOTH)
    assert {slot[1] for slot in stopper.empty} == set(BOTH)


async def test_while_one_symbol_cannot_be_closed_nobody_says_stopped(
    pair: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.cycle("buy")
    stopper = Stopper(pair.context)
    step = Flattener.step

    async def stuck(self: Flattener, account: TraderAccount) -> int | None:
        return None if account.symbol == OTHER else await step(self, account)

    monkeypatch.setattr(Flattener, "step", stuck)
    await pair.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=True), "test")
    for _ in range(30):
        await stopper.run_pass()
        pair.wait(2)
    assert (pair.position(1).is_flat, (await pair.trader_account(1)).proven_ms) == (True, 0)


async def test_what_ended_in_a_symbol_that_is_not_served_is_in_the_books_all_the_same(pair: World) -> None:
    await pair.cycle("buy")
    choose(pair, (SYMBOL,))
    pair.engine.dealing.close_by_hand(pair.uid(1), OTHER)
    pair.wait(2)
    assert pair.position(1, OTHER).is_flat
    report = await pair.cycle("hold")
    assert of(report, SYMBOL).difference == 0
    assert (await pair.ledger.books((1, OTHER))).position.is_flat


async def test_turns_go_in_the_fixed_order_among_those_that_wait() -> None:
    turn, went = EntryTurn(), list[int]()

    async def take(place: int) -> None:
        async with turn.of(place):
            went.append(place)
            await asyncio.sleep(0)

    await asyncio.gather(*(take(place) for place in (9, 3, 1, 2)))
    assert went == [9, 1, 2, 3]
    assert turn.count == 4


async def test_a_turn_that_is_given_up_while_it_waits_is_nobodys() -> None:
    turn = EntryTurn()

    async def take(place: int) -> None:
        async with turn.of(place):
            await asyncio.sleep(0)

    async with turn.of(1):
        waiting = [asyncio.create_task(take(place)) for place in (2, 3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting, return_exceptions=True)
        await take(4)
    assert turn.count == 3
