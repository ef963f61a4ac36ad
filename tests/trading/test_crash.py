"""Processes that die, commits that are not confirmed, traders that are two: nothing is doubled, lost or late."""

import asyncio
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import EVIDENCE_LIFE_MS, MAX_AGE_MS, Claim, Order, OrderState
from lib.domain.reason import Reason
from lib.trading.orders.reconcile import RESUME_MS, reconcile
from tests.factories import SYMBOL, T, decision
from tests.fakes.accounts import Store
from tests.fakes.books import CommitUnknown
from tests.reasons import english
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE, Killed

SET_LEVERAGE = "/v5/position/set-leverage"
QUERIES = ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list")


def die() -> None:
    """The process ends here."""
    raise Killed


async def test_a_crash_after_the_claim_sends_nothing_again(world: World) -> None:
    world.on(CREATE, die)
    await world.cycle("buy")
    assert world.order().state is OrderState.SUBMITTING
    world.calm()
    await world.again(context=world.new_context())
    assert world.transport.orders() == []
    assert world.order().state is OrderState.ABSENT


async def test_a_crash_after_the_send_finds_the_order_and_sends_nothing_again(world: World) -> None:
    world.on(CREATE, die, after=True)
    await world.cycle("buy")
    assert world.order().state is OrderState.SUBMITTING
    world.calm()
    world.wait(1)
    context = world.new_context()
    assert await reconcile(context, sweep=True)
    assert world.order().state is OrderState.FILLED
    await world.again(context=context)
    assert len(world.transport.orders()) == 1
    assert world.log().summary.outcome == "bought"


async def test_a_crash_after_the_plan_goes_on_while_the_decision_is_fresh(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    assert (world.order().state, world.order().attempts) == (OrderState.PLANNED, 0)
    world.calm()
    await world.again("sell", context=world.new_context())
    assert world.order().state is OrderState.FILLED
    assert world.position().direction == "long", "the first plan of a T stands"


async def test_a_crash_after_the_plan_expires_once_the_decision_is_old(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    world.calm()
    world.to(T + MAX_AGE_MS + 1_000)
    context = world.new_context()
    assert await reconcile(context, sweep=True)
    assert world.order().state is OrderState.EXPIRED
    await world.again(context=context)
    assert world.transport.orders() == []
    assert world.log().summary.outcome == "refused"


async def test_a_row_nobody_is_left_to_send_ends_once_no_restart_takes_its_cycle_up(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    world.calm()
    world.to(T + RESUME_MS)
    assert await reconcile(world.new_context(), sweep=False)
    assert world.order().state is OrderState.PLANNED, "a restart may still take it up"
    world.to(T + RESUME_MS + 1)
    assert await reconcile(world.new_context(), sweep=False)
    assert (world.order().state, world.order().why) == (OrderState.EXPIRED, codes.SENDER_GONE())


async def test_a_row_of_another_leader_is_theirs_to_send_until_it_is_too_old(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    world.calm()
    world.to(T + RESUME_MS + 1)
    assert await reconcile(world.new_context("a trader that stands by"), sweep=False)
    assert world.order().state is OrderState.PLANNED


async def test_a_row_whose_account_is_at_work_is_not_taken_from_it(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    world.calm()
    world.to(T + RESUME_MS + 1)
    context = world.new_context()
    async with context.state.turn((1, SYMBOL)):
        assert await reconcile(context, sweep=False)
        assert world.order().state is OrderState.PLANNED
    assert await reconcile(context, sweep=False)
    assert world.order().state is OrderState.EXPIRED


async def test_a_throttled_row_left_behind_is_never_called_unsent(world: World) -> None:
    world.fault("rate_limit_past_reset", CREATE)
    sends = 0

    def die_at_the_second() -> None:
        nonlocal sends
        sends += 1
        if sends == 2:
            die()

    world.on(CREATE, die_at_the_second)
    await world.cycle("buy")
    world.calm()
    world.to(T + MAX_AGE_MS + 1_000)
    context = world.new_context()
    await reconcile(context, sweep=True)
    await reconcile(context, sweep=True)
    assert world.order().state is OrderState.ABSENT
    assert len(world.transport.orders()) == 1


async def test_doubt_before_a_resend_asks_instead_of_blocking(world: World) -> None:
    world.fault("rate_limit_past_reset", CREATE)
    move = world.ledger.move

    async def move_and_die(order: Order, after: OrderState, why: Reason, code: int = 0) -> Order | None:
        await move(order, after, why, code)
        raise Killed

    world.ledger.move = move_and_die  # type: ignore[method-assign]
    await world.cycle("buy")
    assert (world.order().state, world.order().attempts) == (OrderState.PLANNED, 1)
    world.ledger.move = move  # type: ignore[method-assign]
    world.by_hand("buy", "0.003")
    await world.again(context=world.new_context())
    assert world.order().state is OrderState.ABSENT, "attempts >= 1: a query decides, never BLOCKED"
    assert len(world.transport.orders()) == 1


@pytest.mark.parametrize("effect", ["applied", "lost"])
async def test_a_claim_whose_commit_is_not_confirmed_sends_nothing(world: World, effect: CommitUnknown) -> None:
    world.on(SET_LEVERAGE, lambda: setattr(world.ledger, "commit_unknown", effect))
    report = await world.cycle("buy")
    assert world.transport.orders() == []
    assert result_of(report).outcome == "unresolved"
    world.calm()
    world.to(T + MAX_AGE_MS + 1_000)
    await reconcile(world.context, sweep=False)
    assert world.order().state is (OrderState.ABSENT if effect == "applied" else OrderState.EXPIRED)
    assert world.transport.orders() == []


async def test_nothing_is_asked_of_the_database_between_the_claim_and_the_send(world: World) -> None:
    claim, read = world.ledger.claim, world.ledger.order_by_link
    sent_with_the_ledger_away: list[bool] = []

    async def claim_then_go_away(order: Order, signed: SignedOrder, holder: str) -> Claim:
        answer = await claim(order, signed, holder)
        world.ledger.order_by_link = away  # type: ignore[method-assign]
        return answer

    async def away(order_link_id: str) -> Order | None:
        raise Retry("the database is away")

    def back() -> None:
        sent_with_the_ledger_away.append(world.ledger.order_by_link is away)
        world.ledger.order_by_link = read  # type: ignore[method-assign]

    world.ledger.claim = claim_then_go_away  # type: ignore[method-assign]
    world.on(CREATE, back)
    await world.cycle("buy")
    assert sent_with_the_ledger_away == [True]
    assert world.order().state is OrderState.FILLED


async def test_one_cycle_run_twice_doubles_nothing(world: World) -> None:
    await world.cycle("buy")
    rows = world.orders()
    await world.again("sell")
    await world.again("buy")
    assert world.orders() == rows
    assert len(world.transport.orders()) == 1
    assert world.log().summary.outcome == "bought"
    assert len(world.analyst.asked) == 1


async def test_a_second_trader_stands_by_while_the_first_holds_the_lease(world: World) -> None:
    first, second = await asyncio.gather(
        world.cycle("buy"), world.again("buy", context=world.new_context("trader-2")), return_exceptions=False
    )
    assert second.idle == codes.LEASE_LOST()
    assert result_of(first).outcome == "bought"
    assert len(world.transport.orders()) == 1


async def test_two_traders_that_both_believe_to_lead_send_one_order(world: World) -> None:
    world.to(T + 2_000)
    twin = world.new_context()
    await asyncio.gather(world.again("buy"), world.again("buy", context=twin))
    assert len(world.transport.orders()) == 1
    assert world.order().state is OrderState.FILLED
    assert world.position().qty == world.order().filled_qty


async def test_the_first_answer_recorded_stands_for_every_trader(world: World) -> None:
    world.to(T + 2_000)
    twin = world.new_context()
    world.analyst.view = decision("buy")
    await asyncio.gather(world.again(), world.again(context=twin))
    (answer,) = world.ledger.store.cycles.values()
    assert answer.decision == world.analyst.view


async def test_an_order_whose_row_a_database_lost_is_adopted_and_booked(world: World) -> None:
    before = world.ledger.snapshot()
    await world.cycle("buy")
    row = world.order()
    world.ledger.rollback(before)
    assert world.orders() == []
    assert await reconcile(world.context, sweep=True)
    assert world.order().state is OrderState.UNKNOWN
    assert await reconcile(world.context, sweep=True)
    found = world.order()
    assert (found.order_link_id, found.state) == (row.order_link_id, OrderState.FILLED)
    assert (found.filled_qty, found.fee) == (row.filled_qty, row.fee)
    assert world.log().summary.outcome == "bought"
    assert (await world.ledger.books((1, SYMBOL))).balance == world.cash()
    await world.again("buy")
    assert len(world.transport.orders()) == 1


async def test_a_row_that_says_never_sent_yields_to_the_exchange(world: World) -> None:
    await world.cycle("hold")
    world.wait(300)
    before_the_claim: list[Store] = []
    world.on(SET_LEVERAGE, lambda: before_the_claim.append(world.ledger.snapshot()))
    await world.cycle("buy")
    world.ledger.rollback(before_the_claim[0])
    world.to(world.t_ms + MAX_AGE_MS + 1_000)
    await reconcile(world.context, sweep=True)
    await reconcile(world.context, sweep=True)
    assert world.order().state is OrderState.FILLED


async def test_after_a_day_without_proof_a_person_must_look_and_entries_stay_off(world: World) -> None:
    world.on(CREATE, die)
    await world.cycle("buy")
    world.calm()
    world.to(T + EVIDENCE_LIFE_MS + 3_600_000)
    await reconcile(world.context, sweep=True)
    assert world.order().state is OrderState.NEEDS_HUMAN
    assert world.log(t_ms=T).summary.outcome == "unresolved"
    report = await world.cycle("buy")
    assert result_of(report).outcome == "refused"
    assert "not resolved" in english(result_of(report).reason)
    assert world.transport.orders() == []


async def test_a_resumed_trader_does_not_need_the_analyst_again(world: World) -> None:
    world.on(SET_LEVERAGE, die)
    await world.cycle("buy")
    world.calm()
    await world.again(context=world.new_context())
    assert len(world.analyst.asked) == 1


async def test_a_reconciliation_that_cannot_ask_keeps_the_account_from_entering(world: World) -> None:
    for path in QUERIES:
        world.fault("http_5xx_before", path, count=50)
    report = await world.cycle("buy")
    assert result_of(report).outcome == "skipped"
    assert world.transport.orders() == []
    assert world.cash() == Decimal(10_000)
