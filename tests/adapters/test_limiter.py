"""The limiter never lets more through than it may, and never makes an order wait for queries."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.limiter import LocalLimiter, Window
from lib.clock import SteppedClock
from lib.domain.errors import Retry

NOW = 1_700_000_000_000
CREATE, READ = "/v5/order/create", "/v5/order/realtime"


async def timed(limiter: LocalLimiter, clock: SteppedClock, account: str, path: str, urgent: bool = False) -> int:
    await limiter.admit(account, path, urgent=urgent)
    return clock.now_ms()


@given(st.lists(st.integers(0, 1_500), max_size=60), st.integers(1, 9))
def test_no_span_ever_holds_more_calls_than_allowed(steps: list[int], calls: int) -> None:
    window, now, taken = Window(calls, 1_000), NOW, []
    for step in steps:
        now += step
        now += window.wait_ms(now)
        window.take(now)
        taken.append(now)
    assert all(later - first >= 1_000 for first, later in zip(taken, taken[calls:], strict=False))


async def test_an_account_makes_eight_of_the_ten_creates_a_second() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    times = [await timed(limiter, clock, "a", CREATE, urgent=True) for _ in range(20)]
    assert times[7] == NOW
    assert [times[8] - NOW, times[16] - NOW] == [1_000, 2_000]


async def test_one_accounts_queue_does_not_delay_another() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    for _ in range(8):
        await limiter.admit("a", CREATE, urgent=True)
    assert await timed(limiter, clock, "b", CREATE, urgent=True) == NOW


async def test_the_address_makes_480_calls_in_five_seconds_and_queries_only_400_of_them() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    for number in range(400):
        assert await timed(limiter, clock, f"u{number}", READ) == NOW
    for number in range(80):
        assert await timed(limiter, clock, f"u{number}", CREATE, urgent=True) == NOW
    assert await timed(limiter, clock, "late", READ) == NOW + 5_000


async def test_a_crowd_that_comes_at_once_stays_within_the_limit() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    times = sorted(await asyncio.gather(*(timed(limiter, clock, f"u{n}", READ) for n in range(1_000))))
    assert all(later - first >= 5_000 for first, later in zip(times, times[400:], strict=False))
    assert all(first <= later for first, later in pairwise(times))


async def test_waiting_too_long_is_retry_and_takes_no_place() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    for _ in range(8):
        await limiter.admit("a", CREATE, urgent=True)
    with pytest.raises(Retry, match="too many calls"):
        await limiter.admit("a", CREATE, urgent=True, max_wait_s=0.5)
    assert await timed(limiter, clock, "a", CREATE, urgent=True) == NOW + 1_000


async def test_a_limit_of_zero_lifts_the_address_limit_only() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock, ip_calls=0)
    for number in range(2_000):
        await limiter.admit(f"u{number}", READ)
    await limiter.admit("", "/v5/market/time")
    assert clock.now_ms() == NOW
