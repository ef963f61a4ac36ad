"""Published examples of the deflated Sharpe ratio, and what overfitting looks like."""

import numpy as np
import pytest

from lib.evidence.searching import _probability, expected_best, found, overfitting, probabilistic_sharpe, walk_forward


def dice() -> np.random.Generator:
    """The same numbers for each test."""
    return np.random.default_rng(5)


DAILY = 2.5 / 250**0.5
"""The paper's strategy: an annual Sharpe of 2.5 over five years of 250 days, skew -3, kurtosis 10."""


@pytest.mark.parametrize(("tries", "least", "sure"), [(100, 0.1132, 0.9004), (46, 0.1, 0.9505)])
def test_the_example_of_bailey_and_lopez_de_prado(tries: int, least: float, sure: float) -> None:
    expected = expected_best(0.5 / 250, tries)
    assert expected == pytest.approx(least, abs=0.002)
    assert _probability(DAILY, expected, 1250, -3, 10) == pytest.approx(sure, abs=0.001)


def test_one_try_is_held_against_nothing() -> None:
    assert expected_best(1.0, 1) == 0
    assert probabilistic_sharpe(np.ones(50), 0) == 0
    assert probabilistic_sharpe(dice().standard_normal(500) + 0.3, 0) > 0.99


def test_a_search_counts_at_least_what_it_shows_and_says_so() -> None:
    values = dice().standard_normal((100, 8))
    assert found(values, 40).tries == 40
    assert found(values, 40).deflated < found(values, 8).deflated
    with pytest.raises(ValueError, match="counts every try"):
        found(values, 7)


def test_choosing_among_the_worthless_is_overfitted_and_a_true_best_is_not() -> None:
    worthless = dice().standard_normal((120, 20))
    told = overfitting(worthless)
    worthless[:, 3] += 1
    true = overfitting(worthless)
    assert told is not None
    assert told > 0.2
    assert true == 0
    assert overfitting(worthless[:, :1]) is None
    assert overfitting(worthless[:49]) is None


def test_walking_forward_never_chooses_on_what_it_is_judged_by() -> None:
    told = list(walk_forward(60, gap=2))
    assert [ahead.start - past.stop for past, ahead in told] == [2] * 5
    assert told[-1][1].stop == 60
    assert [at for _, ahead in told for at in ahead] == list(range(10, 60))
