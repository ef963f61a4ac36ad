"""Wider bars at T: exactly the minutes they are made of, the lists before those, and nothing that closed after T."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.bars import closed_bars
from lib.domain.candle import MINUTE_MS, Candle, interval_ms
from tests.factories import candles

HOUR = 3_600_000
NOON = 1_760_011_200_000
"""A full day, and so a boundary of every interval."""


def test_a_bar_is_the_sum_of_its_minutes() -> None:
    minutes = candles(10, closes_at=NOON)
    first, second = closed_bars("5m", minutes, (), NOON, 2)
    assert second == Candle(
        NOON - 300_000,
        minutes[5].open,
        max(one.high for one in minutes[5:]),
        min(one.low for one in minutes[5:]),
        minutes[-1].close,
        sum((one.volume for one in minutes[5:]), Decimal(0)),
    )
    assert first.open_time == NOON - 600_000


@given(st.integers(0, 59), st.integers(1, 200))
def test_the_newest_bar_is_the_last_that_closed_by_t(past: int, count: int) -> None:
    t_ms = NOON + past * MINUTE_MS
    bars = closed_bars("15m", candles(count + past, closes_at=t_ms), (), t_ms, 12)
    assert all(bar.open_time + interval_ms("15m") <= t_ms for bar in bars)
    if bars:
        assert bars[-1].open_time == t_ms - t_ms % interval_ms("15m") - interval_ms("15m")


@given(st.lists(st.integers(1, 400), max_size=40, unique=True))
def test_what_closes_after_t_changes_nothing(later: list[int]) -> None:
    minutes = candles(200, closes_at=NOON)
    future = [replace(minutes[-1], open_time=NOON + n * MINUTE_MS, close=Decimal(n)) for n in sorted(later)]
    kept = candles(20, closes_at=NOON, step_ms=HOUR)
    ahead = [replace(kept[-1], open_time=NOON + n * HOUR) for n in sorted(later)]
    for interval in ("5m", "1h"):
        asked = closed_bars(interval, minutes, kept, NOON, 12)
        assert closed_bars(interval, [*minutes, *future], [*kept, *ahead], NOON, 12) == asked


def test_the_list_goes_on_where_minutes_end_whether_or_not_it_has_its_newest_candle_yet() -> None:
    minutes = candles(130, closes_at=NOON)
    kept = candles(20, closes_at=NOON, step_ms=HOUR)
    early = closed_bars("1h", minutes, kept[:-1], NOON, 12)
    assert [bar.open_time for bar in early] == [NOON - n * HOUR for n in range(12, 0, -1)]
    assert early == closed_bars("1h", minutes, kept, NOON, 12)
    assert early[:10] == kept[-12:-2]


@pytest.mark.parametrize("gone", [0, 30, 119])
def test_a_bar_without_one_of_its_minutes_is_none(gone: int) -> None:
    minutes = candles(120, closes_at=NOON)
    del minutes[gone]
    assert len(closed_bars("1h", minutes, (), NOON, 12)) == (1 if gone == 0 else 1 if gone == 30 else 0)


def test_nothing_stale_is_a_bar() -> None:
    assert closed_bars("1h", (), candles(20, closes_at=NOON - HOUR, step_ms=HOUR), NOON, 12) == []
    assert closed_bars("5m", candles(60, closes_at=NOON - 600_000), (), NOON, 12) == []
    assert closed_bars("1d", (), (), NOON, 14) == []
