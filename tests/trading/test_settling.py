"""NEEDS_HUMAN's way out: the exchange is asked once more, is never contradicted, and trading stays a person's act."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.order import TERMINAL, VERDICTS, Order, OrderState
from lib.domain.reason import NOTHING, Reason
from lib.domain.stored_reason import parse
from lib.trading.orders.settle_by_hand import Evidence, Word, ask_again, objection, settle
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

S = OrderState
REALTIME = "/v5/order/realtime"


def word(state: OrderState, why: str = "seen in the exchange's app") -> Word:
    return Word(state, "cli:kim@context", why)


async def needs_human(world: World, *, arrived: bool) -> Order:
    """An order of T whose reply was lost and that is a person's now."""
    world.fault("drop_reply" if arrived else "drop_before", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99))
    await world.cycle("buy")
    world.calm()
    row = world.order()
    assert row.state is S.UNKNOWN
    world.wait(25 * 3600)
    world.ledger.store.orders[row.id] = replace(row, state=S.NEEDS_HUMAN)
    return world.order()


async def settled(world: World, row: Order, said: Word) -> Reason:
    evidence = await ask_again(world.ledger, world.context.exchanges, row)
    return await settle(world.ledger, row, evidence, said)


@pytest.mark.parametrize("state", sorted(TERMINAL - {S.FILLED}))
async def test_a_record_of_the_exchange_is_not_contradicted(world: World, state: OrderState) -> None:
    row = await needs_human(world, arrived=True)
    assert codes.ORDER_CONTRADICTED.is_of(await settled(world, row, word(state)))
    assert world.order().state is S.NEEDS_HUMAN
    assert (await world.trader_account(1)).trading_enabled, "nothing was settled, nothing is paused"


async def test_what_the_exchange_says_closes_the_row_with_its_figures(world: World) -> None:
    row = await needs_human(world, arrived=True)
    assert await settled(world, row, word(S.FILLED)) == NOTHING
    done = world.order()
    assert (done.state, done.filled_qty) == (S.FILLED, world.position().qty)
    assert done.why == codes.SETTLED_BY(who="cli:kim@context", note="seen in the exchange's app")


@pytest.mark.parametrize("state", sorted(TERMINAL - {S.FILLED, S.PARTIAL}))
async def test_without_a_record_a_persons_word_stands_with_name_and_reason(world: World, state: OrderState) -> None:
    row = await needs_human(world, arrived=False)
    assert await settled(world, row, word(state)) == NOTHING
    last, _ = world.ledger.store.events[row.id][-1]
    assert (last.before, last.after) == (S.NEEDS_HUMAN, state)
    assert parse(last.why).params["who"] == "cli:kim@context"


@pytest.mark.parametrize("state", [S.FILLED, S.PARTIAL])
async def test_a_fill_the_exchange_knows_nothing_of_is_refused(world: World, state: OrderState) -> None:
    row = await needs_human(world, arrived=False)
    assert await settled(world, row, word(state))
    assert world.order().state is S.NEEDS_HUMAN


async def test_settling_pauses_the_account_until_somebody_resumes(world: World) -> None:
    row = await needs_human(world, arrived=False)
    await settled(world, row, word(S.ABSENT))
    assert not (await world.trader_account(1)).trading_enabled
    await world.cycle("buy")
    assert len(world.transport.orders()) == 1, "the lost one alone"


async def test_an_exchange_that_cannot_answer_now_settles_nothing(world: World) -> None:
    row = await needs_human(world, arrived=False)
    world.fault("http_5xx_before", REALTIME, count=99)
    with pytest.raises(Retry):
        await ask_again(world.ledger, world.context.exchanges, row)


async def test_where_no_key_can_ask_a_persons_word_is_all_there_is(world: World) -> None:
    row = await needs_human(world, arrived=True)
    evidence = await ask_again(world.ledger, None, row)
    assert not evidence.asked
    assert await settle(world.ledger, row, evidence, word(S.FILLED)) == NOTHING
    assert world.order().filled_qty == row.qty


@pytest.mark.parametrize("state", sorted(set(S) - {S.NEEDS_HUMAN}))
async def test_only_a_row_that_needs_a_person_is_a_persons(world: World, state: OrderState) -> None:
    row = replace(await needs_human(world, arrived=False), state=state)
    assert objection(row, Evidence(asked=True), word(S.ABSENT))


@pytest.mark.parametrize("state", sorted(set(S) - TERMINAL))
async def test_a_settled_order_is_over(world: World, state: OrderState) -> None:
    row = await needs_human(world, arrived=False)
    assert objection(row, Evidence(asked=True), word(state))


async def test_a_word_needs_a_reason_and_an_order_that_is_over_at_the_exchange(world: World) -> None:
    row = await needs_human(world, arrived=False)
    assert objection(row, Evidence(asked=True), word(S.ABSENT, "  ")) == codes.REASON_WANTED()
    assert objection(row, Evidence(asked=True, is_open=True), word(S.ABSENT))
    assert objection(row, Evidence(asked=True), word(S.ABSENT)) == NOTHING
    assert Decimal(0) == row.filled_qty
    assert VERDICTS < TERMINAL


async def test_two_operators_settle_once(world: World) -> None:
    row = await needs_human(world, arrived=False)
    assert await settled(world, row, word(S.ABSENT)) == NOTHING
    assert await settled(world, row, word(S.REJECTED)) == codes.ORDER_MOVED()
    assert world.order().state is S.ABSENT
