"""Public calls leave at an even step, and a pause is not made up for."""

from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.limits.limiter import IP_CALLS, IP_WINDOW_MS, SHARE
from lib.adapters.bybit.limits.steps import A_SECOND, Steps


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200), st.integers(1, 50))
def test_no_second_has_more_calls_than_allowed(pauses: list[float], a_second: int) -> None:
    now = [0.0]
    steps = Steps(a_second, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    left = []
    for pause in pauses:
        now[0] += pause
        steps.wait()
        left.append(now[0])
    for first in left:
        assert sum(first <= at < first + 1 - 1e-6 for at in left) <= a_second


def test_the_order_path_leaves_as_many() -> None:
    assert A_SECOND < IP_CALLS * (1 - SHARE) / (IP_WINDOW_MS / 1000)
