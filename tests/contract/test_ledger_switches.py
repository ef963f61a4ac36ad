"""The ledger's contract, switches and locks, on every implementation: off is off at once, and proved only once."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.books import EquityPoint
from lib.domain.events import Event, EventKind
from lib.domain.exchange_records import Verdict
from lib.domain.order import OrderState
from lib.domain.reason import text
from lib.domain.stored_reason import stored
from lib.domain.switches import Flags
from lib.ports.people import EvidenceLacking
from tests import factories as make
from tests.chains import chain_problem
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import HOLDER, again, planned, signed, submitted, trading_account
from tests.factories import REF, SYMBOL, T

S = OrderState
DAY = 86_400_000
NOW = T + 4_000


async def account_of(world: World) -> TraderAccount:
    (account,) = await world.ledger.accounts()
    return account


# --- switches and their proof ----------------------------------------------------------------------------------------


async def test_the_platforms_switches_are_dated_and_say_why(world: World) -> None:
    await world.ledger.set_flags(Flags(False, True, why=text("maintenance")), "operator")
    assert await world.ledger.flags() == Flags(False, True, NOW, 0, text("maintenance"))


async def test_an_accounts_switches_are_dated_and_shown(world: World) -> None:
    account = await trading_account(world)
    world.clock.advance_to(T + 9_000)
    await world.ledger.set_account_flags(account.account_id, Flags(False, True, why=text("I go on holiday")), "owner")
    off = await account_of(world)
    assert (off.trading_enabled, off.flatten, off.switched_ms, off.proven_ms) == (False, True, T + 9_000, 0)


async def test_a_stop_takes_no_flatten_back_whatever_its_thrower_had_read(world: World) -> None:
    account = await trading_account(world)
    close, stop, go = Flags(False, True), Flags(False, False), Flags(True, False)
    for flags, flattens in ((stop, False), (close, True), (stop, True), (go, False), (stop, False)):
        await world.ledger.set_flags(flags, "operator")
        await world.ledger.set_account_flags(account.account_id, flags, "cli:kim@desk")
        assert [(await world.ledger.flags()).flatten, (await account_of(world)).flatten] == [flattens, flattens]


async def test_a_restores_stop_keeps_its_reason_until_it_is_proved_whoever_closes_meanwhile(world: World) -> None:
    stop, close = Flags(False, False, why=codes.RESTORED()), Flags(False, True, why=codes.CLOSED_BY_OPERATOR())
    for proved, why in ((False, codes.RESTORED()), (True, codes.CLOSED_BY_OPERATOR())):
        await world.ledger.set_flags(Flags(True, False), "operator")
        await world.ledger.set_flags(stop, "restore")
        if proved:
            assert await world.ledger.prove_stopped(0, (await world.ledger.flags()).switched_ms, NOW + 30_000)
        await world.ledger.set_flags(close, "operator")
        assert ((await world.ledger.flags()).why, (await world.ledger.flags()).flatten) == (why, True)


Throw = Callable[[World, TraderAccount], object]
THROWS: dict[str, Throw] = {
    "account flags": lambda w, a: w.ledger.set_account_flags(a.account_id, Flags(False, False), "owner"),
    "account flags by the people": lambda w, a: w.people.set_account_flags(a.account_id, Flags(False, False)),
    "pause": lambda w, a: w.ledger.pause(a.account_id, text("the key was revoked")),
    "auto-trading": lambda w, a: w.people.set_auto_trade(a.user_id, False, w.clock.now_ms()),
}


@pytest.mark.parametrize("throw", THROWS)
async def test_every_switch_is_dated_and_takes_the_proof_back(world: World, throw: str) -> None:
    account = await trading_account(world)
    assert await world.ledger.prove_stopped(account.account_id, account.switched_ms, NOW)
    assert (await account_of(world)).proven_ms == NOW
    world.clock.advance_to(T + 20_000)
    done = THROWS[throw](world, account)
    if done is not None:
        await done  # type: ignore[misc]
    after = await account_of(world)
    assert (after.switched_ms, after.proven_ms) == (T + 20_000, 0)


async def test_a_proof_of_switches_thrown_again_is_refused(world: World) -> None:
    account = await trading_account(world)
    for _ in range(2):  # twice within one millisecond: the second throw is another one
        await world.ledger.set_account_flags(account.account_id, Flags(False, False), "owner")
        await world.ledger.set_flags(Flags(False, False), "operator")
    switched, platform = (await account_of(world)).switched_ms, (await world.ledger.flags()).switched_ms
    assert (switched, platform) == (NOW + 1, NOW + 1)
    assert not await world.ledger.prove_stopped(account.account_id, NOW, NOW + 30_000)
    assert not await world.ledger.prove_stopped(0, NOW, NOW + 30_000)
    assert await world.ledger.prove_stopped(account.account_id, switched, NOW + 30_000)
    assert await world.ledger.prove_stopped(0, platform, NOW + 31_000)
    assert (await account_of(world)).proven_ms == NOW + 30_000
    assert (await world.ledger.flags()).proven_ms == NOW + 31_000


async def test_a_proof_of_one_account_proves_no_other(world: World) -> None:
    first = await trading_account(world)
    second = await trading_account(world, uid="uid-2")
    assert await world.ledger.prove_stopped(second.account_id, second.switched_ms, NOW)
    proofs = {account.account_id: account.proven_ms for account in await world.ledger.accounts()}
    assert proofs == {first.account_id: 0, second.account_id: NOW}


async def test_a_notice_reaches_the_owner(world: World) -> None:
    account = await trading_account(world)
    told = Event(EventKind.ADL, text("the exchange closed a part of the position"))
    await world.ledger.notice(account.account_id, told)
    assert world.outbox() == [(account.account_id, text("the exchange closed a part of the position"))]


# --- who there is to guard -------------------------------------------------------------------------------------------


async def test_a_deleted_person_with_an_open_row_is_guarded_but_not_traded_for(world: World) -> None:
    account, order = await submitted(world)
    world.delete_user(account.user_id)
    seen = await account_of(world)
    assert (seen.account_id, seen.auto_trade) == (account.account_id, False)
    await world.ledger.move(order, S.UNKNOWN, text("timed out"))
    await world.ledger.move(await again(world.ledger, order), S.ABSENT, text("proved"))
    assert await world.ledger.accounts() == []


async def test_a_deleted_person_with_a_position_is_guarded_until_it_is_flat(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.record_fills(account.account_id, [make.fill("1", "buy", "0.010", order_link_id="")])
    world.delete_user(account.user_id)
    assert [row.booked_qty for row in await world.ledger.accounts()] == [make.fill().qty]
    await world.ledger.record_fills(account.account_id, [make.fill("2", "sell", "0.010", order_link_id="")])
    assert await world.ledger.accounts() == []


async def test_what_filled_and_is_in_no_books_yet_keeps_its_account_in_use_and_guarded(world: World) -> None:
    account, order = await submitted(world)
    filled = Verdict(S.FILLED, codes.FILLED(), "exchange-1", Decimal("0.010"), REF, Decimal("0.33"))
    assert await world.ledger.close_order(order, filled)
    other = NewAccount(account.user_id, "paper", "synthetic", "uid-9", SYMBOL, "sealed", "1234", 1, Decimal(1), 0)
    with pytest.raises(ValueError, match="close it first"):
        world.people.add_account(other)
    world.delete_user(account.user_id)
    assert [one.account_id for one in await world.ledger.accounts()] == [account.account_id]
    fills = [
        make.fill("1", "buy", "0.010", order_link_id=order.order_link_id, at_ms=NOW),
        make.fill("2", "sell", "0.010", order_link_id="", at_ms=NOW + 1),
    ]
    await world.ledger.record_fills(account.account_id, fills[1:])
    assert await world.ledger.accounts(), "another order's execution says nothing of this one"
    await world.ledger.record_fills(account.account_id, fills[:1])
    assert await world.ledger.accounts() == []


async def test_an_execution_that_is_no_longer_looked_for_keeps_nobody(world: World) -> None:
    account, order = await submitted(world)
    filled = Verdict(S.FILLED, codes.FILLED(), "exchange-1", Decimal("0.010"), REF, Decimal("0.33"))
    assert await world.ledger.close_order(order, filled)
    paid = make.fill("1", "buy", "0", order_link_id="", kind="funding", fee=Decimal("0.1"))
    for at_ms, left in ((T + 3_600_000, 1), (T + 3_600_001, 0)):
        await world.ledger.record_fills(account.account_id, [replace(paid, exec_id=str(at_ms), at_ms=at_ms)])
        world.delete_user(account.user_id)
        assert len(await world.ledger.accounts()) == left


async def test_who_has_just_left_is_looked_after_though_nothing_tells_of_an_order(world: World) -> None:
    account = await trading_account(world)
    now = await world.ledger.now()
    for left_ms, found in ((now, 1), (now - 3_599_000, 1), (now - 3_601_000, 0)):
        world.delete_user(account.user_id, left_ms)
        assert [one.auto_trade for one in await world.ledger.accounts()] == [False] * found


@pytest.mark.parametrize(
    ("flags", "who", "whose"),
    [
        (Flags(False, False), "cli:kim@desk", "operator"),
        (Flags(False, True), "user:1", "owner"),
        (Flags(True, False), "cli:kim@desk", ""),
    ],
)
async def test_an_accounts_pause_says_whose_it_is(world: World, flags: Flags, who: str, whose: str) -> None:
    account = await trading_account(world)
    assert account.paused_by == ""
    await world.ledger.pause(account.account_id, text("its key was refused"))
    assert (await account_of(world)).paused_by == "system"
    await world.ledger.set_account_flags(account.account_id, flags, who)
    assert (await account_of(world)).paused_by == whose


OWNER, OPERATOR = "user:1", "cli:kim@desk"
PAUSED, CLOSED, GO = Flags(False, False), Flags(False, True), Flags(True, False)


@pytest.mark.parametrize("owners", [PAUSED, CLOSED])
@pytest.mark.parametrize("operators", [PAUSED, CLOSED])
@pytest.mark.parametrize("first", ["owner", "operator"])
async def test_an_operator_who_resumes_gives_back_what_the_owner_had_stopped(
    world: World, owners: Flags, operators: Flags, first: str
) -> None:
    account = await trading_account(world)
    throws = [(owners, OWNER), (operators, OPERATOR)]
    for flags, who in throws if first == "owner" else reversed(throws):
        await world.ledger.set_account_flags(account.account_id, flags, who)
    under = await account_of(world)
    assert (under.trading_enabled, under.paused_by) == (False, "operator")
    assert under.flatten is (owners.flatten or operators.flatten)
    for _ in range(2):
        await world.ledger.set_account_flags(account.account_id, GO, OPERATOR)
        back = await account_of(world)
        assert (back.trading_enabled, back.flatten, back.paused_by) == (False, owners.flatten, "owner")
    await world.ledger.set_account_flags(account.account_id, GO, OWNER)
    assert (await account_of(world)).trading_enabled
    await world.ledger.set_account_flags(account.account_id, operators, OPERATOR)
    await world.ledger.set_account_flags(account.account_id, GO, OPERATOR)
    free = await account_of(world)
    assert (free.trading_enabled, free.flatten, free.paused_by) == (True, False, ""), "nothing of old days comes back"


# --- locks -----------------------------------------------------------------------------------------------------------


async def test_a_lock_that_holds_stays_as_it_is_and_its_owner_hears_once(world: World) -> None:
    account = await trading_account(world)
    for why in ("fell by 20 %", "fell by 21 %"):
        await world.ledger.lock(account.account_id, "drawdown", T + 2 * DAY, text(why))
    world.clock.advance_to(T + DAY)  # another UTC day: the lock of yesterday still holds
    await world.ledger.lock(account.account_id, "drawdown", T + 9 * DAY, text("fell by 22 %"))
    (held,) = await world.ledger.locks(account.account_id)
    assert (held.kind, held.until_ms, held.why, held.created_ms) == ("drawdown", T + 2 * DAY, text("fell by 20 %"), NOW)
    assert world.outbox() == [(account.account_id, text("fell by 20 %"))]


async def test_a_lock_that_ran_out_is_renewed_on_the_same_day(world: World) -> None:
    account = await trading_account(world)
    await world.ledger.lock(account.account_id, "cooldown", T + 10_000, text("a stop was hit"))
    world.clock.advance_to(T + 10_000)
    assert await world.ledger.locks(account.account_id) == []
    await world.ledger.lock(account.account_id, "cooldown", T + 60_000, text("another stop was hit"))
    (held,) = await world.ledger.locks(account.account_id)
    assert (held.until_ms, held.why, held.created_ms) == (T + 60_000, text("another stop was hit"), T + 10_000)
    assert len(world.outbox()) == 2


async def test_locks_are_listed_oldest_first_and_each_for_its_own(world: World) -> None:
    account = await trading_account(world)
    other = await trading_account(world, uid="uid-2")
    await world.ledger.lock(account.account_id, "entries", T + DAY, text("enough"))
    world.clock.advance_to(T + 5_000)
    await world.ledger.lock(account.account_id, "daily_loss", T + DAY, text("lost 5 %"))
    await world.ledger.lock(0, "exposure", T + DAY, text("too much is open"))
    assert [lock.kind for lock in await world.ledger.locks(account.account_id)] == ["entries", "daily_loss"]
    assert [(lock.account_id, lock.kind) for lock in await world.ledger.locks(0)] == [(0, "exposure")]
    assert await world.ledger.locks(other.account_id) == []
    assert (await world.ledger.facts(account.slot, T)).locks == ("daily_loss", "entries")


async def test_a_person_ends_a_lock_once(world: World) -> None:
    account = await trading_account(world)
    for number in (account.account_id, 0):
        await world.ledger.lock(number, "external", T + DAY, text("another hand"))
        assert not await world.ledger.unlock(number, "drawdown", "kim")
        assert await world.ledger.unlock(number, "external", "kim")
        assert not await world.ledger.unlock(number, "external", "kim")
        assert await world.ledger.locks(number) == []
        await world.ledger.lock(number, "external", T + DAY, text("another hand again"))
        assert [lock.why for lock in await world.ledger.locks(number)] == [text("another hand again")]


async def test_ending_a_drawdown_makes_the_newest_equity_the_peak(world: World) -> None:
    account = await trading_account(world)
    for step, equity in enumerate(("10500", "7000")):
        point = EquityPoint(account.account_id, T + step * 300_000, REF, Decimal(equity), Decimal(0))
        await world.ledger.record_equity(point)
    await world.ledger.lock(account.account_id, "drawdown", T + DAY, text("fell by a third"))
    assert (await world.ledger.facts(account.slot, T)).peak_equity == 10_500
    assert await world.ledger.unlock(account.account_id, "drawdown", "kim")
    assert (await world.ledger.facts(account.slot, T)).peak_equity == 7_000


async def test_ending_a_loss_streak_begins_the_count_again(world: World) -> None:
    account = await trading_account(world)
    losses = [make.fill("1", "buy", "1", "100", order_link_id=""), make.fill("2", "sell", "1", "90", order_link_id="")]
    await world.ledger.record_fills(account.account_id, losses)
    await world.ledger.lock(account.account_id, "loss_streak", T + DAY, text("lost again"))
    assert (await world.ledger.facts(account.slot, T)).loss_streak == 1
    await world.ledger.unlock(account.account_id, "loss_streak", "kim")
    assert (await world.ledger.facts(account.slot, T)).loss_streak == 0
    assert (await world.ledger.facts(account.slot, T)).locks == ()


async def test_a_platform_lock_blocks_every_entry_and_is_named(world: World) -> None:
    account, order = await planned(world)
    await world.ledger.lock(0, "paper:daily_loss", T + DAY, text("everybody lost 10 %"))
    await world.ledger.lock(account.account_id, "entries", T + DAY, text("enough"))
    claim = await world.ledger.claim(order, signed(order, NOW), HOLDER)
    assert (claim.granted, claim.state) == (False, S.BLOCKED)
    assert claim.why == codes.ENTRIES_LOCKED(locks="platform: daily_loss, entries")
    assert world.outbox() == [(account.account_id, text("enough"))], "a platform's lock is its operator's"


async def test_a_lock_that_ended_blocks_nothing(world: World) -> None:
    account, order = await planned(world)
    for number in (0, account.account_id):
        pool = "" if number else "paper:"
        await world.ledger.lock(number, f"{pool}daily_loss", T + DAY, text("lost"))
        await world.ledger.unlock(number, f"{pool}daily_loss", "kim")
        await world.ledger.lock(number, f"{pool}entries", NOW, text("over this very moment"))
    assert (await world.ledger.claim(order, signed(order, NOW), HOLDER)).granted


# --- a person's way out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.ABSENT, S.CANCELLED, S.REJECTED, S.FILLED, S.PARTIAL])
async def test_a_person_ends_a_row_nobody_could_prove(world: World, state: OrderState) -> None:
    account, order = await submitted(world)
    await world.ledger.move(order, S.UNKNOWN, text("timed out"))
    await world.ledger.move(await again(world.ledger, order), S.NEEDS_HUMAN, text("no proof within a day"))
    stuck, why = await again(world.ledger, order), "cli:kim: I looked at the exchange"
    if state in (S.FILLED, S.PARTIAL):
        assert await world.ledger.close_order(stuck, Verdict(state, text(why), "ex-1", Decimal("0.004"), REF, REF))
    else:
        assert await world.ledger.move(stuck, state, text(why))
    row = await again(world.ledger, order)
    assert (row.state, row.why) == (state, text(why))
    events = world.events(order.order_link_id)
    assert (events[-1][0].before, events[-1][0].after, events[-1][0].why) == (
        "NEEDS_HUMAN",
        state.value,
        stored(text(why)),
    )
    assert chain_problem(events) == ""
    assert await world.ledger.open_orders() == []
    assert world.log(account.account_id, T).status != "pending"


async def test_settings_chosen_again_do_not_throw_a_switch(world: World) -> None:
    account = await trading_account(world)
    world.clock.advance_to(T + 30_000)
    world.people.change_settings(account.user_id, AccountSettings(max_leverage=3))
    world.people.set_auto_trade(account.user_id, True, T + 30_000)
    assert (await account_of(world)).switched_ms == account.switched_ms


async def test_in_demo_trading_nothing_is_switched_on_without_evidence_and_off_is_never_refused(world: World) -> None:
    user_id = world.people.add_user("lee@example.test", "hash")
    world.people.add_account(NewAccount(user_id, "demo", "bybit", "d", SYMBOL, "s", "1234", 1, Decimal(100), 0))
    with pytest.raises(EvidenceLacking):
        world.people.set_auto_trade(user_id, True, T)
    world.people.set_auto_trade(user_id, False, T)
    assert world.demo_without(user_id, T)
    for on in (True, True, False):
        world.people.set_auto_trade(user_id, on, T)
