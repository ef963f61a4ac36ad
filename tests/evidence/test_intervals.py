"""What a mean of dependent days may be, how long it takes to know, and that no interval is given out for the other."""

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from scipy import stats

from lib.evidence.intervals import AnytimeInterval, ReportInterval, anytime_interval, report_interval
from lib.evidence.power import LONGEST_DAYS, days_needed
from lib.evidence.resampling import LEAST_MEAN_BLOCK, drawn, mean_block
from lib.evidence.spread import LEAST_BLOCKS, anytime_errors, long_run_sd, standard_errors, widened


def dice() -> np.random.Generator:
    """The same numbers for each test."""
    return np.random.default_rng(7)


DAYS = dice().standard_normal(60)


def test_a_resampled_mean_varies_as_archs_does() -> None:
    leaning = np.convolve(dice().standard_normal(70), np.ones(4) / 4, "valid")
    ours = drawn(len(leaning), 4.0) @ leaning
    theirs = StationaryBootstrap(4, leaning, seed=3).apply(np.mean, 2_000).ravel()
    assert ours.std() == pytest.approx(theirs.std(), rel=0.08)
    assert ours.mean() == pytest.approx(leaning.mean(), abs=0.02)


def test_every_draw_weighs_one_and_the_same_question_has_the_same_draws() -> None:
    weights = drawn(20, 3.0)
    assert weights.sum(axis=1) == pytest.approx(1)
    assert drawn(20, 3.0) is weights
    assert not weights.flags.writeable


def test_a_mean_block_is_never_shorter_than_an_outcome_reaches() -> None:
    assert mean_block(np.tile([1.0, -1.0], 40)) >= LEAST_MEAN_BLOCK
    assert mean_block(np.ones(40)) == LEAST_MEAN_BLOCK
    assert mean_block(np.cumsum(dice().standard_normal(80))) <= 20


def test_the_long_run_deviation_has_the_next_day_and_never_less_than_its_own() -> None:
    leaning = (DAYS + np.roll(DAYS, 1))[1:]
    assert float(long_run_sd(leaning)) > leaning.std(ddof=1)
    assert float(long_run_sd(np.tile([1.0, -1.0], 30))) == pytest.approx(np.tile([1.0, -1.0], 30).std(ddof=1))
    assert long_run_sd(np.ones((3, 1))).tolist() == [0, 0, 0]


def test_widening_is_students_t() -> None:
    assert widened(1.959963984540054, 9) == pytest.approx(stats.t.ppf(0.975, 9))
    assert standard_errors(10**7) == pytest.approx(1.96, abs=1e-3)
    assert [anytime_errors(days) for days in (14, 60, 240)] == pytest.approx([5.80, 3.33, 3.21], abs=0.01)


def test_no_interval_comes_out_of_a_fortnight_less_a_day() -> None:
    few = DAYS[: LEAST_BLOCKS - 1]
    assert report_interval(few) is None
    assert anytime_interval(few) is None


def test_both_intervals_hold_their_mean_and_the_pages_is_the_wider() -> None:
    report, page = report_interval(DAYS), anytime_interval(DAYS)
    assert report is not None
    assert page is not None
    assert report.low < report.mean == page.mean < report.high
    assert page.low < report.low
    assert page.high > report.high
    assert (report.blocks, report.draws) == (60, 2_000)


def test_reports_and_pages_name_their_intervals_apart() -> None:
    assert ReportInterval.name != AnytimeInterval.name
    assert not issubclass(ReportInterval, AnytimeInterval)


def test_days_until_an_edge_is_seen_grow_with_the_square_of_what_is_looked_for() -> None:
    measured = 1.03 / 12**0.5
    tenth, fifth = days_needed(measured, 0.1), days_needed(measured, 0.2)
    assert (tenth, fifth) == (178, 49)
    assert days_needed(measured, 100) == LEAST_BLOCKS
    assert days_needed(measured, 0.001) is None
    with pytest.raises(ValueError, match="above 0"):
        days_needed(measured, 0)
    assert LONGEST_DAYS == 3_650
