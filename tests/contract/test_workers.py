"""The contract of accounts' leases and of loans of room, on every ledger; and what a claim makes of a lease."""

import asyncio
from dataclasses import replace
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.account_records import NewAccount, TraderAccount
from lib.domain.order import MAX_AGE_MS, Order
from lib.domain.worker import Holding, Room, RoomAsk, Worker
from lib.ports.ledger import Ledger
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import BUY, HOLDER, S, planned, signed, trading_account
from tests.factories import SYMBOL, T

TTL = 12_000
ONE, TWO = Worker("one", "10.0.0.1", 100), Worker("two", "10.0.0.2", 100)


async def people(world: World, count: int) -> list[int]:
    accounts = [await trading_account(world, uid=f"uid-{number}") for number in range(count)]
    await world.ledger.release_lease(HOLDER)  # no trader serves everybody alone
    return [account.account_id for account in accounts]


async def hold(world: World, worker: Worker) -> Holding:
    return await world.ledger.hold(worker, TTL)


async def test_one_worker_owns_every_account_and_the_next_one_none_until_it_is_given_some(world: World) -> None:
    ids = await people(world, 3)
    assert (await hold(world, ONE)).epochs == dict.fromkeys(ids, 1)
    assert (await hold(world, TWO)).epochs == {}
    again = await hold(world, ONE)
    assert (again.epochs, again.surplus, again.workers) == (dict.fromkeys(ids, 1), 1, 2)
    await world.ledger.give_back("one", ids[2:])
    assert (await hold(world, TWO)).epochs == {ids[2]: 2}
    assert (await hold(world, ONE)).epochs == dict.fromkeys(ids[:2], 1)


async def test_nobody_gives_back_what_another_owns(world: World) -> None:
    ids = await people(world, 2)
    await hold(world, ONE)
    await world.ledger.give_back("two", ids)
    assert (await hold(world, ONE)).epochs == dict.fromkeys(ids, 1)


async def test_what_a_dead_worker_owned_is_taken_once_under_the_next_epoch(world: World) -> None:
    ids = await people(world, 4)
    await hold(world, ONE)
    world.clock.advance_to(world.clock.now_ms() + TTL - 1)
    assert (await hold(world, TWO)).epochs == {}
    world.clock.advance_to(world.clock.now_ms() + 1)
    first, second = await asyncio.gather(hold(world, TWO), world.another().hold(Worker("three", "", 100), TTL))
    assert sorted([*first.epochs, *second.epochs]) == ids[: len(first.epochs) + len(second.epochs)]
    assert {*first.epochs.values(), *second.epochs.values()} == {2}
    assert (await hold(world, TWO)).workers == 2


async def test_a_lease_that_ran_out_and_that_nobody_took_is_renewed_under_its_epoch(world: World) -> None:
    ids = await people(world, 1)
    await hold(world, ONE)
    world.clock.advance_to(world.clock.now_ms() + TTL * 9)
    assert (await hold(world, ONE)).epochs == {ids[0]: 1}


async def test_who_leaves_owns_nothing_and_is_counted_no_more(world: World) -> None:
    ids = await people(world, 2)
    await hold(world, ONE)
    await world.ledger.leave("one")
    assert await world.ledger.living(TTL) == []
    assert (await hold(world, TWO)).epochs == dict.fromkeys(ids, 2)
    assert await world.ledger.living(TTL) == [TWO]


async def test_nobody_owns_more_than_it_has_room_for(world: World) -> None:
    ids = await people(world, 3)
    assert (await hold(world, Worker("small", "", 1))).epochs == {ids[0]: 1}
    assert (await hold(world, Worker("none", "", 0))).epochs == {}
    assert (await hold(world, ONE)).epochs == dict.fromkeys(ids[1:], 1)


async def test_an_account_that_is_replaced_counts_in_nobodys_share_and_stays_its_owners_to_guard(world: World) -> None:
    ids = await people(world, 2)
    await hold(world, ONE)
    user_id = (await world.ledger.accounts())[0].user_id
    other = NewAccount(user_id, "paper", "synthetic", "other", SYMBOL, "sealed", "1234", 1, Decimal(1), 0)
    fresh = world.people.add_account(other)
    held = await hold(world, TWO)
    assert (held.epochs, held.surplus) == ({fresh: 1}, 0)
    held = await hold(world, ONE)
    assert (set(held.epochs), held.active, held.surplus) == ({*ids}, frozenset(ids[1:]), 0)


# --- a trader that serves everybody alone -----------------------------------------------------------------------------


async def test_beside_a_trader_that_serves_everybody_alone_nothing_is_taken_and_what_is_owned_is_kept(
    world: World,
) -> None:
    ids = await people(world, 1)
    await hold(world, ONE)
    await trading_account(world, uid="later")
    assert await world.ledger.trader_alone() == HOLDER
    held = await hold(world, ONE)
    assert (held.epochs, held.alone, held.surplus) == ({ids[0]: 1}, HOLDER, 0)
    held = await hold(world, TWO)
    assert (held.epochs, held.alone) == ({}, HOLDER)
    world.clock.advance_to(world.clock.now_ms() + 30_000)
    assert await world.ledger.trader_alone() == ""
    assert (await hold(world, TWO)).alone == ""


async def test_a_worker_that_leads_is_no_trader_alone_even_when_it_died(world: World) -> None:
    await people(world, 1)
    await hold(world, ONE)
    await world.ledger.hold_lease("one", 30_000)
    world.clock.advance_to(world.clock.now_ms() + TTL)
    held = await hold(world, TWO)
    assert (len(held.epochs), held.workers, held.alone) == (1, 1, "")


async def test_who_leaves_leads_no_more_and_nobody_elses_lease_ends(world: World) -> None:
    await people(world, 1)
    for worker in (ONE, TWO):
        await hold(world, worker)
    await world.ledger.hold_lease("one", 30_000)
    await world.ledger.leave("two")
    assert await world.ledger.hold_lease("two", 30_000) is None
    await world.ledger.leave("one")
    assert await world.ledger.trader_alone() == ""
    assert await world.ledger.hold_lease("two", 30_000) == 3


# --- the claim --------------------------------------------------------------------------------------------------------


async def claim(ledger: Ledger, order: Order, holder: str) -> tuple[bool, object]:
    answer = await ledger.claim(order, signed(order, await ledger.now()), holder)
    return answer.granted, answer.why


async def owned(world: World) -> tuple[TraderAccount, Order]:
    account, order = await planned(world)
    await world.ledger.release_lease(HOLDER)
    assert (await hold(world, ONE)).epochs == {account.account_id: 1}
    assert await world.ledger.hold_lease(HOLDER, 30_000)
    return account, order


async def test_an_entry_of_an_owned_account_is_claimed_by_its_owner_alone(world: World) -> None:
    _, order = await owned(world)
    for other in (HOLDER, "two"):  # the first of them holds the trader's lease
        assert await claim(world.ledger, order, other) == (False, codes.LEASE_LOST())
    assert (await claim(world.ledger, order, "one"))[0]


async def test_an_owner_whose_lease_ran_out_claims_nothing(world: World) -> None:
    _, order = await owned(world)
    world.clock.advance_to(world.clock.now_ms() + TTL)
    assert await claim(world.ledger, order, "one") == (False, codes.LEASE_LOST())
    assert (await world.ledger.order_by_link(order.order_link_id) or order).state is S.PLANNED


async def test_an_owner_that_was_taken_over_from_claims_nothing(world: World) -> None:
    _, order = await owned(world)
    await world.ledger.release_lease(HOLDER)
    world.clock.advance_to(world.clock.now_ms() + TTL)
    await hold(world, TWO)
    assert await claim(world.ledger, order, "one") == (False, codes.LEASE_LOST())
    assert (await claim(world.ledger, order, "two"))[0]


async def test_the_trader_waits_until_nothing_lent_to_a_dead_owner_can_be_claimed(world: World) -> None:
    account, _ = await owned(world)
    world.clock.advance_to(world.clock.now_ms() + TTL + MAX_AGE_MS - 1)
    late = (await world.ledger.plan(account, None, T + 60_000, BUY))[0]
    await world.ledger.hold_lease(HOLDER, 30_000)
    assert await claim(world.ledger, late, HOLDER) == (False, codes.LEASE_LOST())
    world.clock.advance_to(world.clock.now_ms() + 1)
    assert (await claim(world.ledger, late, HOLDER))[0]


async def test_what_an_owner_gave_back_is_the_traders_at_once(world: World) -> None:
    account, order = await owned(world)
    await world.ledger.give_back("one", [account.account_id])
    assert (await claim(world.ledger, order, HOLDER))[0]


# --- loans ------------------------------------------------------------------------------------------------------------


def ask(holder: str, since_ms: int, *, entries: int = 9, exposure: int = 900) -> RoomAsk:
    return RoomAsk("paper", holder, since_ms, since_ms + MAX_AGE_MS, entries, Decimal(exposure))


async def test_all_workers_together_are_lent_what_is_left_and_no_more(world: World) -> None:
    await people(world, 1)
    now = await world.ledger.now()
    await hold(world, ONE)
    await hold(world, TWO)
    await hold(world, Worker("none", "", 0))  # owns nothing, and so needs nothing
    assert await world.ledger.borrow(ask("one", now), TTL) == Room(4, Decimal(450))
    assert await world.ledger.borrow(ask("two", now), TTL) == Room(5, Decimal(450))
    assert await world.ledger.borrow(ask("three", now), TTL) == Room(0, Decimal(0))


async def test_a_loan_is_gone_until_nothing_can_be_claimed_under_it(world: World) -> None:
    await people(world, 1)
    now = await world.ledger.now()
    await hold(world, ONE)
    assert await world.ledger.borrow(ask("one", now), TTL) == Room(9, Decimal(900))
    world.clock.advance_to(world.clock.now_ms() + TTL)  # dead by now, and what it planned may be claimed yet
    assert await world.ledger.borrow(ask("two", now + MAX_AGE_MS - 1), TTL) == Room(0, Decimal(0))
    assert await world.ledger.borrow(ask("two", now + MAX_AGE_MS), TTL) == Room(9, Decimal(900))


async def test_what_was_reserved_before_asking_again_is_gone_for_the_others(world: World) -> None:
    await people(world, 1)
    now = await world.ledger.now()
    await hold(world, ONE)
    await hold(world, TWO)
    assert await world.ledger.borrow(ask("one", now), TTL) == Room(4, Decimal(450))
    again = replace(ask("one", now, entries=6, exposure=600), made=Room(3, Decimal(300)))
    assert await world.ledger.borrow(again, TTL) == Room(3, Decimal(300))
    # "one" may have reserved three and then three more, and no row shows any of them yet
    assert await world.ledger.borrow(ask("two", now), TTL) == Room(3, Decimal(300))


async def test_pools_are_lent_apart_and_nobodys_own_loan_counts_against_it(world: World) -> None:
    await people(world, 1)
    now = await world.ledger.now()
    await hold(world, ONE)
    for _ in range(2):
        assert await world.ledger.borrow(ask("one", now), TTL) == Room(9, Decimal(900))
    other = RoomAsk("exchange", "two", now, now + MAX_AGE_MS, 3, Decimal(3))
    assert (await world.ledger.borrow(other, TTL)).entries == 1  # the other half is kept for "one"
