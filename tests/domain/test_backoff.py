"""Pauses between attempts: never none, never more than the cap, doubling, and apart for those who failed together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.backoff import Backoff

PAUSES = st.builds(
    lambda first, jitter, more: Backoff(first / 1000, first / 1000 * (1 + jitter / 4) + more / 1000, jitter / 4),
    st.integers(1, 10_000),
    st.integers(0, 8),
    st.integers(1, 100_000),
)
DRAWS = st.integers(0, 999).map(lambda n: n / 1000)


def test_it_doubles_and_stops_at_the_cap() -> None:
    assert [Backoff(1.0, 15.0).pause_s(failures) for failures in range(7)] == [1, 1, 2, 4, 8, 15, 15]


def test_a_draw_lengthens_a_pause_by_its_share_of_the_jitter() -> None:
    jittered = Backoff(0.5, 60.0, jitter=1.0)
    assert [jittered.pause_s(1, draw) for draw in (0.0, 0.5)] == [0.5, 0.75]
    assert [jittered.pause_s(40, draw) for draw in (0.0, 0.5)] == [30.0, 45.0]


@given(PAUSES, st.integers(0, 10_000), DRAWS)
def test_a_pause_is_never_shorter_than_the_first_nor_longer_than_the_cap(
    backoff: Backoff, failures: int, draw: float
) -> None:
    assert backoff.first_s <= backoff.pause_s(failures, draw) <= backoff.cap_s


@given(PAUSES, st.integers(1, 60), DRAWS)
def test_more_failures_never_wait_less(backoff: Backoff, failures: int, draw: float) -> None:
    assert backoff.pause_s(failures, draw) <= backoff.pause_s(failures + 1, draw)


@pytest.mark.parametrize(("first", "cap", "jitter"), [(0, 1, 0), (2, 1, 0), (1, 1, 0.5), (1, 3, -0.5), (-1, 1, -3)])
def test_what_would_not_wait_or_would_wait_past_its_cap_is_refused(first: float, cap: float, jitter: float) -> None:
    with pytest.raises(ValueError, match="backoff"):
        Backoff(first, cap, jitter)
