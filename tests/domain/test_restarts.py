"""When a process that ended starts again: longer each time it ends early, afresh after a healthy while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.backoff import Backoff
from lib.domain.errors import EXIT_CONFIG
from lib.domain.restarts import RestartRule, after, why_ended

RULE = RestartRule(Backoff(1.0, 30.0), set_wrong_s=60.0, healthy_s=60.0, looping_after=5)
statuses = st.integers(-64, 255)


@given(st.integers(0, 10_000), st.floats(0, 1e6), statuses)
def test_the_wait_is_never_none_and_never_beyond_the_cap(early: int, lived: float, status: int) -> None:
    assert 0 < after(RULE, early, lived, status).in_s <= max(30.0, RULE.set_wrong_s)


@given(st.integers(0, 10_000), st.floats(60, 1e6))
def test_after_a_healthy_while_it_begins_afresh(early: int, lived: float) -> None:
    found = after(RULE, early, lived, 1)
    assert (found.in_s, found.early_ends, found.loop_begins) == (1.0, 1, False)


def test_early_ends_wait_longer_and_become_a_loop_once() -> None:
    waits, loops, early = [], [], 0
    for _ in range(8):
        found = after(RULE, early, 0.5, -9)
        early = found.early_ends
        waits.append(found.in_s)
        loops.append(found.loop_begins)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert loops == [False, False, False, False, True, False, False, False]


def test_what_cannot_work_as_things_are_is_tried_once_a_minute() -> None:
    assert after(RULE, 0, 0.5, EXIT_CONFIG).in_s == 60


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (0, "ended by itself"),
        (1, "failed"),
        (EXIT_CONFIG, "cannot work as things are"),
        (-9, "ran out of memory"),
        (-11, "crashed (SIGSEGV)"),
        (-15, "was ended (SIGTERM)"),
        (-63, "signal 63"),
    ],
)
def test_an_end_is_told_in_plain_words(status: int, says: str) -> None:
    assert says in why_ended(status)


@given(statuses)
def test_every_end_has_words(status: int) -> None:
    assert why_ended(status)
