"""Whose turn it is: everybody comes round in time, evenly, hints first, one look at a time each."""

from itertools import pairwise

from lib.trading.guardian.schedule import DEBOUNCE_MS, GAP_MS, LEAST_MS, PER_SECOND, SOON_MS, Schedule

NOW = 1_760_000_000_000
NAKED_MS = 30_000


class Looks:
    """Runs rounds by their own timetable, each look taking *took_ms*; when each account was looked at."""

    def __init__(self, accounts: int, *, took_ms: int = 150, most: int = 32) -> None:
        self.schedule, self.now, self.took_ms = Schedule[int](most), NOW, took_ms
        self.began: dict[int, list[int]] = {account: [] for account in range(accounts)}
        self.ending: list[tuple[int, int]] = []
        self.schedule.keep(self.began, self.now)

    def run(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            for account in self.schedule.due(self.now):
                self.began[account].append(self.now)
                self.ending.append((self.now + self.took_ms, account))
            self.now += min(self.schedule.next_ms(self.now, 5_000), 10)
            for at, account in [row for row in self.ending if row[0] <= self.now]:
                self.ending.remove((at, account))
                self.schedule.done(account, self.now)


def longest_gap(times: list[int]) -> int:
    return max(later - earlier for earlier, later in pairwise(times))


def test_few_accounts_are_looked_at_again_within_ten_seconds() -> None:
    looks = Looks(5, took_ms=1_000)
    looks.run(60_000)
    assert all(longest_gap(times) <= 10_000 for times in looks.began.values())


def test_a_thousand_accounts_come_round_within_thirty_seconds_and_evenly() -> None:
    looks = Looks(1_000)
    looks.run(90_000)
    assert all(times and times[0] - NOW <= NAKED_MS for times in looks.began.values())
    assert max(longest_gap(times) for times in looks.began.values()) <= NAKED_MS
    begun = sorted(at for times in looks.began.values() for at in times)
    seconds = [sum(NOW + n * 1000 <= at < NOW + n * 1000 + 1000 for at in begun) for n in range(5, 85)]
    assert max(seconds) <= PER_SECOND * 5 // 4
    assert min(seconds) >= PER_SECOND // 2


def test_a_look_is_never_beside_another_of_the_same_account() -> None:
    rounds = Schedule[int]()
    rounds.keep([1], NOW)
    assert rounds.due(NOW) == [1]
    assert rounds.due(NOW + 60_000) == []
    assert not rounds.begin(1, NOW + 60_000)
    rounds.done(1, NOW + 60_000)
    assert rounds.begin(1, NOW + 60_001)


def test_a_hint_brings_the_look_at_once_and_many_bring_one() -> None:
    rounds = Schedule[int]()
    rounds.keep([1], NOW)
    rounds.due(NOW)
    rounds.done(1, NOW)
    at = NOW + 5_000
    assert rounds.hint(1, at) == DEBOUNCE_MS
    for _ in range(4):
        assert rounds.hint(1, at) <= DEBOUNCE_MS
    assert rounds.due(at) == []
    assert rounds.due(at + DEBOUNCE_MS) == [1]
    rounds.done(1, at + DEBOUNCE_MS)
    assert rounds.due(at + LEAST_MS) == []


def test_a_hint_during_a_look_brings_one_more_look_a_moment_later() -> None:
    rounds = Schedule[int]()
    rounds.keep([1], NOW)
    rounds.due(NOW)
    rounds.hint(1, NOW + 10)
    rounds.hint(1, NOW + 20)
    rounds.done(1, NOW + 150)
    assert rounds.wait_ms(1, NOW + 150) == GAP_MS - 150
    assert rounds.due(NOW + GAP_MS) == [1]
    rounds.done(1, NOW + GAP_MS + 150)
    assert rounds.wait_ms(1, NOW + GAP_MS + 150) == LEAST_MS


def test_hints_come_before_a_crowd_that_waits_its_turn() -> None:
    rounds = Schedule[int](most=500)
    rounds.keep(range(400), NOW)
    first = rounds.due(NOW)
    assert len(first) <= PER_SECOND + 1
    rounds.hint(399, NOW)
    assert rounds.due(NOW + DEBOUNCE_MS)[0] == 399


def test_an_account_that_holds_nothing_is_looked_at_for_its_hint_and_left_alone_then() -> None:
    rounds = Schedule[int]()
    rounds.hint(7, NOW)
    assert rounds.due(NOW + DEBOUNCE_MS) == [7]
    rounds.done(7, NOW + 200)
    assert rounds.due(NOW + 600_000) == []


def test_what_is_not_right_yet_is_looked_at_again_soon() -> None:
    rounds = Schedule[int]()
    rounds.keep([1], NOW)
    rounds.due(NOW)
    rounds.done(1, NOW, soon=True)
    assert rounds.wait_ms(1, NOW) == SOON_MS
    assert rounds.due(NOW + SOON_MS) == [1]


def test_accounts_that_hang_leave_their_places_to_nobody_but_the_bound_holds() -> None:
    looks = Looks(10, took_ms=3_600_000, most=4)
    looks.run(60_000)
    assert sum(len(times) for times in looks.began.values()) == 4


def test_who_is_no_longer_kept_comes_up_no_more() -> None:
    rounds = Schedule[int]()
    rounds.keep([1, 2], NOW)
    rounds.keep([2], NOW)
    assert rounds.due(NOW) == [2]
    rounds.keep([], NOW)
    rounds.done(2, NOW)
    assert rounds.due(NOW + 600_000) == []


def test_a_venue_that_does_not_answer_takes_no_place_of_another() -> None:
    rounds = Schedule[int](most=2, group_of=lambda account: "silent" if account < 100 else "well")
    rounds.keep([1, 2, 3, 100, 101], NOW)
    begun = [account for step in range(40) for account in rounds.due(NOW + step * 25)]
    assert sorted(begun) == [1, 2, 100, 101]
    rounds.done(100, NOW + 1_000)
    rounds.done(1, NOW + 1_000)
    assert rounds.due(NOW + 1_100) == [3]
