"""The operator's switches: thrown once, taken back by name; a pause is proved without a trader, and never half."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from lib.bootstrap.control import KeysHere
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import OrderDraft, OrderState
from lib.domain.reason import NOTHING
from lib.domain.risk import AccountPlan
from lib.domain.switches import Flags
from lib.ports.exchange import Exchange, Exchanges, Lane
from lib.trading.kill_switch.operator import NoSuchAccountError, Operator
from lib.trading.kill_switch.proof import PROOF_MS, Proof, Prover, VenueTime
from lib.trading.orders.reconcile import Sweep
from tests.factories import REF, SYMBOL, T
from tests.worlds.one_process import World
from tests.worlds.props import CREATE

REALTIME = "/v5/order/realtime"
OTHER = "ETHUSDT"
LATER_S = PROOF_MS / 1000 + 1


class OtherSeals:
    """Keys sealed for another ENCRYPTION_KEY than the one at hand."""

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        raise Pause("the stored API key was sealed for another installation")


@dataclass(frozen=True, slots=True)
class NotIn:
    """Keys that are refused in one symbol."""

    symbol: str
    inner: Exchanges

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        if account.symbol == self.symbol:
            raise Pause("33004: the key has expired")
        return self.inner.open(account, lane)


def operator(world: World) -> Operator:
    return Operator(world.ledger, "cli:kim@context")


def prover(world: World, exchanges: Exchanges | None = None, clocks: Mapping[Venue, VenueTime] | None = None) -> Prover:
    """What the command line proves by: the venue's public clock, and keys unless *exchanges* has none."""

    async def time() -> int:
        return world.clock.now_ms()

    context = world.new_context("cli:kim@context")
    here = replace(context, exchanges=exchanges or KeysHere(context.exchanges))
    return Prover(here, sweep=Sweep(None, deep=True), clocks=clocks or {"paper": time})


async def how_far(world: World, account_id: int = 0, by: Prover | None = None) -> Proof:
    return await operator(world).prove_pause(account_id, by or prover(world))


async def prove(world: World, account_id: int = 0) -> bool:
    return await how_far(world, account_id) is Proof.PROVED


async def proven_ms(world: World, account_id: int) -> int:
    return (await operator(world).switches(account_id)).proven_ms


@pytest.mark.parametrize("account_id", [0, 1])
async def test_stopping_twice_does_not_take_the_first_proof_back(world: World, account_id: int) -> None:
    await operator(world).stop(account_id)
    world.wait(PROOF_MS / 1000 + 1)
    assert await prove(world, account_id)
    await operator(world).stop(account_id)
    assert (await operator(world).switches(account_id)).proven_ms


@pytest.mark.parametrize("account_id", [0, 1])
async def test_stopping_goes_on_closing_what_is_being_closed(world: World, account_id: int) -> None:
    await operator(world).flatten(account_id)
    await operator(world).stop(account_id)
    assert (await operator(world).switches(account_id)).flatten


@pytest.mark.parametrize("flatten", [False, True])
async def test_an_operators_stop_is_thrown_over_the_owners_own(world: World, flatten: bool) -> None:
    await world.ledger.set_account_flags(1, Flags(trading_enabled=False, flatten=flatten), "user:1")
    await operator(world).stop(1)
    assert (await world.trader_account(1)).paused_by == "operator"
    assert (await world.trader_account(1)).flatten is flatten
    await operator(world).flatten(1)
    assert (await world.trader_account(1)).flatten
    assert not await operator(world).resume(1)
    back = await world.trader_account(1)
    assert (back.trading_enabled, back.flatten, back.paused_by) == (False, flatten, "owner"), "as its owner had it"
    assert world.ledger.store.outbox[-1] == (
        1,
        codes.BY_OPERATOR(why=codes.OWNERS_STOP_STAYS(), who="cli:kim@context"),
    )
    assert not await operator(world).resume(1), "and no operator ends it"
    await world.ledger.set_account_flags(1, Flags(trading_enabled=True, flatten=False), "user:1")
    assert (await world.trader_account(1)).paused_by == ""


async def test_resuming_everybody_leaves_an_accounts_own_switch(world: World) -> None:
    await operator(world).stop(1)
    await operator(world).flatten(0)
    await operator(world).resume(0)
    assert (await world.ledger.flags()).trading_enabled
    assert not (await world.trader_account(1)).trading_enabled


async def test_what_a_restore_stopped_is_resumed_once_it_is_proved_or_on_purpose(world: World) -> None:
    restored = Flags(trading_enabled=False, flatten=False, why=codes.RESTORED())
    await world.ledger.set_flags(restored, "restore")
    with pytest.raises(Retry, match="restore_not_proved"):
        await operator(world).resume(0)
    assert not (await world.ledger.flags()).trading_enabled
    await operator(world).resume(0, unproved=True)
    assert (await world.ledger.flags()).trading_enabled
    await world.ledger.set_flags(restored, "restore")
    now = await world.ledger.flags()
    await world.ledger.prove_stopped(0, now.switched_ms, now.switched_ms + PROOF_MS)
    await operator(world).resume(0)
    assert (await world.ledger.flags()).trading_enabled


async def test_the_owner_is_told_who_threw_their_switch(world: World) -> None:
    await operator(world).flatten(1)
    await operator(world).resume(1)
    assert [body for _, body in world.ledger.store.outbox] == [
        codes.BY_OPERATOR(why=codes.CLOSED_BY_OPERATOR(), who="cli:kim@context"),
        codes.BY_OPERATOR(why=codes.ALLOWED_BY_OPERATOR(), who="cli:kim@context"),
    ]


async def test_a_pause_is_not_proved_before_its_time_nor_with_an_open_row(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99, uid=world.uid(1)))
    await world.cycle("buy")
    await operator(world).stop(0)
    world.wait(PROOF_MS / 1000 + 1)
    assert not await prove(world), "a row is open"
    assert not await prove(world, 1), "nothing of that account was thrown"
    world.add_account()
    await operator(world).stop(2)
    assert not await prove(world, 2), "too early"
    world.wait(PROOF_MS / 1000 + 1)
    assert await prove(world, 2), "another account's row is its own"


async def test_a_close_is_never_proved_without_a_look_at_the_position(world: World) -> None:
    await operator(world).flatten(0)
    world.wait(PROOF_MS / 1000 + 60)
    assert not await prove(world)


async def test_a_venue_that_is_away_proves_nothing(world: World) -> None:
    await operator(world).stop(0)

    async def away() -> int:
        raise Retry("away")

    with pytest.raises(Retry):
        await how_far(world, by=prover(world, clocks={"paper": away}))
    assert not await proven_ms(world, 0)


# --- orders the proof must look for, and who can look -----------------------------------------------------------------


@pytest.mark.parametrize("account_id", [0, 1], ids=["everybody", "one account"])
@pytest.mark.parametrize("ago_s", [0, 2 * 86_400], ids=["just now", "two days ago"])
async def test_a_pause_is_not_proved_over_an_order_the_database_lost(world: World, account_id: int, ago_s: int) -> None:
    before = world.ledger.snapshot()
    await world.cycle("buy")
    world.ledger.rollback(before)
    assert world.orders() == []
    world.wait(ago_s)
    await operator(world).stop(account_id)
    world.wait(LATER_S)
    look = prover(world)
    assert await how_far(world, account_id, look) is Proof.WAITS
    assert not await proven_ms(world, account_id)
    assert world.order().state is OrderState.UNKNOWN, "it has a row now"
    assert await how_far(world, account_id, look) is Proof.PROVED
    assert world.order().state is OrderState.FILLED
    assert (await world.trader_account(1)).booked_qty == world.position().qty


async def test_an_order_nobody_heard_of_is_asked_about_without_a_trader(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99))
    await world.cycle("buy")
    assert world.order().state is OrderState.UNKNOWN
    await operator(world).stop(1)
    world.wait(LATER_S)
    assert not await prove(world, 1)
    world.calm()
    assert await prove(world, 1)
    assert world.order().state is OrderState.FILLED


async def test_a_planned_entry_is_taken_back_and_a_planned_exit_is_left_to_who_leads(world: World) -> None:
    entry = OrderDraft("e", "buy", Decimal("0.01"), REF, REF, REF - 600, REF + 900, 5, reduce_only=False)
    leave = OrderDraft("x", "sell", Decimal("0.01"), Decimal(0), REF, Decimal(0), Decimal(0), 5, reduce_only=True)
    await world.ledger.plan(await world.trader_account(1), None, T, AccountPlan("closed", NOTHING, (leave, entry)))
    leads = world.ledger.store.lease
    await operator(world).stop(1)
    world.to(T + 75_000)
    assert not await prove(world, 1)
    assert world.order("e").state is OrderState.BLOCKED
    assert world.order("x").state is OrderState.PLANNED
    assert world.ledger.store.lease == leads


async def test_a_refused_key_keeps_the_proof_back_only_where_there_ever_was_an_entry(world: World) -> None:
    world.add_account()
    await world.cycle("buy")
    world.add_account()
    for number in (1, 3):
        world.fault("key_revoked", uid=world.uid(number), code=33004)
    for number in (0, 1, 2, 3):
        await operator(world).stop(number)
    world.wait(LATER_S)
    look = prover(world)
    assert [await how_far(world, number, look) for number in (1, 2, 3)] == [Proof.UNSEEN, Proof.PROVED, Proof.PROVED]
    assert await how_far(world, 0, look) is Proof.UNSEEN
    assert not await proven_ms(world, 1)
    assert list(look.unseen) == [1]
    assert "33004" in str(look.unseen[1])


async def test_a_symbol_that_was_swept_takes_back_no_reason_of_another(world: World) -> None:
    world.ledger.people.choose_symbols(world.user_of(1), (SYMBOL, OTHER), world.clock.now_ms())
    await world.cycle("buy")
    views = (await world.trader_account(1)).views
    look = prover(world, NotIn(SYMBOL, world.context.exchanges))
    world.wait(LATER_S)
    assert [await look.is_swept(view, world.clock.now_ms() - 1) for view in views] == [False, True]
    assert "33004" in str(look.unseen[1])
    both = prover(world, OtherSeals())
    assert not any([await both.is_swept(view, world.clock.now_ms() - 1) for view in views])
    assert list(both.unseen) == [1], "an account is told once"


async def test_a_refused_key_is_not_excused_by_books_that_lost_the_entry_this_process_sent(world: World) -> None:
    before = world.ledger.snapshot()
    await world.cycle("buy")
    world.ledger.rollback(before)
    world.fault("key_revoked", uid=world.uid(1), code=33004)
    await operator(world).stop(0)
    world.wait(LATER_S)
    trader = Prover(world.context, clocks=prover(world).clocks)
    assert await how_far(world, 0, trader) is Proof.UNSEEN
    assert not await proven_ms(world, 0)


@pytest.mark.parametrize("account_id", [0, 1], ids=["everybody", "one account"])
@pytest.mark.parametrize("keys", [None, OtherSeals()], ids=["without a key", "with another key"])
async def test_a_pause_is_not_proved_where_no_key_can_be_opened(
    world: World, account_id: int, keys: Exchanges | None
) -> None:
    await operator(world).stop(account_id)
    look = prover(world, KeysHere(keys))
    assert await how_far(world, account_id, look) is Proof.WAITS, "too early"
    world.wait(LATER_S)
    assert await how_far(world, account_id, look) is Proof.UNSEEN
    assert not await proven_ms(world, account_id)
    assert list(look.unseen) == [1]
    assert await prove(world, account_id), "with the key it is"


async def test_without_a_key_an_open_order_is_what_is_waited_for(world: World) -> None:
    world.fault("drop_reply", CREATE)
    world.on(CREATE, lambda: world.fault("http_5xx_before", REALTIME, count=99))
    await world.cycle("buy")
    world.calm()
    await operator(world).stop(0)
    world.wait(LATER_S)
    assert await how_far(world, by=prover(world, KeysHere(None))) is Proof.WAITS
    assert world.order().state is OrderState.UNKNOWN


async def test_an_account_nobody_knows_is_refused(world: World) -> None:
    for act in (operator(world).stop, operator(world).flatten, operator(world).resume):
        with pytest.raises(NoSuchAccountError):
            await act(99)
    assert await world.ledger.flags() == Flags(trading_enabled=True, flatten=False)
