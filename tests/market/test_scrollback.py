"""Older candles: the venue's own, page by page, asked for once and never too often."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, Candle, interval_ms
from lib.domain.errors import Halt, MaemaeError, Retry
from lib.market.scrollback import COOL_MS, INTERVALS, MOST_CALLS, MOST_PAGES, PAGE, WINDOW_MS, Scrollback
from lib.ports.exchange import NotNow
from tests.fakes.market import START, SetClock, run_of

DAY = 1440 * MINUTE_MS
NINE = Decimal(9)


class Venue:
    """A venue's klines of one interval; *most* rows an answer, and what it answers instead when told to fail."""

    def __init__(self, candles: list[Candle], now_ms: int, most: int = PAGE) -> None:
        self.candles = candles
        self.clock = SetClock(now_ms)
        self.most = most
        self.asked: list[tuple[int, int]] = []
        self.fails: MaemaeError | None = None

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        assert end is not None
        assert 1 <= limit <= PAGE
        self.asked.append((end, limit))
        if self.fails:
            raise self.fails
        step = interval_ms(interval)
        there = [c for c in self.candles if c.open_time <= end and c.open_time + step <= self.clock.now_ms()]
        return there[-min(limit, self.most) :]


def opened(venue: Venue) -> Scrollback:
    return Scrollback(venue, venue.clock)  # type: ignore[arg-type]


def venue(count: int = 3 * PAGE, interval: str = "1m", most: int = PAGE) -> Venue:
    step = interval_ms(interval)
    start = START - START % step
    return Venue(run_of(count, start=start, interval=interval), start + count * step + 7, most)


def walked(made: Scrollback, source: Venue, interval: str, count: int) -> list[Candle]:
    """As a chart walks: from now on back until the beginning."""
    found: list[Candle] = []
    before: int | None = source.clock.now_ms()
    for _ in range(5_000):
        if before is None:
            return found
        source.clock.now += COOL_MS + WINDOW_MS
        past = made.before("BTCUSDT", interval, before, count)
        assert past.older_ms is None or past.older_ms < before, "it goes on"
        found, before = [*past.candles, *found], past.older_ms
    raise AssertionError("never at the beginning")


@given(
    have=st.integers(0, 2 * PAGE + 20), count=st.integers(90, PAGE), interval=st.sampled_from(INTERVALS),
    most=st.sampled_from([PAGE, 139]),
)  # fmt: skip
def test_a_walk_back_brings_every_candle_once(have: int, count: int, interval: str, most: int) -> None:
    source = venue(have, interval, most)
    source.candles, until = list(source.candles), source.clock.now_ms()
    assert walked(opened(source), source, interval, count) == [c for c in source.candles if c.open_time < until]


@given(st.sets(st.integers(0, 2 * PAGE), max_size=40), st.integers(0, 2 * PAGE), st.integers(1, 600))
def test_holes_and_absurd_candles_are_left_out_and_stop_nothing(missing: set[int], hole: int, length: int) -> None:
    source = venue(2 * PAGE + 1)
    gone = missing | set(range(hole, hole + length))
    absurd = {n for n in missing if n % 2}
    source.candles = [
        replace(c, low=c.high + 1) if n in absurd else c
        for n, c in enumerate(source.candles)
        if n not in gone or n in absurd
    ]
    sane = [c for c in source.candles if c.low <= c.high]
    assert walked(opened(source), source, "1m", PAGE) == sane


def test_what_is_closed_is_asked_for_once() -> None:
    source = venue()
    made, before = opened(source), source.candles[-PAGE].open_time
    first = made.before("BTCUSDT", "1m", before, 300)
    calls = len(source.asked)
    assert all(made.before("BTCUSDT", "1m", before, 300) == first for _ in range(50))
    assert len(source.asked) == calls <= 2


def test_a_page_that_went_on_is_asked_for_again_only_when_somebody_wants_what_came() -> None:
    source = venue(40, "4h")
    made, middle = opened(source), source.candles[20].open_time
    made.before("BTCUSDT", "4h", middle, 10)
    source.candles = run_of(60, start=source.candles[0].open_time, interval="4h")
    source.clock.now += 20 * 4 * 60 * MINUTE_MS
    calls = len(source.asked)
    made.before("BTCUSDT", "4h", middle, 10)
    assert len(source.asked) == calls
    assert made.before("BTCUSDT", "4h", source.clock.now, 5).candles == tuple(source.candles[-5:])
    assert len(source.asked) == calls + 1


def test_who_comes_meanwhile_waits_for_the_same_answer() -> None:
    source, together = venue(), threading.Barrier(8)
    made, before = opened(source), source.candles[-PAGE].open_time

    def reader(_: int) -> int:
        together.wait()
        return len(made.before("BTCUSDT", "1m", before, 100).candles)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader, range(8))) == [100] * 8
    assert len(source.asked) <= 2


def test_no_more_calls_leave_than_the_budget_allows() -> None:
    source = Venue([], START)
    made = opened(source)
    for n in range(MOST_CALLS):
        made.before("BTCUSDT", "1m", START - n * 2 * PAGE * MINUTE_MS, 1)
    with pytest.raises(NotNow):
        made.before("BTCUSDT", "1m", START - 999 * PAGE * MINUTE_MS, 1)
    assert len(source.asked) == MOST_CALLS
    source.clock.now += WINDOW_MS
    made.before("BTCUSDT", "1m", START - 999 * PAGE * MINUTE_MS, 1)


@pytest.mark.parametrize("trouble", [Retry("away"), Halt("no such symbol")])
def test_a_venue_that_failed_is_left_alone_for_a_while_and_ends_no_process(trouble: MaemaeError) -> None:
    source = venue()
    made, source.fails = opened(source), trouble
    with pytest.raises(Retry):
        made.before("BTCUSDT", "1m", source.clock.now, 10)
    for _ in range(20):
        with pytest.raises(NotNow):
            made.before("BTCUSDT", "1m", source.clock.now, 10)
    assert len(source.asked) == 1
    source.fails = None
    source.clock.now += COOL_MS
    assert len(made.before("BTCUSDT", "1m", source.clock.now, 10).candles) == 10


def test_memory_is_bounded() -> None:
    source = Venue([Candle(n * DAY * PAGE, NINE, NINE, NINE, NINE, NINE) for n in range(3 * MOST_PAGES)], START * 20)
    made = opened(source)
    for n in range(2 * MOST_PAGES):
        source.clock.now += WINDOW_MS
        made.before("BTCUSDT", "1d", n * DAY * PAGE + DAY, 1)
    assert len(made._kept) == MOST_PAGES


def test_a_time_before_all_times_has_nothing() -> None:
    assert opened(venue()).before("BTCUSDT", "1d", 0, 10) == opened(venue()).before("BTCUSDT", "1m", -5, 10)
