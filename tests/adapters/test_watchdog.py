"""Patience with a connection: it must come up, answer pings and bring data, by a time that is handed in."""

from dataclasses import replace

import pytest

from lib.adapters.bybit.stream.watchdog import NEVER, StreamTimings, Watchdog

TIMINGS = StreamTimings(
    up_within=5, ping_every=20, pong_within=10, stale_after=75, ask_again=600, grace=0.5, steady_after=60
)


def up(timings: StreamTimings = TIMINGS) -> Watchdog:
    watch = Watchdog(timings, 100.0)
    watch.came_up()
    return watch


def test_a_connection_must_come_up_in_time() -> None:
    watch = Watchdog(TIMINGS, 100.0)
    assert (watch.why_lost(104.9), watch.why_lost(105.0)) == ("", "it does not come up")
    assert up().why_lost(105.0) == ""


def test_pings_go_out_one_by_one_and_one_unanswered_ends_it() -> None:
    watch = up()
    assert [watch.is_ping_due(at) for at in (119.9, 120.0, 120.1, 139.9)] == [False, True, False, False]
    assert watch.why_lost(129.9) == ""
    assert watch.why_lost(130.0) == "nothing is said, not even a pong"
    watch.answered()
    assert watch.why_lost(130.0) == ""
    assert watch.is_ping_due(140.0)


def test_a_second_ping_does_not_lengthen_the_wait_for_the_first_ones_answer() -> None:
    watch = up(replace(TIMINGS, pong_within=30))
    assert watch.is_ping_due(120.0)
    assert watch.is_ping_due(140.0)
    assert watch.why_lost(150.0) == "nothing is said, not even a pong"


def test_a_connection_that_answers_and_brings_nothing_is_stale() -> None:
    watch = up()
    watch.data_arrived(150.0)
    assert (watch.why_lost(224.9), watch.why_lost(225.0)) == ("", "no data for 75 s")


def test_what_brings_data_rarely_is_never_stale() -> None:
    assert up(replace(TIMINGS, stale_after=NEVER)).why_lost(1e9) == ""


def test_a_connection_that_lacks_a_part_makes_room_for_one_that_asks_again() -> None:
    watch = up(replace(TIMINGS, stale_after=NEVER))
    watch.lacks_something(100.0)
    assert (watch.why_lost(699.9), watch.why_lost(700.0)) == ("", "asking again for what was refused")


def test_who_used_a_frame_for_long_is_not_called_late() -> None:
    watch = up()
    assert watch.is_ping_due(120.0)
    watch.caught_up(500.0)
    assert watch.why_lost(500.4) == ""
    assert watch.why_lost(500.5)


def test_being_caught_up_shortens_no_patience_and_asks_for_no_pong() -> None:
    watch = up()
    watch.caught_up(100.0)
    assert watch.why_lost(174.9) == ""


def test_the_next_thing_due_is_known() -> None:
    assert Watchdog(TIMINGS, 100.0).next_s(101.0) == 4.0
    assert up().next_s(101.0) == 19.0
    assert up().next_s(999.0) == 0.0


@pytest.mark.parametrize(("held", "failures"), [(0.0, 4), (60.0, 4), (60.1, 1)])
def test_a_connection_that_held_was_a_success(held: float, failures: int) -> None:
    assert TIMINGS.failures_after(3, held) == failures
