"""The limiter never lets more through than it may, and never makes a stop or an order wait for queries."""

import asyncio
import gc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.limits.limiter import LANE_WAIT_S, LocalLimiter, family_of
from lib.adapters.bybit.limits.turnstile import GUARD_READS, Answer, Ask, Turnstile
from lib.adapters.bybit.limits.window import BAN_MS, Silence, Window
from lib.clock import SteadyClock, SteppedClock
from lib.domain.errors import Retry
from lib.ports.exchange import Lane

NOW = 1_700_000_000_000
CREATE, READ, STOP = "/v5/order/create", "/v5/order/realtime", "/v5/position/trading-stop"


async def timed(
    limiter: LocalLimiter, clock: SteppedClock, account: str, path: str, lane: Lane = "trade", *, urgent: bool = False
) -> int:
    await limiter.admit(account, path, lane=lane, urgent=urgent)
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


async def test_the_address_makes_480_calls_in_five_seconds_and_trade_leaves_the_guard_its_share() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    for number in range(432):
        assert await timed(limiter, clock, f"u{number}", READ, "resolve") == NOW
    for number in range(24):
        assert await timed(limiter, clock, f"u{number}", CREATE) == NOW
    for number in range(24):
        assert await timed(limiter, clock, f"u{number}", STOP, "guard") == NOW
    assert await timed(limiter, clock, "late", READ, "guard") == NOW + 5_000


async def test_a_crowd_that_comes_at_once_stays_within_the_limit() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    times = sorted(await asyncio.gather(*(timed(limiter, clock, f"u{n}", READ) for n in range(1_000))))
    assert all(later - first >= 5_000 for first, later in zip(times, times[456:], strict=False))
    assert times[-1] - times[0] <= 10_100


async def test_waiting_too_long_is_retry_and_takes_no_place() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    for _ in range(8):
        await limiter.admit("a", CREATE, urgent=True)
    with pytest.raises(Retry, match="too_many_calls"):
        await limiter.admit("a", CREATE, urgent=True, max_wait_s=0.5)
    assert await timed(limiter, clock, "a", CREATE) == NOW + 1_000


async def test_a_limit_of_zero_lifts_the_address_limit_only() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock, ip_calls=0)
    for number in range(2_000):
        await limiter.admit(f"u{number}", READ)
    await limiter.admit("", "/v5/market/time")
    assert clock.now_ms() == NOW


# --- lanes -----------------------------------------------------------------------------------------------------------


class Gate:
    """A budget that lets *open* calls pass and remembers whom; then it is full for 100 ms more."""

    def __init__(self) -> None:
        self.open = 0
        self.passed: list[str] = []

    async def take(self, asks: Sequence[Ask]) -> list[Answer]:
        answers = []
        for ask in asks:
            goes = self.open > 0
            self.open -= goes
            self.passed += [ask.account] if goes else []
            answers.append(Answer(0 if goes else 100))
        return answers


async def crowd(turnstile: Turnstile, *calls: tuple[str, Lane, bool]) -> None:
    """Everybody of *calls* (name, lane, urgent) at once, in that order."""
    enter = (turnstile.enter(Ask(name, READ, lane), urgent=urgent, max_wait_s=60) for name, lane, urgent in calls)
    await asyncio.gather(*enter)


async def test_waiters_are_served_by_lane_then_urgent_then_first_come() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate)
    calls: list[tuple[str, Lane, bool]] = [
        ("resolve", "resolve", False),
        ("read 1", "trade", False),
        ("read 2", "trade", False),
        ("send", "trade", True),
        ("stop", "guard", False),
        ("urgent resolve", "resolve", True),
    ]
    waiting = asyncio.create_task(crowd(turnstile, *calls))
    for _ in range(8):
        await clock.sleep(0.25)
        gate.open = 1
    await waiting
    assert gate.passed == ["stop", "send", "read 1", "read 2", "urgent resolve", "resolve"]
    assert turnstile.idle


async def test_who_comes_later_in_a_better_lane_goes_first() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate)
    early = asyncio.create_task(crowd(turnstile, *((f"t{n}", "trade", False) for n in range(30))))
    await clock.sleep(0.5)
    late = asyncio.create_task(crowd(turnstile, ("stop", "guard", False)))
    await clock.sleep(0.05)
    gate.open = 31
    await asyncio.gather(early, late)
    assert gate.passed == ["stop", *(f"t{n}" for n in range(30))]


async def test_a_call_given_up_lets_the_next_one_pass() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate)
    first = asyncio.create_task(crowd(turnstile, ("gone", "trade", False)))
    second = asyncio.create_task(crowd(turnstile, ("here", "trade", False)))
    await clock.sleep(0.05)
    first.cancel()
    gate.open = 1
    await second
    assert gate.passed == ["here"]


async def test_a_bug_in_the_budget_leaves_nobody_waiting() -> None:
    class Broken:
        async def take(self, asks: Sequence[Ask]) -> list[Answer]:
            raise ZeroDivisionError

    clock = SteppedClock(NOW)
    turnstile = Turnstile(clock, Broken())
    bugs: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: bugs.append(context["exception"]))
    with pytest.raises(Retry, match="queue_closed"):
        await crowd(turnstile, ("a", "guard", False))
    await asyncio.sleep(0)
    gc.collect()
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    with pytest.raises(Retry, match="queue_closed"):
        await crowd(turnstile, ("b", "guard", False))


async def test_past_its_share_the_guards_reads_let_trade_pass_but_its_writes_do_not() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate)
    gate.open = GUARD_READS
    await crowd(turnstile, *((f"look {n}", "guard", False) for n in range(GUARD_READS)))
    gate.passed.clear()
    calls: list[tuple[str, Lane, bool]] = [
        ("look", "guard", False),
        ("sweep", "resolve", False),
        ("read", "trade", False),
        ("stop", "guard", True),
    ]
    waiting = asyncio.create_task(crowd(turnstile, *calls))
    await clock.sleep(0.2)
    gate.open = 4
    await waiting
    assert gate.passed == ["stop", "read", "look", "sweep"]


async def test_past_its_share_the_guards_reads_wait_where_trade_waits_for_its_turn_and_its_writes_do_not() -> None:
    class Bursts(Gate):
        """The guard may always go: its burst is the largest."""

        async def take(self, asks: Sequence[Ask]) -> list[Answer]:
            self.open += sum(ask.lane == "guard" for ask in asks)
            return await super().take(asks)

    clock, gate = SteppedClock(NOW), Bursts()
    turnstile = Turnstile(clock, gate)
    await crowd(turnstile, *((f"look {n}", "guard", False) for n in range(GUARD_READS)))
    gate.passed.clear()
    trade = asyncio.create_task(crowd(turnstile, ("read", "trade", False)))
    await clock.sleep(0.01)
    others = asyncio.create_task(crowd(turnstile, ("look", "guard", False), ("stop", "guard", True)))
    await clock.sleep(0.01)
    assert gate.passed == ["stop"]
    gate.open = 1
    await asyncio.gather(trade, others)
    assert gate.passed == ["stop", "read", "look"]


async def test_the_guard_has_its_share_however_many_want_to_trade() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate)
    everybody = asyncio.create_task(
        crowd(
            turnstile,
            *((f"t{n}", "trade", False) for n in range(500)),
            *((f"g{n}", "guard", False) for n in range(500)),
        )
    )
    for _ in range(100):
        await clock.sleep(0.12)
        gate.open = 10
    everybody.cancel()
    first_5_s = gate.passed[:400]
    assert [name[0] for name in first_5_s].count("g") >= GUARD_READS - 8
    assert [name[0] for name in gate.passed].count("t") > 400


async def test_only_so_many_calls_are_on_their_way_at_once_the_guards_aside() -> None:
    clock, gate = SteppedClock(NOW), Gate()
    turnstile = Turnstile(clock, gate, most_under_way=3)
    gate.open = 100
    waiting = asyncio.create_task(crowd(turnstile, *((f"t{n}", "trade", False) for n in range(5))))
    await clock.sleep(1)
    assert gate.passed == ["t0", "t1", "t2"]
    await crowd(turnstile, ("stop", "guard", False))
    turnstile.left("guard")
    await clock.sleep(1)
    assert gate.passed[3:] == ["stop"]
    turnstile.left("trade")
    await clock.sleep(1)
    assert gate.passed[4:] == ["t3"]
    turnstile.left("trade")
    await waiting
    assert gate.passed[5:] == ["t4"]


async def test_who_is_admitted_and_cancelled_in_one_moment_is_not_on_its_way_for_ever() -> None:
    class Cancelling(Gate):
        async def take(self, asks: Sequence[Ask]) -> list[Answer]:
            asyncio.get_running_loop().call_soon(first.cancel)
            return await super().take(asks)

    cancelling = Cancelling()
    cancelling.open = 1
    turnstile = Turnstile(SteppedClock(NOW), cancelling, most_under_way=1)
    first = asyncio.create_task(crowd(turnstile, ("first", "trade", False)))
    with pytest.raises(asyncio.CancelledError):
        await first
    cancelling.open = 1
    await asyncio.wait_for(crowd(turnstile, ("second", "trade", False)), 5)
    assert cancelling.passed[-1] == "second"


async def test_no_lane_waits_for_ever() -> None:
    for lane, wait_s in LANE_WAIT_S.items():
        clock, gate = SteppedClock(NOW), Gate()
        turnstile = Turnstile(clock, gate)
        with pytest.raises(Retry, match="too_many_calls"):
            await turnstile.enter(Ask("a", READ, lane), urgent=False, max_wait_s=wait_s)
        assert clock.now_ms() - NOW == pytest.approx(wait_s * 1_000, abs=100)


# --- what the venue says ---------------------------------------------------------------------------------------------


async def test_an_endpoint_opens_again_when_the_venue_said() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    limiter.throttled("a", CREATE, 700)
    assert await timed(limiter, clock, "b", CREATE) == NOW
    assert await timed(limiter, clock, "a", READ) == NOW
    assert await timed(limiter, clock, "a", CREATE) == NOW + 700


@pytest.mark.parametrize("lane", ["guard", "trade", "resolve"])
async def test_a_ban_silences_every_lane_for_ten_minutes(lane: Lane) -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    limiter.banned()
    with pytest.raises(Retry, match="address_blocked seconds=600"):
        await limiter.admit("a", READ, lane=lane)
    clock.advance_to(NOW + 600_000)
    await limiter.admit("a", READ, lane=lane)


async def test_who_waits_when_the_ban_comes_is_sent_home() -> None:
    clock = SteppedClock(NOW)
    limiter = LocalLimiter(clock)
    waiting = [asyncio.create_task(limiter.admit("a", CREATE)) for _ in range(20)]
    await asyncio.sleep(0)
    limiter.banned()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(result, Retry) for result in done) == 12


# --- clocks and addresses --------------------------------------------------------------------------------------------


@given(st.integers(1, 10**9))
def test_a_clock_that_jumps_back_costs_one_span_at_most(jump: int) -> None:
    window = Window(2, 1_000)
    window.take(NOW)
    window.take(NOW)
    assert 0 < window.wait_ms(NOW - jump) <= 1_000
    assert window.wait_ms(NOW - jump + 1_000) == 0


def test_a_ban_outlives_a_clock_that_jumps_back() -> None:
    silence = Silence()
    silence.begin(NOW)
    assert silence.left_ms(NOW - 86_400_000) == BAN_MS
    assert silence.left_ms(NOW - 86_400_000 + BAN_MS) == 0


@pytest.mark.parametrize(
    ("url", "family"),
    [
        ("https://api.bybit.com", "bybit"),
        ("https://api-demo.bybit.com", "bybit"),
        ("https://API-TESTNET.bybit.com/", "bybit"),
        ("https://api.bytick.com", "bybit"),
        ("https://notbybit.com", "notbybit.com"),
        ("http://user:secret@127.0.0.1:18700/x", "127.0.0.1:18700"),
        ("http://paper.test", "paper.test"),
    ],
)
def test_hosts_that_the_venue_counts_together_share_a_limiter(url: str, family: str) -> None:
    assert family_of(url) == family


class SetBack(SteppedClock):
    """A clock that somebody sets."""

    by_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.by_ms


async def test_a_clock_that_is_set_back_holds_up_nobody_in_the_queue() -> None:
    clock = SetBack(NOW)

    answers = [Answer(30)]

    class FullOnce:
        async def take(self, asks: Sequence[Ask]) -> list[Answer]:
            return [answers.pop() if answers else Answer() for _ in asks]

    turnstile = Turnstile(clock, FullOnce())
    await turnstile.enter(Ask("a", READ, "trade"), urgent=False, max_wait_s=60)
    clock.by_ms = -3_600_000
    before = clock.now_ms()
    await turnstile.enter(Ask("a", READ, "trade"), urgent=True, max_wait_s=60)
    assert clock.now_ms() == before


@given(st.lists(st.integers(-5_000, 5_000), max_size=40))
def test_a_steady_clock_goes_on_as_its_clock_does_and_never_back(steps: list[int]) -> None:
    clock = SetBack(NOW)
    steady = SteadyClock(clock)
    last = steady.now_ms()
    for step in steps:
        clock.by_ms += step
        now = steady.now_ms()
        assert now - last == max(step, 0)
        last = now
