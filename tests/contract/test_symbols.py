"""The ledger's contract about accounts with several symbols, on every implementation."""

from dataclasses import replace
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.order import Order, OrderState
from lib.domain.order_rules import LEFT_MS
from lib.domain.reason import text
from lib.domain.risk import AccountPlan, Sizing
from lib.domain.stakes import Ceiling, Stake
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, ENTRY, FLIP, HOLDER, again, signed, trading_account, verdict
from tests.factories import SYMBOL, T

OTHER = "ETHUSDT"
BOTH = (SYMBOL, OTHER)
NEAR = Decimal("59400.0")
D = Decimal
WIDE = Ceiling(3, D(30_000), D(5_000), D(1))
NOTIONAL = D("0.010") * D(60_180)


async def paired(world: World) -> tuple[TraderAccount, TraderAccount]:
    """One account on its two symbols, in their fixed order."""
    account = await trading_account(world)
    assert world.people.choose_symbols(account.user_id, BOTH, world.clock.now_ms())
    first, second = (await seen(world)).views
    return first, second


async def seen(world: World) -> TraderAccount:
    (account,) = await world.ledger.accounts()
    return account


async def entered(world: World, account: TraderAccount, plan: AccountPlan = BUY) -> Order:
    (order,) = await world.ledger.plan(account, None, T, plan)
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    await world.ledger.close_order(await again(world.ledger, order), verdict())
    return await again(world.ledger, order)


def filled(order: Order, exec_id: str, **changes: object) -> list[object]:
    return [make.fill(exec_id, order_link_id=order.order_link_id, symbol=order.symbol, **changes)]  # type: ignore[arg-type]


async def test_an_account_is_listed_once_on_each_of_its_symbols_in_a_fixed_order(world: World) -> None:
    first, second = await paired(world)
    assert ((first.symbol, second.symbol), first.symbol_no < second.symbol_no) == (BOTH, True)
    assert first.slot == (first.account_id, SYMBOL)
    assert (await seen(world)).on(OTHER) == second


async def test_each_symbol_has_one_log_row_a_t_and_one_plan(world: World) -> None:
    first, second = await paired(world)
    (here,), (there,) = [await world.ledger.plan(view, None, T, BUY) for view in (first, second)]
    assert (here.symbol, there.symbol) == BOTH
    assert await world.ledger.plan(second, None, T, AccountPlan("held", text("no"))) == [there]
    assert world.log(first.account_id, T, SYMBOL).outcome == world.log(first.account_id, T, OTHER).outcome
    await world.ledger.move(there, OrderState.BLOCKED, text("not this one"))
    assert world.log(first.account_id, T, SYMBOL).outcome != world.log(first.account_id, T, OTHER).outcome


async def test_positions_are_booked_by_symbol_and_cash_over_all_of_them(world: World) -> None:
    first, second = await paired(world)
    orders = [await entered(world, view) for view in (first, second)]
    for number, order in enumerate(orders):
        await world.ledger.record_fills(first.account_id, filled(order, f"e{number}", at_ms=T + number))  # type: ignore[arg-type]
    here, there = [await world.ledger.books(view.slot) for view in (first, second)]
    assert (here.position.qty, there.position.qty) == (D("0.010"), D("0.010"))
    assert here.balance == there.balance == D(10_000) - 2 * make.fill().fee
    assert (here.last_fill_ms, there.last_fill_ms) == (T, T + 1)
    closing = make.fill("out", "sell", order_link_id="", symbol=OTHER, at_ms=T + 9, closed_qty=D("0.010"))
    await world.ledger.record_fills(first.account_id, [closing])
    assert [view.booked_qty for view in (await seen(world)).views] == [D("0.010"), 0]
    assert (await world.ledger.platform_facts("synthetic", T, "paper")).exposure == D("0.010") * make.REF


async def test_a_symbol_that_was_taken_off_is_never_entered_and_listed_until_it_is_over(world: World) -> None:
    first, second = await paired(world)
    order = await entered(world, second)
    await world.ledger.record_fills(first.account_id, filled(order, "in"))  # type: ignore[arg-type]
    (late,) = await world.ledger.plan(second, None, T + 300_000, BUY)
    assert world.people.choose_symbols(first.user_id, (SYMBOL,), world.clock.now_ms())
    refused = await world.ledger.claim(late, signed(late, world.clock.now_ms()), HOLDER)
    assert (refused.granted, refused.why) == (False, codes.SYMBOL_NOT_CHOSEN())
    world.clock.advance_to(world.clock.now_ms() + LEFT_MS + 1)
    assert [view.traded for view in (await seen(world)).views] == [True, False]
    closing = make.fill("out", "sell", order_link_id="", symbol=OTHER, at_ms=T + 9_000, closed_qty=D("0.010"))
    await world.ledger.record_fills(first.account_id, [closing])
    assert [view.symbol for view in (await seen(world)).views] == [SYMBOL]


async def test_an_exit_in_a_symbol_that_was_taken_off_is_claimed(world: World) -> None:
    first, second = await paired(world)
    await entered(world, second)
    assert world.people.choose_symbols(first.user_id, (SYMBOL,), world.clock.now_ms())
    close = replace(ENTRY, leg="f", side="sell", reduce_only=True, stop_loss=D(0), take_profit=D(0), limit_price=D(0))
    order = await world.ledger.plan_exit(second, T, AccountPlan("closed", text("asked"), (close,)))
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted


async def test_the_first_symbol_follows_a_choice_without_it(world: World) -> None:
    first, _ = await paired(world)
    assert world.people.choose_symbols(first.user_id, (OTHER,), world.clock.now_ms())
    assert (await seen(world)).symbol == OTHER


async def test_what_other_symbols_have_at_stake_is_told(world: World) -> None:
    first, second = await paired(world)
    (order,) = await world.ledger.plan(first, None, T, BUY)
    assert (await world.ledger.facts(second.slot, T)).others == (Stake(SYMBOL, NOTIONAL, NOTIONAL / 5, is_held=False),)
    assert (await world.ledger.facts(first.slot, T)).others == ()
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    await world.ledger.close_order(await again(world.ledger, order), verdict())
    await world.ledger.record_fills(first.account_id, filled(order, "in"))  # type: ignore[arg-type]
    held = D("0.010") * make.REF
    assert (await world.ledger.facts(second.slot, T)).others == (Stake(SYMBOL, held, held / 5),)


async def test_an_order_on_its_way_bars_its_own_symbol_and_one_that_waits_for_a_person_bars_all(world: World) -> None:
    first, second = await paired(world)
    (order,) = await world.ledger.plan(first, None, T, BUY)
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    later = T + 300_000
    assert [(await world.ledger.facts(view.slot, later)).unresolved for view in (first, second)] == [1, 0]
    unknown = await world.ledger.move(await again(world.ledger, order), OrderState.UNKNOWN, text("no reply"))
    assert unknown is not None
    await world.ledger.move(unknown, OrderState.NEEDS_HUMAN, text("nobody knows"))
    assert [(await world.ledger.facts(view.slot, later)).unresolved for view in (first, second)] == [1, 1]


async def test_a_second_entry_that_does_not_fit_the_accounts_ceiling_is_not_written(world: World) -> None:
    """Two processes may both have found room: what is written is held against the other's row."""
    first, second = await paired(world)
    for ceiling in (replace(WIDE, positions=1), replace(WIDE, exposure=NOTIONAL), replace(WIDE, margin=NOTIONAL / 5)):
        t_ms = T + 300_000 * int(ceiling.positions + ceiling.exposure + ceiling.margin)
        plan = replace(BUY, ceiling=ceiling)
        assert len(await world.ledger.plan(first, None, t_ms, plan)) == 1
        assert await world.ledger.plan(second, None, t_ms, plan) == []
        assert world.log(first.account_id, t_ms, OTHER).outcome == "refused"
        for row in await world.ledger.open_orders(first.account_id):
            await world.ledger.move(row, OrderState.BLOCKED, text("enough"))


async def test_entries_of_opposite_directions_and_uncorrelated_ones_do_not_share_the_exposure(world: World) -> None:
    first, second = await paired(world)
    tight = replace(WIDE, exposure=NOTIONAL)
    await world.ledger.plan(first, None, T, replace(BUY, ceiling=tight))
    short = AccountPlan("sold", text("down"), (replace(ENTRY, side="sell"),), ceiling=tight)
    assert len(await world.ledger.plan(second, None, T, short)) == 1
    assert len(await world.ledger.plan(first, None, T + 300_000, replace(BUY, ceiling=tight))) == 1
    alone = replace(BUY, ceiling=replace(tight, correlation=D(0)))
    assert len(await world.ledger.plan(second, None, T + 300_000, alone)) == 1


async def test_a_flips_entry_is_sized_under_the_ceiling_too(world: World) -> None:
    first, second = await paired(world)
    rows = await world.ledger.plan(second, None, T, replace(FLIP, ceiling=WIDE))
    entry = next(row for row in rows if row.is_entry)
    await world.ledger.plan(first, None, T, BUY)
    sizing = Sizing(D("0.010"), 5, D(60_180), D(58_800), D(63_000), ceiling=replace(WIDE, positions=1))
    assert not await world.ledger.size(entry, sizing, make.REF)
    assert await world.ledger.size(entry, replace(sizing, ceiling=WIDE), make.REF)


async def test_moves_of_one_symbols_stop_are_not_settled_by_another(world: World) -> None:
    first, second = await paired(world)
    here, there = [await entered(world, view) for view in (first, second)]
    for view in (first, second):
        await world.ledger.plan(view, None, T + 300_000, AccountPlan("held", text("half is won"), stop=NEAR))
    assert await world.ledger.moved_slots() == {first.slot, second.slot}
    assert not await world.ledger.settle_stops(here, NEAR, T + 400_000)
    assert await world.ledger.moved_slots() == {second.slot}
    assert [move.price for move in await world.ledger.stop_moves(there)] == [NEAR]
    assert [entry.symbol for view in (first, second) if (entry := await world.ledger.last_entry(view.slot))] == [*BOTH]
