"""Who is the best of several versions, and that luck is nobody's merit."""

import numpy as np
import pytest

from lib.domain import reason_codes as codes
from lib.evidence.comparing import Field, compared, confidence_set, corrected_lows, spa_p, superior


def dice() -> np.random.Generator:
    """The same numbers for each test."""
    return np.random.default_rng(11)


def field(edges: list[float], days: int = 120) -> Field:
    thrown = dice()
    shared, own = thrown.standard_normal((days, 1)), thrown.standard_normal((days, len(edges)))
    return Field([f"v{n}" for n in range(len(edges))], 0.2 * shared + 0.3 * own + edges, np.zeros((days, 2)))


def test_a_version_far_ahead_of_all_is_the_winner_with_the_number_of_tries() -> None:
    told = compared(field([0, 0.6, 0, 0.05]))
    assert (told.winner, told.left, told.tries) == ("v1", ("v1",), 4)
    assert told.reason.code == codes.EVIDENCE_WINNER.name
    assert told.reason.params["tries"] == 4


def test_two_good_versions_that_cannot_be_told_apart_have_no_winner() -> None:
    told = compared(field([0.6, 0.61, 0]))
    assert told.winner is None
    assert set(told.left) == {"v0", "v1"}
    assert told.reason.code == codes.EVIDENCE_NO_WINNER.name


def test_the_best_of_losers_wins_nothing() -> None:
    told = compared(field([-0.9, -0.2, -0.9]))
    assert told.best == "v1"
    assert told.winner is None
    assert told.low < 0


def test_a_baseline_that_did_as_well_takes_the_victory_away() -> None:
    made = field([0, 0.6])
    made.baselines[:, 1] = made.versions[:, 1] + 0.01 * np.random.default_rng(1).standard_normal(120)
    assert compared(made).winner is None


def test_twins_do_not_beat_each_other() -> None:
    made = field([0.6, 0.6])
    made.versions[:, 1] = made.versions[:, 0]
    assert compared(made).winner is None


def test_a_bound_is_lower_the_more_were_tried() -> None:
    values = dice().standard_normal((90, 40)) * 0.3
    alone = Field(["a"], values[:, :1], np.zeros((90, 1)))
    among = Field([str(n) for n in range(40)], values, np.zeros((90, 1)))
    assert corrected_lows(among)[0] < corrected_lows(alone)[0]


def test_one_version_alone_is_its_own_confidence_set_and_few_days_have_no_winner() -> None:
    assert confidence_set(field([0.5])) == ("v0",)
    assert compared(field([5, 0], days=13)).winner is None


def test_spa_and_stepm_say_the_same_of_a_clear_case() -> None:
    made = field([0.5, 0, -0.1])
    assert spa_p(made) == pytest.approx(0, abs=0.01)
    assert superior(made) == ("v0",)
    assert spa_p(field([-0.5, -0.4])) > 0.3
