"""A version's series has every decision, by whole days, and two versions are paired where both were asked the same."""

from decimal import Decimal

import numpy as np
import pytest

from lib.evidence.series import DAY_MS, Scored, Series, blocks, paired, series

HOUR = DAY_MS // 24


def scored(hour: int, net: str, window: str = "w", decided: bool = True) -> Scored:
    return Scored(hour * HOUR, window, Decimal(net), decided)


def test_holds_are_in_the_series() -> None:
    made = series([scored(2, "0.3"), scored(1, "0", decided=False)])
    assert made.values.tolist() == [0, 0.3]
    assert made.decided == 1


def test_two_versions_are_compared_where_both_saw_the_same_window() -> None:
    mine = [scored(1, "0.5", "a"), scored(2, "0.5", "b"), scored(3, "0.1", "c")]
    other = [scored(1, "0.2", "a"), scored(2, "0.2", "another"), scored(4, "0.2", "c")]
    assert paired(mine, other).values == pytest.approx([0.3])


def test_the_mean_of_the_blocks_is_the_mean_of_the_decisions_however_many_a_day_has() -> None:
    told = series(scored(hour, str(hour % 7), str(hour)) for hour in (1, 2, 3, 25, 49, 50, 51, 52, 53))
    made = blocks(told, 3 * DAY_MS)
    assert made.values.mean() == pytest.approx(told.values.mean())
    assert (len(made.values), made.decisions) == (3, 9)


def test_an_unfinished_day_is_no_block() -> None:
    told = series(scored(hour, "1") for hour in range(60))
    assert len(blocks(told, 60 * HOUR).values) == 2
    assert len(blocks(told, 60 * HOUR, days=2).values) == 1
    assert len(blocks(told, HOUR).values) == 0


def test_an_hour_of_a_day_weighs_an_hour() -> None:
    times = np.array([*range(24), 24]) * HOUR
    made = blocks(Series(times, np.array([0.0] * 24 + [25.0]), 25), 2 * DAY_MS)
    assert made.values.mean() == pytest.approx(1)
    assert made.values[1] < 25
