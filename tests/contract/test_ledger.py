"""The ledger's contract, plans to verdicts, on every implementation: one row per intent, one claim, one verdict."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.analyst_call import CycleKey, CycleRecord
from lib.domain.errors import Retry
from lib.domain.exchange_records import SignedOrder, Verdict
from lib.domain.order import MAX_AGE_MS, Order, OrderDraft, OrderState, order_link_id, parse_link_id
from lib.domain.reason import Reason, text
from lib.domain.risk import AccountPlan, Clamp, Sizing
from lib.domain.switches import Flags
from lib.ports.ledger import Ledger
from tests import factories as make
from tests.chains import chain_problem
from tests.contract.ledger_worlds import World
from tests.factories import REF, SYMBOL, T

S = OrderState
HOLDER = "trader-a"
ZERO = Decimal(0)

ENTRY = OrderDraft(
    leg="e",
    side="buy",
    qty=Decimal("0.010"),
    limit_price=Decimal("60180"),
    ref_price=REF,
    stop_loss=Decimal("58800"),
    take_profit=Decimal("63000"),
    leverage=5,
    reduce_only=False,
)
EXIT = OrderDraft("x", "sell", Decimal("0.010"), ZERO, REF, ZERO, ZERO, 5, True)
BUY = AccountPlan("bought", text("the trend holds"), (ENTRY,))
FLIP = AccountPlan("sold", text("the trend turned"), (EXIT, replace(ENTRY, side="sell", qty=None)))
GUARD = AccountPlan("closed", text("the stop was gone"), (replace(EXIT, leg="g"),))


async def trading_account(world: World, *, venue: Venue = "paper", uid: str = "uid-1") -> TraderAccount:
    """One more person with auto-trading on and the lease in our hands."""
    user_id = world.people.add_user(f"{uid}@example.test", "hash")
    new = NewAccount(user_id, venue, "synthetic", uid, SYMBOL, "sealed", "1234", 1, Decimal(10_000), 0)
    world.people.add_account(new)
    world.people.set_auto_trade(user_id, True, T - 300_000)
    assert await world.ledger.hold_lease(HOLDER, 30_000)
    return next(account for account in await world.ledger.accounts() if account.uid == uid)


async def planned(world: World, plan: AccountPlan = BUY) -> tuple[TraderAccount, Order]:
    account = await trading_account(world)
    return account, (await world.ledger.plan(account, None, T, plan))[0]


def signed(order: Order, at: int) -> SignedOrder:
    return SignedOrder(order.order_link_id, b"{}", {}, at, "ab" * 32)


async def submitted(world: World, plan: AccountPlan = BUY) -> tuple[TraderAccount, Order]:
    account, order = await planned(world, plan)
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)).granted
    return account, await again(world.ledger, order)


async def again(ledger: Ledger, order: Order) -> Order:
    found = await ledger.order_by_link(order.order_link_id)
    assert found is not None
    return found


def verdict(state: OrderState = S.FILLED, filled: str = "0.010") -> Verdict:
    return Verdict(state, text(state.value.lower()), "exchange-1", Decimal(filled), REF, Decimal("0.33"))


# --- plans -----------------------------------------------------------------------------------------------------------


async def test_a_plan_reads_back_as_it_was_written(world: World) -> None:
    account, order = await planned(world)
    link = parse_link_id(order.order_link_id)
    assert link is not None
    assert (link.installation, link.t_ms, link.account_id, link.leg, link.seq) == (
        "t3st",
        T,
        account.account_id,
        "e",
        0,
    )
    draft = OrderDraft(**{name: getattr(order, name) for name in OrderDraft.__slots__})
    assert draft == ENTRY
    assert (order.state, order.attempts, order.key_version, order.uid, order.created_ms) == (
        S.PLANNED,
        0,
        account.key_version,
        account.uid,
        T + 4_000,
    )
    assert len(format(order.qty or ZERO, "f")) <= len("0.010"), "a column's padding must not reach the wire"


async def test_planning_twice_keeps_the_first_plan(world: World) -> None:
    account, order = await planned(world)
    assert await world.ledger.plan(account, None, T, AccountPlan("held", text("nothing to do"))) == [order]
    assert await world.ledger.open_orders() == [order]
    assert await world.ledger.open_orders(account.account_id) == [order]
    assert await world.ledger.open_orders(account.account_id + 1) == []
    assert world.log(account.account_id, T).planned == "bought"


async def test_two_traders_planning_at_once_write_one_set_of_rows(world: World) -> None:
    account = await trading_account(world)
    first, second = await asyncio.gather(
        world.ledger.plan(account, None, T, FLIP), world.another().plan(account, None, T, FLIP)
    )
    assert first == second == await world.ledger.open_orders()
    assert [order.leg for order in first] == ["x", "e"]


async def test_a_plan_without_orders_is_a_finished_log_row(world: World) -> None:
    account = await trading_account(world)
    clamps = (Clamp("qty", "2", "1"),)
    assert await world.ledger.plan(account, None, T, AccountPlan("held", text("nothing to do"), clamps=clamps)) == []
    log = world.log(account.account_id, T)
    assert (log.status, log.outcome, log.reason, log.clamps) == ("success", "held", text("nothing to do"), ("qty",))


async def test_a_log_row_carries_the_decision_of_its_cycle(world: World) -> None:
    account = await trading_account(world)
    key = cycle_key("a")
    await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", make.analyst_answer()))
    await world.ledger.plan(account, key, T, BUY)
    assert world.log(account.account_id, T).action == "buy"


async def test_exits_outside_the_plan_count_up_and_a_repeat_finds_the_unsent_one(world: World) -> None:
    account, _ = await submitted(world)
    first = await world.ledger.plan_exit(account, T, GUARD)
    assert await world.ledger.plan_exit(account, T, GUARD) == first
    assert (await world.ledger.claim(first, signed(first, T + 4_000), HOLDER)).granted
    second = await world.ledger.plan_exit(account, T, GUARD)
    assert (first.leg, first.seq, second.seq) == ("g", 0, 1)
    with pytest.raises(ValueError, match="reduce-only"):
        await world.ledger.plan_exit(account, T, BUY)


async def test_an_exit_at_a_quiet_t_makes_its_own_log_row(world: World) -> None:
    account = await trading_account(world)
    order = await world.ledger.plan_exit(account, T, GUARD)
    await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    await world.ledger.close_order(await again(world.ledger, order), verdict())
    log = world.log(account.account_id, T)
    assert (log.status, log.outcome, log.reason) == ("success", "closed", text("the stop was gone"))


SIZING = Sizing(
    Decimal("0.02"), 3, Decimal("59820"), Decimal("61200"), Decimal("57000"), clamps=(Clamp("qty", "1", "0"),)
)


async def test_a_flips_entry_is_sized_while_it_was_never_sent(world: World) -> None:
    account = await trading_account(world)
    _, entry = await world.ledger.plan(account, None, T, FLIP)
    assert await world.ledger.size(entry, SIZING, Decimal("60001"))
    done = await again(world.ledger, entry)
    assert (done.qty, done.leverage, done.stop_loss, done.ref_price) == (
        SIZING.qty,
        3,
        SIZING.stop_loss,
        Decimal(60_001),
    )
    assert world.log(account.account_id, T).clamps == ("qty",)
    with pytest.raises(ValueError, match="sized to something"):
        await world.ledger.size(entry, replace(SIZING, qty=ZERO), REF)
    await world.ledger.claim(done, signed(done, T + 4_000), HOLDER)
    assert not await world.ledger.size(entry, SIZING, REF)


async def test_an_exit_is_never_resized(world: World) -> None:
    _, order = await planned(world, AccountPlan("closed", text("out"), (EXIT,)))
    assert not await world.ledger.size(order, SIZING, REF)


# --- the claim -------------------------------------------------------------------------------------------------------


async def test_a_claim_writes_what_will_be_sent(world: World) -> None:
    _, order = await planned(world)
    claim = await world.ledger.claim(order, signed(order, T + 4_500), HOLDER)
    row = await again(world.ledger, order)
    assert (claim.granted, claim.state, row.state) == (True, S.SUBMITTING, S.SUBMITTING)
    assert (row.attempts, row.signed_ts, row.body_sha256, row.epoch) == (1, T + 4_500, "ab" * 32, 1)


async def test_two_traders_claiming_at_once_send_once(world: World) -> None:
    _, order = await planned(world)
    bytes_ = signed(order, T + 4_000)
    claims = await asyncio.gather(
        *(ledger.claim(order, bytes_, HOLDER) for ledger in (world.ledger, world.another(), world.another()))
    )
    assert sum(claim.granted for claim in claims) == 1
    assert (await again(world.ledger, order)).attempts == 1


Disturb = Callable[[World, TraderAccount], Awaitable[None] | None]
OFF, FLATTEN, ON = Flags(False, False), Flags(True, True), Flags(True, False)


async def _lease_of_another(world: World, account: TraderAccount) -> None:
    await world.ledger.release_lease(HOLDER)
    await world.ledger.hold_lease("trader-b", 30_000)


async def _lock(world: World, account: TraderAccount) -> None:
    await world.ledger.lock(account.account_id, "daily loss", T + 86_400_000, text("lost 5 %"))


def _late(world: World, account: TraderAccount) -> None:
    world.clock.advance_to(T + MAX_AGE_MS + 1)


async def _late_with_lease(world: World, account: TraderAccount) -> None:
    _late(world, account)
    await world.ledger.hold_lease(HOLDER, 30_000)


def _more_risk(world: World, account: TraderAccount) -> None:
    world.people.change_settings(account.user_id, make.settings(max_leverage=3))


async def _pause(world: World, account: TraderAccount) -> None:
    await world.ledger.pause(account.account_id, text("the key was revoked"))


BLOCKERS: dict[str, tuple[Disturb, Reason]] = {
    "platform off": (lambda w, a: w.people.set_flags(OFF, "operator"), codes.TRADING_SWITCHED_OFF()),
    "platform flatten": (lambda w, a: w.people.set_flags(FLATTEN, "operator"), codes.TRADING_SWITCHED_OFF()),
    "account off": (lambda w, a: w.people.set_account_flags(a.account_id, OFF), codes.TRADING_SWITCHED_OFF()),
    "account flatten": (lambda w, a: w.people.set_account_flags(a.account_id, FLATTEN), codes.TRADING_SWITCHED_OFF()),
    "account paused": (_pause, codes.TRADING_SWITCHED_OFF()),
    "auto-trading off": (lambda w, a: w.people.set_auto_trade(a.user_id, False, T), codes.AUTO_TRADING_OFF()),
    "person deleted": (lambda w, a: w.delete_user(a.user_id), codes.ACCOUNT_DELETED()),
    "key replaced": (lambda w, a: w.replace_key(a.account_id), codes.KEY_CHANGED()),
    "settings changed": (_more_risk, codes.SETTINGS_CHANGED()),
    "risk lock": (_lock, codes.ENTRIES_LOCKED(locks="daily loss")),
}


async def disturb(world: World, account: TraderAccount, how: Disturb) -> None:
    waiting = how(world, account)
    if waiting is not None:
        await waiting


@pytest.mark.parametrize("blocker", BLOCKERS)
async def test_every_off_switch_blocks_an_entry_at_the_claim(world: World, blocker: str) -> None:
    account, order = await planned(world)
    how, why = BLOCKERS[blocker]
    await disturb(world, account, how)
    claim = await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)
    assert (claim.granted, claim.state) == (False, S.BLOCKED)
    row = await again(world.ledger, order)
    assert (row.state, row.attempts) == (S.BLOCKED, 0)
    assert row.why == why
    log = world.log(account.account_id, T)
    assert (log.status, log.outcome, log.message) == ("success", "refused", row.why)


@pytest.mark.parametrize("blocker", BLOCKERS)
async def test_an_entry_that_may_have_been_sent_is_never_blocked_but_unknown(world: World, blocker: str) -> None:
    account, order = await submitted(world)
    assert await world.ledger.move(order, S.PLANNED, text("too many requests"), 10006)
    order = await again(world.ledger, order)
    await disturb(world, account, BLOCKERS[blocker][0])
    claim = await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)
    assert (claim.granted, claim.state) == (False, S.UNKNOWN)
    assert (await again(world.ledger, order)).state is S.UNKNOWN


async def test_an_old_decision_expires_at_the_claim(world: World) -> None:
    account, order = await planned(world)
    await disturb(world, account, _late_with_lease)
    claim = await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)
    assert (claim.granted, claim.state) == (False, S.EXPIRED)
    assert (await again(world.ledger, order)).state is S.EXPIRED


@pytest.mark.parametrize("how", [_lease_of_another, _late], ids=["another's", "run out"])
async def test_without_the_lease_nothing_is_claimed_and_nothing_moves(world: World, how: Disturb) -> None:
    account, order = await planned(world)
    await disturb(world, account, how)
    claim = await world.ledger.claim(order, signed(order, world.clock.now_ms()), HOLDER)
    assert (claim.granted, claim.state) == (False, S.PLANNED)
    assert await again(world.ledger, order) == order


@pytest.mark.parametrize("skew", [-1_001, 1_001])
async def test_a_clock_off_by_more_than_a_second_claims_nothing(world: World, skew: int) -> None:
    _, order = await planned(world)
    claim = await world.ledger.claim(order, signed(order, T + 4_000 + skew), HOLDER)
    assert (claim.granted, claim.state) == (False, S.PLANNED)
    assert await again(world.ledger, order) == order


async def test_a_venue_that_does_not_fit_the_feed_is_blocked(world: World) -> None:
    account = await trading_account(world, venue="testnet")
    order = (await world.ledger.plan(account, None, T, BUY))[0]
    claim = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (claim.granted, claim.state) == (False, S.BLOCKED)


async def test_the_fourth_attempt_is_unknown(world: World) -> None:
    _, order = await planned(world)
    for _attempt in range(3):
        assert (await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)).granted
        assert await world.ledger.move(await again(world.ledger, order), S.PLANNED, text("too many requests"), 10006)
        order = await again(world.ledger, order)
    claim = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (claim.granted, claim.state) == (False, S.UNKNOWN)
    assert (await again(world.ledger, order)).attempts == 3


async def test_a_claimed_row_is_not_claimed_again(world: World) -> None:
    _, order = await submitted(world)
    claim = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (claim.granted, claim.state, claim.why) == (False, S.SUBMITTING, codes.ALREADY_CLAIMED())


async def test_bytes_signed_for_other_terms_are_not_claimed(world: World) -> None:
    _, order = await planned(world)
    other = replace(order, qty=Decimal("0.5"))
    claim = await world.ledger.claim(other, signed(order, T + 4_000), HOLDER)
    assert (claim.granted, claim.state) == (False, S.PLANNED)
    with pytest.raises(ValueError, match="claim"):
        await world.ledger.claim(order, replace(signed(order, T), order_link_id="mmother-1"), HOLDER)


async def test_an_entry_without_a_size_is_not_claimed(world: World) -> None:
    account = await trading_account(world)
    _, entry = await world.ledger.plan(account, None, T, FLIP)
    assert not (await world.ledger.claim(entry, signed(entry, T + 4_000), HOLDER)).granted
    assert (await again(world.ledger, entry)).state is S.PLANNED


@pytest.mark.parametrize("blocker", [*(name for name in BLOCKERS if name != "key replaced"), "late"])
async def test_no_switch_lock_or_age_keeps_a_position_open(world: World, blocker: str) -> None:
    account, order = await planned(world, AccountPlan("closed", text("out"), (EXIT,)))
    await disturb(world, account, BLOCKERS[blocker][0] if blocker in BLOCKERS else _late)
    assert (await world.ledger.claim(order, signed(order, world.clock.now_ms()), "nobody")).granted


async def test_an_exit_under_a_replaced_key_is_blocked(world: World) -> None:
    account, order = await planned(world, AccountPlan("closed", text("out"), (EXIT,)))
    world.replace_key(account.account_id)
    claim = await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    assert (claim.granted, claim.state) == (False, S.BLOCKED)


# --- moves and verdicts ----------------------------------------------------------------------------------------------


async def test_a_move_happens_once(world: World) -> None:
    _, order = await submitted(world)
    assert await world.ledger.move(order, S.ACCEPTED, text("acknowledged"))
    assert not await world.ledger.move(order, S.UNKNOWN, text("timed out"))
    assert (await again(world.ledger, order)).state is S.ACCEPTED


async def test_who_moves_an_order_is_given_the_row_as_it_is_stored(world: World) -> None:
    """A reason is cut and money is rounded on the way in: what was asked for is not what anybody else will read."""
    _, order = await submitted(world)
    moved = await world.ledger.move(order, S.UNKNOWN, text("timed out " * 60), 10016)
    assert moved is not None
    assert moved == await again(world.ledger, order)
    assert (moved.state, moved.last_code, moved.attempts) == (S.UNKNOWN, 10016, 1)
    found = replace(verdict(), avg_price=REF + Decimal("0.1234567890123456789"), why=text("filled " * 90))
    closed = await world.ledger.close_order(moved, found)
    assert closed is not None
    assert closed == await again(world.ledger, order)
    assert (closed.state, closed.filled_qty) == (S.FILLED, Decimal("0.010"))


async def test_who_was_too_late_is_given_no_row(world: World) -> None:
    _, order = await submitted(world)
    assert await world.ledger.close_order(order, verdict())
    assert await world.ledger.move(order, S.UNKNOWN, text("timed out")) is None
    assert await world.ledger.close_order(order, verdict()) is None


async def test_of_two_orders_of_one_t_the_moved_one_is_given_back(world: World) -> None:
    exit_, entry = await world.ledger.plan(await trading_account(world), None, T, FLIP)
    moved = await world.ledger.move(entry, S.EXPIRED, text("too old"))
    assert moved == await again(world.ledger, entry)
    taken = await world.ledger.move(exit_, S.BLOCKED, text("another close takes its place"))
    assert taken == await again(world.ledger, exit_)


async def test_what_was_learnt_of_bytes_sent_before_ends_nothing_that_was_sent_since(world: World) -> None:
    _, first = await submitted(world)
    assert await world.ledger.move(
        first, S.PLANNED, codes.CYCLE_ENDED(outcome="refused", why=text("sign again")), 10002
    )
    refused = await again(world.ledger, first)
    assert (await world.ledger.claim(refused, signed(refused, world.clock.now_ms()), HOLDER)).granted
    assert not await world.ledger.close_order(first, verdict(S.ABSENT, "0"))
    assert not await world.ledger.move(first, S.UNKNOWN, text("timed out"))
    assert (await again(world.ledger, first)).state is S.SUBMITTING


async def test_an_id_given_to_another_order_by_a_database_that_lost_commits_moves_nothing(world: World) -> None:
    """What was learnt of one order must never be written over another that now has its id."""
    account, order = await planned(world)
    lost = replace(order, order_link_id=order_link_id("test", T - 300_000, 1, account.account_id, "e", 0))
    gone = replace(lost, state=S.UNKNOWN, attempts=1)
    with pytest.raises(Retry, match="order_row_lost"):
        await world.ledger.move(lost, S.EXPIRED, text("too old"))
    with pytest.raises(Retry, match="order_row_lost"):
        await world.ledger.close_order(gone, Verdict(S.FILLED, codes.FILLED(), "x", Decimal("0.01"), REF, ZERO))
    with pytest.raises(Retry, match="order_row_lost"):
        await world.ledger.size(lost, SIZING, REF)
    assert await world.ledger.open_orders() == [order]


async def test_two_movers_at_once_move_once(world: World) -> None:
    _, order = await submitted(world)
    moved = await asyncio.gather(
        world.ledger.move(order, S.ACCEPTED, text("acknowledged")),
        world.another().move(order, S.UNKNOWN, text("timed out")),
    )
    assert sorted(row is not None for row in moved) == [False, True]
    assert len(world.events(order.order_link_id)) == 3


@pytest.mark.parametrize("state", [S.FILLED, S.PARTIAL, S.CANCELLED, S.REJECTED])
async def test_a_verdict_is_final(world: World, state: OrderState) -> None:
    _, order = await submitted(world)
    assert await world.ledger.close_order(order, verdict(state))
    closed = await again(world.ledger, order)
    assert (closed.state, closed.exchange_order_id, closed.avg_price) == (state, "exchange-1", REF)
    assert not await world.ledger.close_order(order, verdict(S.REJECTED))
    with pytest.raises(ValueError, match="may not become"):
        await world.ledger.move(closed, S.UNKNOWN, text("changed my mind"))
    assert await again(world.ledger, order) == closed


async def test_a_row_sent_since_it_was_read_does_not_expire(world: World) -> None:
    _, unsent = await planned(world)
    await world.ledger.claim(unsent, signed(unsent, T + 4_000), HOLDER)
    await world.ledger.move(await again(world.ledger, unsent), S.PLANNED, text("too many requests"), 10006)
    assert not await world.ledger.move(unsent, S.EXPIRED, text("too old"))
    with pytest.raises(ValueError, match="may not become"):
        await world.ledger.move(await again(world.ledger, unsent), S.EXPIRED, text("too old"))


async def test_the_log_follows_its_orders_all_the_way(world: World) -> None:
    account, order = await planned(world)
    seen = [world.log(account.account_id, T)]
    await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    seen.append(world.log(account.account_id, T))
    await world.ledger.close_order(await again(world.ledger, order), verdict())
    seen.append(world.log(account.account_id, T))
    assert [(log.status, log.outcome) for log in seen] == [
        ("pending", "bought"),
        ("pending", "unresolved"),
        ("success", "bought"),
    ]
    assert seen[-1].order_id == "exchange-1"


async def test_two_orders_of_one_t_closing_at_once_both_reach_the_log(world: World) -> None:
    account = await trading_account(world)
    exit_, entry = await world.ledger.plan(account, None, T, FLIP)
    await world.ledger.claim(exit_, signed(exit_, T + 4_000), HOLDER)
    await asyncio.gather(
        world.ledger.close_order(await again(world.ledger, exit_), verdict()),
        world.another().move(entry, S.EXPIRED, text("too old")),
    )
    log = world.log(account.account_id, T)
    assert (log.status, log.outcome) == ("success", "closed")
    assert log.message == codes.NOT_TURNED(reason=log.reason, why=text("too old"))


async def test_every_move_is_an_event_in_an_unbroken_chain(world: World) -> None:
    _, order = await submitted(world)
    await world.ledger.move(order, S.UNKNOWN, text("timed out"), 10016)
    await world.ledger.close_order(await again(world.ledger, order), verdict(S.PARTIAL, "0.004"))
    events = world.events(order.order_link_id)
    assert [event.after for event, _ in events] == ["PLANNED", "SUBMITTING", "UNKNOWN", "PARTIAL"]
    assert chain_problem(events) == ""
    assert "missing" in chain_problem(events[:1] + events[2:])


async def test_a_row_nobody_could_prove_stays_open_for_a_person(world: World) -> None:
    account, order = await submitted(world)
    await world.ledger.move(order, S.UNKNOWN, text("timed out"))
    await world.ledger.move(await again(world.ledger, order), S.NEEDS_HUMAN, text("no proof within a day"))
    assert [row.state for row in await world.ledger.open_orders()] == [S.NEEDS_HUMAN]
    assert world.log(account.account_id, T).outcome == "unresolved"


async def test_the_last_entry_is_the_newest_that_filled(world: World) -> None:
    account, order = await submitted(world)
    assert await world.ledger.last_entry(account.slot) is None
    await world.ledger.close_order(order, verdict())
    later = (await world.ledger.plan(account, None, T + 300_000, BUY))[0]
    last = await world.ledger.last_entry(account.slot)
    assert last is not None
    assert (last.id, later.state) == (order.id, S.PLANNED)


# --- commits of unknown effect ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("applied", [True, False])
async def test_a_claim_whose_commit_is_unknown_is_retry_and_the_row_tells(world: World, applied: bool) -> None:
    _, order = await planned(world)
    world.fail_next_commit(applied=applied)
    with pytest.raises(Retry, match="commit"):
        await world.ledger.claim(order, signed(order, T + 4_000), HOLDER)
    row = await again(world.ledger, order)
    assert (row.state, row.attempts) == ((S.SUBMITTING, 1) if applied else (S.PLANNED, 0))


@pytest.mark.parametrize("applied", [True, False])
async def test_a_plan_whose_commit_is_unknown_may_be_planned_again(world: World, applied: bool) -> None:
    account = await trading_account(world)
    world.fail_next_commit(applied=applied)
    with pytest.raises(Retry):
        await world.ledger.plan(account, None, T, BUY)
    assert len(await world.ledger.open_orders()) == int(applied)
    assert len(await world.ledger.plan(account, None, T, BUY)) == 1
    assert len(await world.ledger.open_orders()) == 1


# --- orphans ---------------------------------------------------------------------------------------------------------


async def test_an_order_without_a_row_is_adopted_as_sent(world: World) -> None:
    account = await trading_account(world)
    record = make.order_record(make.order(account_id=account.account_id))
    record = replace(record, order_link_id=_link(account))
    assert await world.ledger.adopt(account, record, T)
    assert not await world.ledger.adopt(account, record, T)
    row = await again(world.ledger, replace(make.order(), order_link_id=record.order_link_id))
    assert (row.state, row.attempts, row.signed_ts, row.t_ms, row.leg) == (S.UNKNOWN, 1, record.created_ms, T, "e")
    assert world.log(account.account_id, T).outcome == "unresolved"
    assert chain_problem(world.events(row.order_link_id)) == ""


def _link(account: TraderAccount) -> str:
    return order_link_id("t3st", T, account.symbol_no, account.account_id, "e", 0)


@pytest.mark.parametrize("state", [S.PLANNED, S.EXPIRED, S.BLOCKED, S.ABSENT])
async def test_a_row_that_says_never_sent_is_adopted_back(world: World, state: OrderState) -> None:
    account, order = await (submitted(world) if state is S.ABSENT else planned(world))
    if state is not S.PLANNED:
        assert await world.ledger.move(order, state, text("so it seemed"))
    record = make.order_record(order)
    assert await world.ledger.adopt(account, record, T)
    row = await again(world.ledger, order)
    assert (row.state, row.attempts, row.why) == (S.UNKNOWN, 1, codes.ORPHAN_ADOPTED())
    assert row.signed_ts == max(order.signed_ts, record.created_ms)
    assert chain_problem(world.events(row.order_link_id)) == ""


async def test_links_are_known_once_their_order_left(world: World) -> None:
    account, order = await planned(world)
    asked = [order.order_link_id, _link(account), "my-own-order"]
    assert await world.ledger.known_links(account.account_id, asked) == set()
    assert await world.ledger.move(order, S.EXPIRED, text("so it seemed"))
    assert await world.ledger.known_links(account.account_id, asked) == set(), "found at the exchange, it is an orphan"
    assert await world.ledger.adopt(account, make.order_record(order), T)
    assert await world.ledger.known_links(account.account_id, asked) == {order.order_link_id}
    assert await world.ledger.known_links(account.account_id + 1, asked) == set()


async def test_links_are_sent_once_a_claim_was_granted_whosever_they_are(world: World) -> None:
    _, order = await submitted(world)
    unsent = (await world.ledger.plan(await trading_account(world, uid="uid-2"), None, T, BUY))[0]
    asked = [order.order_link_id, unsent.order_link_id, "my-own-order"]
    assert await world.ledger.sent_links(asked * 300) == {order.order_link_id}
    assert await world.ledger.sent_links([]) == set()


async def test_moves_at_once_each_end_by_themselves(world: World) -> None:
    made = []
    for number in range(5):
        account = await trading_account(world, uid=f"uid-{number}")
        made.append((await world.ledger.plan(account, None, T, BUY))[0])
    stranger = replace(made[2], order_link_id=made[2].order_link_id + "0")
    asked = [*made[:2], stranger, *made[3:]]
    ends = await asyncio.gather(
        *(world.ledger.move(order, S.EXPIRED, text("late")) for order in asked),
        world.ledger.move(made[0], S.BLOCKED, text("second")),
        return_exceptions=True,
    )
    assert [type(end).__name__ for end in ends] == ["Order", "Order", "Retry", "Order", "Order", "NoneType"]
    states = [(await again(world.ledger, order)).state for order in made]
    assert states == [S.EXPIRED, S.EXPIRED, S.PLANNED, S.EXPIRED, S.EXPIRED]
    for order in made:
        events = world.events(order.order_link_id)
        assert chain_problem(events) == ""
        assert len(events) == (1 if order is made[2] else 2)


async def test_only_our_own_unresolved_orders_are_adopted(world: World) -> None:
    account, order = await submitted(world)
    assert not await world.ledger.adopt(account, make.order_record(order), T)
    await world.ledger.close_order(order, verdict())
    assert not await world.ledger.adopt(account, make.order_record(order), T)
    strangers = ("", "my-own-order", order.order_link_id.replace("t3st", "them"), order.order_link_id[:-1] + "00")
    for link in strangers:
        assert not await world.ledger.adopt(account, replace(make.order_record(order), order_link_id=link), T)
    assert (await again(world.ledger, order)).state is S.FILLED


def cycle_key(group: str, t_ms: int = T) -> CycleKey:
    return CycleKey("synthetic", SYMBOL, 60, t_ms, group * 64)
