"""Who may have an exchange called from a form: three free, then ever slower, one at a time; no room costs no try."""

import threading
from itertools import pairwise
from queue import SimpleQueue

import pytest

from lib.accounts.bulkhead import Bulkhead
from lib.accounts.checking import AWAY, BUSY, CHECKS_OF_ADDRESS, CHECKS_OF_PERSON, PacedChecks, one_at_a_time
from lib.accounts.refusal import Refusal
from lib.ports.exchange import BudgetAway, NotNow
from tests.fakes.people import MemoryThrottles, StandingClock

NOW = 1_760_000_000_000
PERSON, ADDRESS = ("key:1", CHECKS_OF_PERSON), ("key@203.0.113.7", CHECKS_OF_ADDRESS)


class Counted:
    """A check that counts itself, or has no room."""

    def __init__(self, trouble: NotNow | None = None) -> None:
        self.calls = 0
        self._trouble = trouble

    def __call__(self) -> None:
        self.calls += 1
        if self._trouble:
            raise self._trouble


def checks(clock: StandingClock | None = None, bulkhead: Bulkhead | None = None) -> PacedChecks:
    return PacedChecks(MemoryThrottles(), clock or StandingClock(NOW), bulkhead)


def test_three_checks_are_free_and_each_further_one_waits_twice_as_long() -> None:
    clock, check = StandingClock(NOW), Counted()
    door = checks(clock)
    assert [door.run(check, PERSON) for _ in range(3)] == [None] * 3
    waits = []
    for _ in range(3):
        refusal = door.run(check, PERSON)
        assert isinstance(refusal, Refusal)
        waits.append(int(str(refusal.params["seconds"])))
        clock.now += waits[-1] * 1000
        assert door.run(check, PERSON) is None
    assert waits[0] == 10
    assert all(1.8 * first < second <= 2 * first for first, second in pairwise(waits))
    assert check.calls == 6


def test_589_invented_keys_of_one_person_are_three_checks() -> None:
    door, check = checks(), Counted()
    answers = [door.run(check, PERSON, ADDRESS) for _ in range(589)]
    assert check.calls == 3
    assert all(answer == Refusal("refuse.wait", seconds=10) for answer in answers[3:])


def test_an_address_is_paced_whoever_asks_there() -> None:
    door, check = checks(), Counted()
    for person in range(100):
        door.run(check, (f"key:{person}", CHECKS_OF_PERSON), ADDRESS)
    assert check.calls == 3


def test_who_is_refused_at_the_address_has_not_tried() -> None:
    door, check = checks(), Counted()
    for person in range(11, 14):
        door.run(check, (f"key:{person}", CHECKS_OF_PERSON), ADDRESS)
    for _ in range(10):
        assert isinstance(door.run(check, PERSON, ADDRESS), Refusal)
    elsewhere = ("key@198.51.100.9", CHECKS_OF_ADDRESS)
    assert [door.run(check, PERSON, elsewhere) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(("trouble", "said"), [(NotNow("full"), BUSY), (BudgetAway("away"), AWAY)])
def test_a_check_without_room_says_so_and_does_not_count(trouble: NotNow, said: Refusal) -> None:
    door, check = checks(), Counted(trouble)
    assert [door.run(check, PERSON, ADDRESS) for _ in range(10)] == [said] * 10
    assert check.calls == 10


def test_one_is_inside_a_few_wait_and_the_rest_is_sent_away() -> None:
    bulkhead = one_at_a_time(waiting=1, patience_s=60)
    door = checks(bulkhead=bulkhead)
    inside, leave = threading.Event(), threading.Event()
    answers: SimpleQueue[object] = SimpleQueue()

    def check() -> str:
        inside.set()
        leave.wait(60)
        return "checked"

    def ask(person: int) -> None:
        answers.put(door.run(check, (f"key:{person}", CHECKS_OF_PERSON)))

    people = [threading.Thread(target=ask, args=(person,), daemon=True) for person in range(6)]
    people[0].start()
    inside.wait(60)
    for person in people[1:]:
        person.start()
    assert [answers.get(timeout=60) for _ in range(4)] == [BUSY] * 4
    leave.set()
    assert [answers.get(timeout=60) for _ in range(2)] == ["checked"] * 2


def test_who_waits_too_long_for_anothers_check_is_sent_away() -> None:
    bulkhead = one_at_a_time(patience_s=0)
    with bulkhead.place(), pytest.raises(NotNow, match="too long"), bulkhead.place():
        pass
    with bulkhead.place():
        pass
