"""Who may be connected, who goes when somebody new comes, how often, and what an address is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http import places as counted
from app.http.addresses import network, written_address
from app.http.doorkeeper import ARRIVALS, Doorkeeper, Places
from app.http.pace import Allowance, Allowances, Pace


class One:
    """A connection; compared by identity."""

    def __init__(self) -> None:
        self.is_sent_away = False

    def send_away(self) -> None:
        self.is_sent_away = True


# --- places -----------------------------------------------------------------------------------------------------------


def test_of_one_address_the_longest_waiting_goes_when_another_comes() -> None:
    door = Doorkeeper(Places(10, 2))
    first, second, third = One(), One(), One()
    assert door.enter(first, "a")
    assert door.enter(second, "a")
    assert door.enter(third, "a")
    assert [one.is_sent_away for one in (first, second, third)] == [True, False, False]
    assert door.inside == 2


def test_nobody_who_is_answered_is_sent_away() -> None:
    door = Doorkeeper(Places(10, 2))
    first, second = One(), One()
    for one in (first, second):
        door.enter(one, "a")
        door.is_served(one)
    assert not door.enter(One(), "a")
    assert door.enter(One(), "b"), "another address has places of its own"


def test_waiting_again_is_waiting_from_now_on() -> None:
    door = Doorkeeper(Places(10, 2))
    first, second = One(), One()
    door.enter(first, "a")
    door.enter(second, "a")
    door.is_served(first)
    door.waits(first)
    door.enter(One(), "a")
    assert (first.is_sent_away, second.is_sent_away) == (False, True)


def test_in_a_full_house_the_address_with_the_most_idlers_gives_a_place() -> None:
    door = Doorkeeper(Places(4, None))
    crowd = [One() for _ in range(3)]
    for one in crowd:
        door.enter(one, "flood")
    person = One()
    door.enter(person, "person")
    assert door.enter(One(), "newcomer")
    assert [one.is_sent_away for one in crowd] == [True, False, False]
    assert not person.is_sent_away


def test_who_connects_thousands_of_times_is_let_in_at_a_pace_and_others_as_ever() -> None:
    door = Doorkeeper(Places(10, 10))
    assert all(door.may_come("a", 0.0) for _ in range(ARRIVALS.burst))
    assert not door.may_come("a", 0.0)
    assert door.may_come("b", 0.0)
    assert door.may_come("a", 1.0)
    proxied = Doorkeeper(Places(10, None))
    assert all(proxied.may_come("proxy", 0.0) for _ in range(ARRIVALS.burst * 2)), "everybody comes from there"


def test_a_full_house_of_answered_people_has_no_place() -> None:
    door = Doorkeeper(Places(1, None))
    one = One()
    door.enter(one, "a")
    door.is_served(one)
    assert not door.enter(One(), "b")


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "waits", "served"]), st.integers(0, 9)), max_size=60))
def test_places_are_never_exceeded_and_all_come_back(steps: list[tuple[str, int]]) -> None:
    door = Doorkeeper(Places(5, 3))
    people = [One() for _ in range(10)]
    for step, number in steps:
        one = people[number]
        if step == "enter":
            door.leave(one)
            door.enter(one, str(number % 2))
        else:
            {"leave": door.leave, "waits": door.waits, "served": door.is_served}[step](one)
        assert door.inside <= 5
    for one in people:
        door.leave(one)
    assert (door.inside, dict(door._count), dict(door._waiting)) == (0, {}, {})


def test_places_stay_below_the_files_this_process_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "_allow_files", lambda wanted: 1_024)
    assert counted.places(0) == Places(1_024 - counted.OWN_FILES, counted.ONE_ADDRESS)
    assert counted.places(1).one_address is None, "behind a proxy everybody has the proxy's address"


def test_the_limit_of_open_files_is_raised_as_far_as_the_system_lets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_024, 2_000))
    monkeypatch.setattr("resource.setrlimit", lambda _, pair: asked.append(pair))
    assert counted._allow_files(4_352) == 2_000
    assert asked == [(2_000, 2_000)]


# --- pace -------------------------------------------------------------------------------------------------------------


def test_a_burst_then_so_many_a_second() -> None:
    allowance = Allowance(Pace(3, 2), 0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(0.5), allowance.take(0.5)] == [True, False]


def test_a_clock_that_jumps_back_gives_nothing() -> None:
    allowance = Allowance(Pace(1, 1), 100.0)
    assert allowance.take(100.0)
    assert not allowance.take(5.0)


def test_one_name_does_not_use_up_anothers() -> None:
    paces = Allowances(Pace(1, 1))
    assert [paces.take("a", 0.0), paces.take("a", 0.0), paces.take("b", 0.0)] == [True, False, True]
    assert paces.wait_s == 1


def test_names_that_are_full_again_are_forgotten_and_memory_is_bounded() -> None:
    paces = Allowances(Pace(2, 1), most_kept=10)
    for number in range(1_000):
        paces.take(number, number * 0.001)
    assert len(paces._kept) <= 10


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::FFFF:cb00:7109", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:443", "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ('"[2001:db8::1]:51234"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("203.0.113.09", None),
        ("1.2.3", None),
        ("0x7f.0.0.1", None),
        ("１.2.3.4", None),
        ("x" * 500, None),
    ],
)
def test_an_address_has_one_spelling(written: str, read: str | None) -> None:
    assert written_address(written) == read


def test_an_ipv6_customer_is_one_and_an_ipv4_address_too() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") == "2001:db8::/64"
    assert network("2001:db8:0:1::1") != network("2001:db8::1")
    assert network("203.0.113.9") == "203.0.113.9"


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(text: str) -> None:
    read = written_address(text)
    assert read is None or written_address(read) == read
    assert read is None or network(read)
