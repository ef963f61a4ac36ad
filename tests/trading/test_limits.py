"""Limits at work: what locks, when it ends, what one account's entry leaves for the next, and who is asked."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits, RiskLevel
from lib.domain.account_records import TraderAccount
from lib.domain.day import midnight_after
from lib.domain.decision import Action
from lib.domain.errors import Retry
from lib.domain.gates import FOREVER_MS
from lib.domain.locks import RiskLock
from lib.domain.order import CYCLE_MS, OrderState
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, Reason, text
from lib.trading.context import TradingContext
from lib.trading.cycle.platform_limits import open_headroom
from tests.factories import SYMBOL, decision, facts, limits, order, settings
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE


async def held(world: World, account_id: int = 1) -> dict[str, RiskLock]:
    return {lock.kind.removeprefix("paper:"): lock for lock in await world.ledger.locks(account_id)}


def told(world: World, account_id: int = 1) -> tuple[str, Reason]:
    """What the log says of the account and T."""
    return world.log(account_id).planned, world.log(account_id).reason


async def unguarded(world: World) -> Decimal:
    """Hold a long whose stop is gone; the fall in USDT that would lose one percent of the equity."""
    world.ledger.people.change_settings(world.user_of(1), settings(RiskLevel.HIGH))
    await world.cycle(decision("buy", stop_loss="0.01"))
    world.remove_stop()
    return world.cash() / 100 / world.position().qty


async def losing(world: World, percent: int) -> None:
    fall = await unguarded(world) * percent
    world.trade_at(int(world.position().avg_entry_price - fall))


# --- an account's own ------------------------------------------------------------------------------------------------


async def test_a_daily_loss_reached_while_holding_locks_at_once_and_until_midnight(world: World) -> None:
    await losing(world, 6)
    await world.cycle("hold")
    lock = (await held(world))["daily_loss"]
    assert lock.until_ms == midnight_after(world.t_ms)
    assert english(lock.why).startswith("today's loss of 6")
    assert lock.why.params["limit"] == Decimal("0.05")
    assert told(world)[0] == "held"


async def test_a_loss_that_recovers_does_not_open_the_day_again(world: World) -> None:
    await losing(world, 6)
    await world.cycle("hold")
    world.trade_at(60_000)
    report = await world.cycle(decision("sell"))
    assert result_of(report).outcome == "closed"
    assert told(world)[1] == codes.CLOSED_NOT_TURNED(why=codes.ENTRIES_LOCKED(locks="daily_loss"))
    world.to(midnight_after(world.t_ms))
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_money_paid_out_is_no_loss_and_locks_nothing(world: World) -> None:
    await world.cycle("hold")
    world.engine.dealing.deposit(world.uid(1), Decimal(-4_000))
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"
    assert await held(world) == {}


async def test_a_drawdown_holds_until_a_person_ends_it_and_then_begins_anew(world: World) -> None:
    row = world.ledger.store.accounts[1]
    world.ledger.store.accounts[1] = replace(row, books=replace(row.books, peak_equity=Decimal(13_000)))
    await world.cycle("buy")
    lock = (await held(world))["drawdown"]
    assert lock.until_ms == FOREVER_MS
    assert english(told(world)[1]) == "equity fell 23.08% from its peak, your limit is 20%"
    world.to(midnight_after(world.t_ms))
    assert result_of(await world.cycle("buy")).outcome == "refused"
    assert await world.ledger.unlock(1, "drawdown", "owner")
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_every_gate_that_stands_is_written_not_only_the_one_that_is_said(world: World) -> None:
    strict = settings(limits=limits(entries_per_day=0, loss_streak=0))
    world.ledger.people.change_settings(world.user_of(1), strict)
    await world.cycle("buy")
    assert set(await held(world)) == {"loss_streak", "entries"}
    assert told(world) == ("refused", codes.LOSS_STREAK(losses=0, limit=0))


async def test_a_stop_that_was_hit_locks_until_the_rest_is_over(world: World) -> None:
    await world.cycle("buy")
    world.trade_at(58_000)
    await world.cycle("buy")
    lock = (await held(world))["cooldown"]
    assert lock.why == codes.COOLDOWN(minutes=15)
    assert world.t_ms < lock.until_ms <= world.t_ms + 900_000
    world.to(lock.until_ms)
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_a_lock_is_told_to_its_owner_once_while_it_holds(world: World) -> None:
    world.ledger.people.change_settings(world.user_of(1), settings(limits=limits(entries_per_day=0)))
    for _ in range(3):
        await world.cycle("buy")
    notices = [body for *_, body in world.ledger.store.outbox]
    assert notices == [codes.ENTRIES_OF_DAY(entries=0, limit=0)]


async def test_a_losing_exit_is_asked_about_before_the_flips_entry(world: World) -> None:
    # the exit itself makes the day's loss: it fills far below the price the plan was made at
    low = int(60_000 - await unguarded(world) * Decimal("5.5"))
    world.on(CREATE, lambda: world.trade_at(low) if world.position().qty > 0 else None)
    report = await world.cycle("sell")
    entry = world.order("e")
    assert world.position().is_flat
    assert (entry.state, entry.attempts) == (OrderState.BLOCKED, 0)
    assert english(entry.why).startswith("today's loss of 5.")
    assert "daily_loss" in await held(world)
    assert result_of(report).outcome == "closed"


# --- the platform's --------------------------------------------------------------------------------------------------


def under(world: World, **changes: Any) -> TradingContext:
    """The world's context under a stricter platform."""
    world.context = replace(world.context, platform=replace(PlatformLimits(), **changes))
    return world.context


async def outcomes(world: World, view: Any = "buy") -> list[str]:
    report = await world.cycle(view)
    return sorted(result.outcome for result in report.results)


async def test_accounts_of_one_cycle_share_the_platforms_entries(world: World) -> None:
    for _ in range(4):
        world.add_account()
    under(world, entries_per_day=3)
    assert await outcomes(world) == ["bought", "bought", "bought", "refused", "refused"]
    assert sum(bool(world.accepted(account)) for account in range(1, 6)) == 3
    refused = [world.log(n).reason for n in range(1, 6) if world.log(n).planned == "refused"]
    assert set(refused) == {codes.PLATFORM_ENTRIES(entries=3, limit=3)}


async def test_an_entry_that_a_dead_trader_planned_is_among_the_platforms_entries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_account()
    under(world, entries_per_day=2)
    plan = world.ledger.plan

    async def killed(account: TraderAccount, *args: Any) -> Any:
        if account.account_id == 2:
            await plan(account, *args)
        raise Retry("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "plan", killed)
        await world.cycle("buy")
    assert world.accepted(1) == world.accepted(2) == []
    world.context = world.new_context()  # it lives again, and remembers nothing
    under(world, entries_per_day=1)
    await world.again()
    assert len([*world.accepted(1), *world.accepted(2)]) == 1


async def test_accounts_of_one_cycle_share_the_platforms_exposure_and_the_last_is_cut(world: World) -> None:
    for _ in range(4):
        world.add_account()
    under(world, max_exposure=Decimal(10_000))  # each would buy 0.072 BTC, 4,333 USDT at most
    report = await world.cycle("buy")
    held_now = [world.position(number).qty for number in range(1, 6)]
    assert sum(held_now) * 60_180 <= 10_000
    assert sorted(held_now) == [0, 0, Decimal("0.022"), Decimal("0.072"), Decimal("0.072")]
    cut = next(number for number in range(1, 6) if held_now[number - 1] == Decimal("0.022"))
    clamps = {clamp.name: (clamp.asked, clamp.allowed) for clamp in world.log(cut).clamps}
    assert clamps["qty: platform_exposure"] == ("0.072", "0.022")
    assert sorted(result.outcome for result in report.results)[:3] == ["bought"] * 3
    left_out = {world.log(n).reason for n in range(1, 6) if not held_now[n - 1]}
    assert left_out == {codes.PLATFORM_EXPOSURE_FULL()}


async def test_an_entry_on_its_way_counts_as_exposure(world: World) -> None:
    under(world, max_exposure=Decimal(5_000))
    underway = order(state=OrderState.UNKNOWN, qty=Decimal("0.05"), limit_price=Decimal(60_180))
    exits, ended = order("x", "sell", state=OrderState.UNKNOWN), order(state=OrderState.NEEDS_HUMAN)
    rows = [underway, exits, ended, replace(underway, qty=None)]
    headroom = await open_headroom(
        world.context,
        "paper",
        world.context.platform,
        rows,
        world.t_ms,
        world.context.state.reservations["paper"].mark(),
    )
    assert headroom.over((1, SYMBOL), facts()).room == 5_000 - Decimal("0.05") * 60_180
    headroom.reserve((2, SYMBOL), Decimal(2_000))
    assert [gate.kind for gate in headroom.over((1, SYMBOL), facts()).platform] == ["exposure"]


async def test_a_platforms_gate_is_a_lock_that_every_claim_reads(world: World) -> None:
    world.add_account()
    under(world, daily_loss=Decimal("0.02"))
    await losing(world, 6)
    late = world.add_account()
    assert await outcomes(world, "hold") == ["held"] * 3  # the loss is in the books from here on
    await world.cycle("buy")
    assert told(world, late) == ("refused", (await held(world, 0))["daily_loss"].why)
    lock = (await held(world, 0))["daily_loss"]
    assert lock.until_ms == midnight_after(world.t_ms)
    assert english(lock.why).startswith("the platform's loss today of 3")
    assert told(world, 1)[0] == "kept", "what is open stays as it is"


async def test_a_platform_lock_stops_the_entry_at_its_claim(world: World) -> None:
    plan = world.ledger.plan

    async def plan_then_lock(*args: Any) -> Any:
        rows = await plan(*args)
        await world.ledger.lock(0, "paper:daily_loss", midnight_after(world.t_ms), text("by the operator"))
        return rows

    world.ledger.plan = plan_then_lock  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    assert world.order().state is OrderState.BLOCKED
    assert world.order().why == codes.ENTRIES_LOCKED(locks="platform: daily_loss")
    assert world.accepted() == []


async def test_a_platform_lock_stops_no_exit(world: World) -> None:
    await world.cycle("buy")
    await world.ledger.lock(0, "paper:entries", midnight_after(world.t_ms), text("enough for today"))
    assert await outcomes(world, "sell") == ["closed"]
    assert world.position().is_flat


# --- the analyst -----------------------------------------------------------------------------------------------------


async def test_past_the_platforms_tokens_nobody_is_asked_for_and_everybody_is_told(world: World) -> None:
    world.add_account(settings=settings(custom_prompt="careful"))
    under(world, analyst_tokens=1_900)  # a call takes 960
    assert await outcomes(world, "hold") == ["held", "held"]
    assert len(world.analyst.asked) == 2
    assert await outcomes(world, "buy") == ["skipped", "skipped"]
    assert len(world.analyst.asked) == 2
    why = codes.ANALYST_NOT_ASKED(why=codes.PLATFORM_TOKENS(tokens=1920, limit=1900))
    assert told(world, 1) == told(world, 2) == ("skipped", why)
    assert (await held(world, 0))["analyst_budget"].until_ms == midnight_after(world.t_ms)
    world.to(midnight_after(world.t_ms))
    assert await outcomes(world, "buy") == ["bought", "bought"]


async def test_a_budget_an_operator_locked_holds_although_the_figures_are_fine(world: World) -> None:
    await world.ledger.lock(0, "paper:analyst_budget", midnight_after(world.t_ms), text("by the operator"))
    assert await outcomes(world, "buy") == ["skipped"]
    assert told(world)[1] == codes.ANALYST_NOT_ASKED(why=codes.ENTRIES_LOCKED(locks="platform: analyst_budget"))
    assert world.analyst.asked == []


async def test_past_the_platforms_cost_nobody_is_asked_for(world: World) -> None:
    prices = AnalystPrices(Decimal(10), Decimal(100))
    world.context = replace(under(world, analyst_cost=Decimal("0.015")), prices=prices)
    await world.cycle("hold")
    ((answer,),) = (tuple(world.ledger.store.cycles.values()),)
    assert answer.cost == Decimal("0.015")  # 900 tokens in, 60 out
    assert await outcomes(world, "buy") == ["skipped"]
    assert told(world)[1] == codes.ANALYST_NOT_ASKED(
        why=codes.PLATFORM_COST(cost=Decimal("0.02"), limit=Decimal("0.02"))
    )


def guest(world: World, **changes: Any) -> int:
    """A guest with an account of their own."""
    account_id = world.add_account(settings=settings(**changes))
    user_id = world.user_of(account_id)
    world.ledger.store.users[user_id] = replace(world.ledger.store.users[user_id], is_guest=True)
    return account_id


async def test_all_guests_share_one_call_whatever_they_chose(world: World) -> None:
    guests = [guest(world), guest(world, max_leverage=3), guest(world, risk_level=RiskLevel.HIGH, custom_prompt="x")]
    await world.cycle("hold")
    assert len(world.analyst.asked) == 2, "one for the person, one for all guests"
    assert {world.log(number).planned for number in guests} == {"held"}
    assert not any("user_preference>\nx" in prompt.user for prompt in world.analyst.asked)


async def test_what_a_guest_chose_holds_in_code_all_the_same(world: World) -> None:
    careful = guest(world, max_leverage=2)
    await world.cycle("buy")
    (entry,) = world.orders(careful)
    assert entry.leverage == 2


async def test_past_the_guests_budget_guests_are_not_asked_for_and_everybody_else_is(world: World) -> None:
    number = guest(world)
    under(world, guest_tokens=960)
    assert await outcomes(world, "hold") == ["held", "held"]
    assert await outcomes(world, "buy") == ["bought", "skipped"]
    why = codes.ANALYST_NOT_ASKED(why=codes.GUEST_TOKENS(tokens=960, limit=960))
    assert told(world, number) == ("skipped", why)
    world.to(midnight_after(world.t_ms))
    assert await outcomes(world, "hold") == ["held", "held"]


async def test_what_paper_used_keeps_no_real_exchange_from_its_analyst(world: World) -> None:
    under(world, analyst_tokens=900)
    await world.cycle("hold")  # all of it, by paper alone
    headrooms = {
        pool: await open_headroom(
            world.context, pool, world.context.platform, [], world.t_ms, world.context.state.reservations[pool].mark()
        )
        for pool in ("exchange", "paper")
    }
    assert headrooms["paper"].closed_budget
    assert headrooms["exchange"].closed_budget == NOTHING
    assert headrooms["exchange"].over((1, SYMBOL), facts()).platform == ()


async def test_an_answer_that_is_there_already_costs_nothing_and_is_used(world: World) -> None:
    under(world, analyst_tokens=900)
    await world.cycle("hold")
    asked = len(world.analyst.asked)
    report = await world.again("hold")
    assert result_of(report).outcome == "held"
    assert len(world.analyst.asked) == asked


async def test_an_account_past_its_own_budget_is_not_asked_for(world: World) -> None:
    world.ledger.people.change_settings(world.user_of(1), settings(limits=limits(analyst_tokens=960)))
    await world.cycle("hold")
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert told(world) == ("skipped", codes.ANALYST_NOT_ASKED(why=codes.ANALYST_BUDGET_USED_UP()))
    assert len(world.analyst.asked) == 1
    lock = (await held(world))["analyst_budget"]
    assert lock.why == codes.ANALYST_TOKENS(tokens=960, limit=960)
    assert lock.until_ms == midnight_after(world.t_ms)


async def test_an_account_past_its_budget_hears_what_its_group_asks_anyway_but_enters_nothing(world: World) -> None:
    world.ledger.people.change_settings(world.user_of(1), settings(limits=limits(analyst_tokens=960)))
    rich = world.add_account()
    await world.cycle("hold")
    await world.cycle("buy")
    assert len(world.analyst.asked) == 2
    assert told(world, 1)[0] == "refused"
    assert told(world, 1)[1] == codes.ANALYST_TOKENS(tokens=960, limit=960)
    assert world.log(rich).planned == "bought"


async def silent(world: World, cycles: int) -> None:
    world.analyst.failed = True
    for _ in range(cycles):
        await world.cycle()
    world.analyst.failed = False


async def test_after_a_silence_entries_wait_for_one_more_answered_cycle(world: World) -> None:
    await silent(world, 6)
    assert await held(world) == {}, "while nothing is answered nothing is entered anyway"
    report = await world.cycle("buy")
    assert result_of(report).outcome == "refused"
    assert told(world)[1] == codes.ANALYST_FAILURES(cycles=6)
    assert (await held(world))["analyst_failures"].until_ms == world.t_ms + CYCLE_MS
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_a_silence_is_not_forgotten_when_the_cycle_is_run_again(world: World) -> None:
    await silent(world, 6)
    await world.cycle("buy")
    await world.again("buy")
    assert result_of(await world.again("buy")).outcome == "refused"
    assert world.accepted() == []


@pytest.mark.parametrize("cycles", [1, 5])
async def test_a_shorter_silence_delays_nothing(world: World, cycles: int) -> None:
    await silent(world, cycles)
    assert result_of(await world.cycle("buy")).outcome == "bought"


async def test_a_silence_is_seen_on_the_platform_while_it_lasts(world: World) -> None:
    await silent(world, 7)
    lock = (await held(world, 0))["analyst_failures"]
    assert english(lock.why).startswith("the analyst gave no answer in 6 cycles in a row")


# --- what a trader planned before it died -----------------------------------------------------------------------------


async def planned_by_a_dead_trader(world: World, patch: pytest.MonkeyPatch, action: Action, account_id: int) -> None:
    """A cycle that ends when the plan of *account_id* is written; the next trader remembers nothing of it."""
    plan = world.ledger.plan

    async def killed(account: TraderAccount, *args: Any) -> Any:
        if account.account_id == account_id:
            await plan(account, *args)
        raise Retry("the process ends here")

    with patch.context() as dying:
        dying.setattr(world.ledger, "plan", killed)
        await world.cycle(action)
    world.context = replace(world.new_context(), platform=world.context.platform)


async def test_an_entry_taken_up_again_counts_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_account()
    under(world, entries_per_day=2)
    await planned_by_a_dead_trader(world, monkeypatch, "buy", 1)
    await world.again()
    assert [len(world.accepted(number)) for number in (1, 2)] == [1, 1]


async def test_a_flip_taken_up_again_is_not_stopped_by_its_own_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    under(world, entries_per_day=2)
    await world.cycle("buy")
    await planned_by_a_dead_trader(world, monkeypatch, "sell", 1)
    await world.again()
    assert world.order("e").state is OrderState.FILLED
    assert world.position().direction == "short"


async def test_shorts_stay_inside_the_platforms_exposure_too(world: World) -> None:
    for _ in range(3):
        world.add_account()
    under(world, max_exposure=Decimal(10_000))
    await world.cycle("sell")
    held = [world.position(number) for number in range(1, 5)]
    assert 9_000 < sum(abs(position.qty) * position.avg_entry_price for position in held) <= 10_000
