"""The kill switch: entries end at its commit, L3 closes everything of ours, and "stopped" is said only when proved."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.decision import Action
from lib.domain.errors import Retry
from lib.domain.order import Order, OrderDraft, OrderState, order_link_id
from lib.domain.position import Side
from lib.domain.reason import Reason, text
from lib.domain.risk import AccountPlan
from lib.domain.switches import Flags
from lib.simulator.engine.orders import OrderRequest
from lib.trading.cycle.run import run_cycle
from lib.trading.kill_switch.proof import PROOF_MS
from lib.trading.kill_switch.stopper import Stopper
from tests.factories import INSTALLATION, REF, SYMBOL, T, decision
from tests.worlds.one_process import World
from tests.worlds.props import CREATE, START, HeldClock

L1 = Flags(trading_enabled=False, flatten=False, why=text("its owner paused it"))
L3 = Flags(trading_enabled=False, flatten=True, why=text("everything is to be closed"))
ON = Flags(trading_enabled=True, flatten=False)
REALTIME, TIME = "/v5/order/realtime", "/v5/market/time"
OURS = order_link_id(INSTALLATION, T, 1, 1, "x", 7)


class Scene:
    """A world with one account whose stopper passes every two seconds, as the timetable has it."""

    def __init__(self) -> None:
        self.clock = HeldClock(START)
        self.world = World(clock=self.clock)
        self.world.add_account()
        self.stopper = Stopper(self.world.context)
        self.tasks: list[asyncio.Task[object]] = []
        self.thrown_ms = 0

    async def start_cycle(self, action: Action = "buy", seconds: float = 5) -> None:
        """The cycle of T (or of now's boundary) for *seconds*."""
        self.world.to(max(self.clock.now_ms(), T + 2_000))
        self.world.analyst.view = decision(action)
        self.tasks.append(asyncio.create_task(run_cycle(self.world.context, T)))
        await self.clock.run(seconds)

    async def bought(self) -> None:
        await self.start_cycle("buy")
        assert self.world.position().qty > 0

    async def throw(self, flags: Flags, account_id: int = 1) -> None:
        if account_id:
            await self.world.ledger.set_account_flags(account_id, flags, "test")
        else:
            await self.world.ledger.set_flags(flags, "test")
        self.thrown_ms = self.clock.now_ms()

    async def passes(self, seconds: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Let *seconds* go by, or until *stop*, with a pass every two of them."""
        for _ in range(round(seconds / 2)):
            self.tasks.append(asyncio.create_task(self.stopper.run_pass()))
            await self.clock.run(2)
            if stop():
                return

    def proven_ms(self, account_id: int = 1) -> int:
        store = self.world.ledger.store
        return store.accounts[account_id].proven_ms if account_id else store.flags.proven_ms

    async def until_proved(self, account_id: int = 1, seconds: float = 60) -> float:
        """Seconds from the throw to the ledger's knowing the proof."""
        await self.passes(seconds, lambda: self.proven_ms(account_id) > 0)
        assert self.proven_ms(account_id), "not proved"
        return (self.clock.now_ms() - self.thrown_ms) / 1000

    def rest_an_order(self, link: str, side: Side = "sell", price: int = 90_000) -> None:
        """A working order on the account, far from the price; a sale may only shrink the position."""
        far = OrderRequest(SYMBOL, side, Decimal("0.001"), "Limit", Decimal(price), "GTC", link, side == "sell")
        self.world.engine.dealing.place(self.world.uid(1), far)

    def resting(self) -> list[str]:
        """Links of the working orders; a position's own stop has none."""
        return [o.link_id for o in self.world.engine.accounts[self.world.uid(1)].orders.values() if o.link_id]

    def told(self) -> list[Reason]:
        return [why for _, why in self.world.ledger.store.outbox if codes.NOT_CLOSED_YET.is_of(why)]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    made.world.calm()
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    assert made.world.violations == []


# --- L1 and L2 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [L1, L3], ids=["pause", "flatten"])
@pytest.mark.parametrize("account_id", [1, 0], ids=["one account", "everybody"])
async def test_a_quiet_switch_is_proved_within_twenty_seconds_and_not_before(
    scene: Scene, level: Flags, account_id: int
) -> None:
    await scene.bought()
    await scene.throw(level, account_id)
    await scene.passes(16)
    assert scene.proven_ms(account_id) == 0, "the venue's clock has not passed the bound"
    took = await scene.until_proved(account_id)
    assert PROOF_MS / 1000 < took <= 20
    assert scene.proven_ms(account_id) > scene.thrown_ms + PROOF_MS


@pytest.mark.parametrize("account_id", [1, 0], ids=["one account", "everybody"])
async def test_a_pause_leaves_the_position_and_its_stop(scene: Scene, account_id: int) -> None:
    await scene.bought()
    before = scene.world.position()
    await scene.throw(L1, account_id)
    await scene.until_proved(account_id)
    assert replace(scene.world.position(), seen_at=0, unrealised=Decimal(0)) == replace(
        before, seen_at=0, unrealised=Decimal(0)
    )
    assert [order.leg for order in scene.world.orders()] == ["e"]


async def test_no_entry_is_claimed_once_a_switch_was_thrown(scene: Scene) -> None:
    await scene.throw(L1, 0)
    await scene.start_cycle("buy")
    assert scene.world.order().state is OrderState.BLOCKED
    assert scene.world.accepted() == []


@pytest.mark.parametrize("late_ms", [100, 3_000, 4_900, 6_000, 20_000, 60_000])
async def test_what_was_on_its_way_is_accepted_within_seven_seconds_of_the_switch_or_never(
    scene: Scene, late_ms: int
) -> None:
    accepted: list[int] = []
    scene.world.engine.on_accept = lambda order: accepted.append(scene.clock.now_ms())
    scene.world.fault("delay", CREATE, ms=late_ms)
    await scene.start_cycle("buy", seconds=0.01)
    assert scene.world.order().state is OrderState.SUBMITTING
    await scene.throw(L1)
    await scene.until_proved(seconds=200)
    await scene.passes(80)
    assert all(at_ms <= scene.thrown_ms + 7_000 for at_ms in accepted)
    assert bool(accepted) == (late_ms < 5_000)
    assert scene.world.order().state is (OrderState.FILLED if accepted else OrderState.ABSENT)


async def test_an_entry_planned_and_not_sent_is_taken_back_at_once(scene: Scene) -> None:
    entry = OrderDraft("e", "buy", Decimal("0.01"), REF, REF, REF - 600, REF + 900, 5, reduce_only=False)
    planned = AccountPlan("bought", text("a trend"), (entry,))
    await scene.world.ledger.plan(await scene.world.trader_account(1), None, T, planned)
    await scene.throw(L1)
    await scene.passes(2)
    assert (scene.world.order().state, scene.world.order().why) == (OrderState.BLOCKED, codes.TRADING_SWITCHED_OFF())


async def test_an_unknown_order_keeps_the_proof_back_until_a_query_ends_it(scene: Scene) -> None:
    scene.world.fault("drop_reply", CREATE)
    scene.world.on(CREATE, lambda: scene.world.fault("http_5xx_before", REALTIME, count=99))
    await scene.start_cycle("buy", seconds=1)
    await scene.throw(L1)
    await scene.passes(30)
    assert scene.world.order().state is OrderState.UNKNOWN
    assert scene.proven_ms() == 0
    scene.world.calm()
    await scene.until_proved()
    assert scene.world.order().state is OrderState.FILLED


async def test_a_row_that_needs_a_person_is_not_stopped(scene: Scene) -> None:
    await scene.bought()
    row = scene.world.order()
    scene.world.ledger.store.orders[row.id] = replace(row, state=OrderState.NEEDS_HUMAN)
    await scene.throw(L1)
    await scene.throw(L1, 0)
    await scene.passes(40)
    assert (scene.proven_ms(), scene.proven_ms(0)) == (0, 0)


async def test_accounts_that_cannot_be_read_prove_nothing(scene: Scene) -> None:
    await scene.bought()
    read = scene.world.ledger.accounts

    async def away() -> list[TraderAccount]:
        raise Retry("the database is away")

    scene.world.ledger.accounts = away  # type: ignore[method-assign]
    await scene.throw(L3, 0)
    await scene.passes(30)
    assert scene.proven_ms(0) == 0, "everything is proved closed beside an open position"
    scene.world.ledger.accounts = read  # type: ignore[method-assign]
    await scene.until_proved(0)
    assert scene.world.position().is_flat


@pytest.mark.parametrize("account_id", [1, 0], ids=["one account", "everybody"])
async def test_an_orphan_keeps_the_proof_back(scene: Scene, account_id: int) -> None:
    before = scene.world.ledger.snapshot()
    await scene.bought()
    scene.world.ledger.rollback(before)  # the database forgot the order and its fills
    assert scene.world.orders() == []
    await scene.throw(L3, account_id)
    await scene.until_proved(account_id)
    assert scene.world.position().is_flat, "proved stopped beside a position of ours"
    assert {order.state for order in scene.world.orders()} == {OrderState.FILLED}


async def test_one_question_for_the_time_serves_every_account(scene: Scene) -> None:
    for _ in range(4):
        scene.world.add_account()
    for number in range(1, 6):
        await scene.throw(L1, number)
    await scene.passes(16)
    asked = len([path for _, path, _ in scene.world.transport.sent if path == TIME])
    await scene.until_proved(5)
    assert all(scene.proven_ms(number) for number in range(1, 6))
    assert len([path for _, path, _ in scene.world.transport.sent if path == TIME]) - asked <= 1


async def test_a_venue_that_cannot_be_asked_proves_nothing(scene: Scene) -> None:
    await scene.throw(L1, 0)
    scene.world.fault("http_5xx_before", TIME, count=999)
    await scene.passes(40)
    assert scene.proven_ms(0) == 0
    scene.world.calm()
    await scene.until_proved(0)


async def test_a_switch_thrown_again_needs_a_proof_of_its_own(scene: Scene) -> None:
    await scene.throw(L1)
    await scene.until_proved()
    await scene.throw(L3)
    assert scene.proven_ms() == 0
    assert PROOF_MS / 1000 < await scene.until_proved() <= 20


async def test_nothing_switches_trading_on_again_by_itself(scene: Scene) -> None:
    await scene.bought()
    await scene.throw(L3)
    await scene.until_proved()
    await scene.passes(60)
    account = await scene.world.trader_account(1)
    assert (account.trading_enabled, account.flatten) == (False, True)
    await scene.throw(ON)
    await scene.passes(4)
    account = await scene.world.trader_account(1)
    assert (account.trading_enabled, account.flatten, account.proven_ms) == (True, False, 0)


async def test_the_environment_throws_the_platforms_switch_once_and_never_back(scene: Scene) -> None:
    await Stopper(scene.world.context, allowed=False).obey()
    flags = await scene.world.ledger.flags()
    assert (flags.trading_enabled, flags.why) == (False, codes.SWITCHED_OFF_BY_SETTINGS())
    await scene.until_proved(0)
    await Stopper(scene.world.context, allowed=False).obey()
    assert scene.proven_ms(0), "a standing switch is not thrown anew"
    await Stopper(scene.world.context, allowed=True).obey()
    assert not (await scene.world.ledger.flags()).trading_enabled


# --- L3 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account_id", [1, 0], ids=["one account", "everybody"])
async def test_flatten_closes_what_is_ours_by_one_row_of_its_own(scene: Scene, account_id: int) -> None:
    await scene.bought()
    await scene.throw(L3, account_id)
    took = await scene.until_proved(account_id)
    assert scene.world.position().is_flat
    closes = [order for order in scene.world.orders() if order.leg == "f"]
    assert [(order.state, order.reduce_only) for order in closes] == [(OrderState.FILLED, True)]
    assert (await scene.world.trader_account(1)).booked_qty == 0
    assert took <= 20


async def test_flatten_works_while_paused_and_with_auto_trading_off(scene: Scene) -> None:
    await scene.bought()
    await scene.throw(L1)
    scene.world.ledger.people.set_auto_trade(scene.world.user_of(1), False, scene.clock.now_ms())
    await scene.throw(L3)
    await scene.until_proved()
    assert scene.world.position().is_flat


async def test_flatten_works_for_a_deleted_person(scene: Scene) -> None:
    await scene.bought()
    store, user_id = scene.world.ledger.store, scene.world.user_of(1)
    store.users[user_id] = replace(store.users[user_id], deleted=True)
    await scene.throw(L3, 0)
    await scene.passes(4)
    assert scene.world.position().is_flat


async def test_flatten_leaves_what_a_person_added(scene: Scene) -> None:
    await scene.bought()
    ours = scene.world.position().qty
    scene.world.by_hand("buy", "0.005")
    await scene.throw(L3)
    await scene.until_proved()
    assert scene.world.position().qty == Decimal("0.005")
    assert scene.world.order("f").qty == ours


async def test_flatten_never_touches_a_position_that_is_not_ours(scene: Scene) -> None:
    scene.world.by_hand("buy", "0.005")
    await scene.throw(L3)
    await scene.until_proved()
    assert scene.world.position().qty == Decimal("0.005")
    assert scene.world.orders() == []


async def test_flatten_cancels_our_working_orders_and_no_one_elses(scene: Scene) -> None:
    await scene.bought()
    scene.rest_an_order(OURS)
    scene.rest_an_order("mine", "buy", 50_000)
    assert scene.resting() == [OURS, "mine"]
    await scene.throw(L3)
    await scene.passes(4)
    assert scene.resting() == ["mine"]
    cancelled = [body for _, path, body in scene.world.transport.sent if path == "/v5/order/cancel"]
    assert [OURS in str(body) for body in cancelled] == [True]


async def test_a_refused_close_is_tried_again_with_patience_and_somebody_is_called(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.bought()
    scene.world.fault("async_reject", count=999)
    await scene.throw(L3)
    await scene.passes(120)
    assert scene.proven_ms() == 0
    closes = [order for order in scene.world.orders() if order.leg == "f"]
    assert {order.state for order in closes[:-1]} == {OrderState.REJECTED}
    assert 4 <= len(closes) <= 12
    assert len(scene.told()) == 1
    assert "flatten.stuck" in caplog.messages
    scene.world.calm()
    await scene.until_proved()
    assert scene.world.position().is_flat


async def test_a_close_whose_reply_is_lost_is_never_sent_twice(scene: Scene) -> None:
    await scene.bought()
    scene.world.fault("drop_reply", CREATE)
    scene.world.on(CREATE, lambda: scene.world.fault("http_5xx_before", REALTIME, count=12))
    await scene.throw(L3)
    await scene.until_proved(seconds=120)
    closes = [order for order in scene.world.orders() if order.leg == "f"]
    assert [order.state for order in closes] == [OrderState.FILLED]
    assert len(scene.world.transport.orders()) == 2, "one entry, one close"


async def test_an_entry_that_turns_out_to_have_filled_is_closed_before_the_proof(scene: Scene) -> None:
    scene.world.fault("drop_reply", CREATE)
    scene.world.on(CREATE, lambda: scene.world.fault("http_5xx_before", REALTIME, count=99))
    await scene.start_cycle("buy", seconds=1)
    await scene.throw(L3)
    await scene.passes(30)
    assert scene.proven_ms() == 0
    scene.world.calm()
    await scene.until_proved()
    assert scene.world.position().is_flat


async def test_the_switches_last_read_stand_while_the_ledger_is_away(scene: Scene) -> None:
    await scene.bought()
    await scene.throw(L3, 0)
    scene.stopper.flags = await scene.world.ledger.flags()
    scene.stopper.accounts = await scene.world.ledger.accounts()
    scene.rest_an_order(OURS)
    flags = scene.world.ledger.flags

    async def away() -> Flags:
        raise Retry("the database is away")

    scene.world.ledger.flags = away  # type: ignore[method-assign]
    await scene.passes(4)
    assert scene.resting() == []
    scene.world.ledger.flags = flags  # type: ignore[method-assign]
    await scene.until_proved(0)


async def test_one_account_whose_key_is_a_bug_keeps_no_other_from_closing(scene: Scene) -> None:
    scene.world.add_account()
    await scene.bought()
    assert scene.world.position(2).qty > 0
    scene.world.spoil_key(1)
    await scene.throw(L3, 0)
    await scene.passes(40)
    assert scene.world.position(2).is_flat
    assert scene.proven_ms(0) == 0, "nobody has seen the other account flat"


async def test_two_traders_close_once(scene: Scene) -> None:
    await scene.bought()
    other = Stopper(scene.world.new_context("trader-2"))
    await scene.throw(L3)
    for _ in range(3):
        scene.tasks += [asyncio.create_task(scene.stopper.run_pass()), asyncio.create_task(other.run_pass())]
        await scene.clock.run(2)
    await scene.until_proved()
    assert scene.world.position().is_flat
    assert len([order for order in scene.world.orders() if order.state is OrderState.FILLED]) == 2


async def test_a_cycle_that_waits_for_its_analyst_does_not_hold_up_the_close(scene: Scene) -> None:
    await scene.bought()
    async with scene.world.context.state.turn((1, SYMBOL)):
        await scene.throw(L3)
        await scene.passes(14)
        assert scene.world.position().is_flat


async def test_a_thousand_proved_accounts_cost_no_questions(scene: Scene) -> None:
    await scene.bought()
    await scene.throw(L3)
    await scene.until_proved()
    sent = len(scene.world.transport.sent)
    await scene.passes(60)
    assert len(scene.world.transport.sent) == sent


async def test_an_entry_that_comes_back_after_the_proof_is_closed_even_when_its_first_close_ends_unfilled(
    scene: Scene,
) -> None:
    """The books know the quantity from the exchange; the database has lost the entry's row, and is given it back."""
    await scene.bought()
    ledger, known = scene.world.ledger, scene.world.ledger.last_entry

    async def lost(slot: tuple[int, str]) -> Order | None:
        return None

    ledger.last_entry = lost  # type: ignore[method-assign]
    await scene.throw(L3)
    await scene.until_proved()
    assert not scene.world.position().is_flat, "nothing says that it is ours"
    ledger.last_entry = known  # type: ignore[method-assign]
    entry = scene.world.order("e")
    ledger.store.orders[entry.id] = replace(entry, state=OrderState.UNKNOWN)  # as a sweep writes what it found
    scene.world.fault("no_fill")
    await scene.passes(90)
    assert scene.world.position().is_flat
