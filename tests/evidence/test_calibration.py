"""Confidence against what came: known values, halves of time, nothing under a hundred."""

from decimal import Decimal

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from lib.evidence.calibration import Decided, brier, calibration, wilson
from lib.evidence.series import DAY_MS


def dice() -> np.random.Generator:
    """The same numbers for each test."""
    return np.random.default_rng(3)


def decided(count: int, honest: bool) -> list[Decided]:
    thrown = dice()
    says = thrown.uniform(0.05, 0.95, count)
    came = thrown.random(count) < (says if honest else 0.5)
    return [
        Decided(n * DAY_MS // 6, Decimal(f"{each:.4f}"), Decimal("0.01") if won else Decimal("-0.01"))
        for n, (each, won) in enumerate(zip(says, came, strict=True))
    ]


@pytest.mark.parametrize(("came", "count"), [(0, 10), (3, 10), (10, 10), (81, 263)])
def test_wilson_is_statsmodels(came: int, count: int) -> None:
    assert wilson(came, count) == pytest.approx(proportion_confint(came, count, method="wilson"))


def test_wilson_of_the_published_example_and_of_nothing() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson(0, 0) == (0, 1)


def test_brier_of_the_prophet_and_of_who_always_says_one_half() -> None:
    came = np.array([1.0, 0.0, 1.0])
    assert brier(came, came) == 0
    assert brier(np.full(3, 0.5), came) == 0.25
    assert brier(np.array([0.9, 0.2, 0.6]), came) == pytest.approx((0.01 + 0.04 + 0.16) / 3)


def test_nothing_is_shown_under_a_hundred_decided_opinions() -> None:
    assert calibration(decided(99, honest=True)) is None
    assert calibration(decided(100, honest=True)) is not None


def test_honest_confidence_has_skill_and_its_bins_lie_where_they_say() -> None:
    told = calibration(decided(2_000, honest=True))
    assert told is not None
    assert told.skill > 0.2
    assert sum(each.count for each in told.bins) == told.decided == 2_000
    assert sum(each.low <= each.confidence <= each.high for each in told.bins) >= 8


def test_meaningless_confidence_has_less_than_none() -> None:
    told = calibration(decided(1_000, honest=False))
    assert told is not None
    assert told.skill < 0


def test_a_threshold_is_chosen_in_the_first_half_and_judged_in_the_second() -> None:
    opinions = decided(1_000, honest=True)
    lucky = [*opinions[:500], *(Decided(o.t_ms, o.confidence, Decimal("-0.02")) for o in opinions[500:])]
    told = calibration(lucky)
    assert told is not None
    assert told.threshold is not None
    assert told.threshold.low_where_chosen > 0
    assert told.threshold.mean_after == pytest.approx(-0.02)


def test_a_threshold_is_not_chosen_on_a_few_days() -> None:
    opinions = [Decided(n, o.confidence, o.net) for n, o in enumerate(decided(200, honest=True))]
    told = calibration(opinions)
    assert told is not None
    assert told.threshold is None
