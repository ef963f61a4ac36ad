"""Accounts divided: shares are fair and complete, and all loans together stay within what was left."""

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.order import MAX_AGE_MS
from lib.domain.worker import LeaseHeld, Loan, Room, RoomAsk, Worker, fair_share, is_owner, lend

capacities = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@given(st.integers(0, 200), capacities)
def test_every_account_has_an_owner_while_there_is_room_and_nobody_too_many(accounts: int, most: list[int]) -> None:
    workers = [Worker(f"w{number}", "", capacity) for number, capacity in enumerate(most)]
    shares = [fair_share(accounts, workers, one.holder) for one in workers]
    assert all(share <= one.capacity for share, one in zip(shares, workers, strict=True))
    assert sum(shares) == min(accounts, sum(most))


@given(st.integers(0, 300), st.integers(1, 6))
def test_equal_workers_own_equally_many(accounts: int, count: int) -> None:
    workers = [Worker(f"w{number}", "", 1_000) for number in range(count)]
    shares = [fair_share(accounts, workers, one.holder) for one in workers]
    assert max(shares) - min(shares) <= 1


def test_who_is_no_worker_has_no_share() -> None:
    assert fair_share(10, [Worker("a", "", 10)], "b") == 0


@given(
    st.integers(0, 40),
    st.integers(0, 40_000),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 100)), max_size=12),
    st.sets(st.sampled_from("abcd")),
)
def test_loans_and_entries_together_stay_within_the_limits(
    entries: int, cents: int, asks: list[tuple[str, int]], living: set[str]
) -> None:
    """Each asks with what rows show left: all that was lent before and never used is still to be seen."""
    loans: list[Loan] = []
    for holder, at in sorted(asks, key=lambda one: one[1]):
        ask = RoomAsk("paper", holder, at, at + 30, entries, Decimal(cents) / 100)
        loans.append(Loan("paper", holder, lend(ask, loans, living), at + 30))
        standing = [one for one in loans if one.until_ms > at]
        newest = {one.holder: one for one in standing}.values()
        assert all(one.room.entries >= 0 and one.room.exposure >= 0 for one in standing)
        # of one holder's loans the newest counts: its process sees what it used itself
        largest = {one.holder: max(o.room.exposure for o in standing if o.holder == one.holder) for one in newest}
        assert sum(one.room.entries for one in newest if one.holder == holder) <= entries
        if len({one.holder for one in standing}) == len(standing):
            assert sum(one.room.entries for one in standing) <= entries
            assert sum(largest.values(), Decimal(0)) <= Decimal(cents) / 100


@dataclass
class Holder:
    """One process: the room it was lent by each ask, and when each of its entries is to be seen in rows."""

    made: int = 0
    rooms: list[tuple[int, int, int]] = field(default_factory=list)
    """What was lent, what had been made then, until when."""
    seen_at: list[int] = field(default_factory=list)

    def reserve(self, at: int, wish: int, seen_after: int) -> None:
        """Under the newest or any older room that stands, as its cycles do."""
        for room, before, until in self.rooms[-1 - wish % 3 :]:
            takes = min(max(before + room - self.made, 0), wish) if until > at else 0
            self.made += takes
            self.seen_at += [min(at + seen_after, until)] * takes


STEPS = st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 12), st.integers(0, 40))


@given(st.integers(0, 30), st.lists(STEPS, max_size=25), st.integers(0, 15))
def test_whoever_asks_again_and_again_all_reserve_no_more_than_the_limit(
    limit: int, steps: list[tuple[str, int, int, int]], late: int
) -> None:
    """What is reserved shows in rows only later; what rows show may have been read a while before asking."""
    holders, loans, at = {name: Holder() for name in "abc"}, list[Loan](), 0
    for name, passed, wish, seen_after in steps:
        at += passed
        me, since = holders[name], max(at - late, 0)
        seen = sum(when <= since for one in holders.values() for when in one.seen_at)
        own = sum(when > since for when in me.seen_at)
        left = max(limit - seen - own, 0)
        ask = RoomAsk("paper", name, since, at + 30, left, Decimal(left), Room(me.made, Decimal(me.made)))
        room = lend(ask, loans, "abc")
        loans.append(Loan("paper", name, room, at + 30, ask.made))
        me.rooms.append((room.entries, me.made, at + 30))
        me.reserve(at, wish, seen_after)
        assert sum(one.made for one in holders.values()) <= limit


def test_what_was_reserved_before_asking_again_is_gone_for_others_beside_what_was_lent_then() -> None:
    loans = [
        Loan("paper", "a", Room(4, Decimal(4)), 90),
        Loan("paper", "a", Room(5, Decimal(5)), 90, Room(4, Decimal(4))),
    ]
    assert lend(RoomAsk("paper", "b", 0, 90, 10, Decimal(10)), loans, "ab") == Room(1, Decimal(1))


def test_who_takes_over_a_dead_ones_accounts_is_lent_room_though_another_asked_again_before() -> None:
    loans: list[Loan] = []
    rooms = []
    for holder in ("a", "b", "dead", "b", "a"):
        ask = RoomAsk("paper", holder, 0, 90, 90, Decimal(90))
        rooms.append(lend(ask, loans, {"a", "b", "dead"}).entries)
        loans.append(Loan("paper", holder, Room(rooms[-1], Decimal(rooms[-1])), 90))
    assert rooms == [30, 30, 30, 30, 30]


def test_other_pools_loans_count_nothing() -> None:
    ask = RoomAsk("paper", "a", 0, 90, 4, Decimal(4))
    assert lend(ask, [Loan("exchange", "b", Room(9, Decimal(9)), 90)], ["a"]) == Room(4, Decimal(4))


def test_a_trader_enters_where_no_worker_owned_the_account_lately() -> None:
    trader = LeaseHeld("t", 1, 200_000)
    assert is_owner("t", 100_000, None, trader)
    assert is_owner("t", 100_000, LeaseHeld("", 4, 0), trader)
    assert is_owner("t", 100_000, LeaseHeld("w", 4, 100_000 - MAX_AGE_MS), trader)
    assert not is_owner("t", 100_000, LeaseHeld("w", 4, 100_001 - MAX_AGE_MS), trader)
    assert not is_owner("t", 200_000, None, trader)
    assert is_owner("w", 100_000, LeaseHeld("w", 4, 100_001), trader)
    assert not is_owner("w", 100_000, LeaseHeld("w", 4, 100_000), trader)
