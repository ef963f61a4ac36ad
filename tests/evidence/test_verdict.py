"""What a page says of a version, and when it says that it cannot tell."""

from decimal import Decimal

import numpy as np
import pytest

from bench.evidence_proof.simulated import A_DAY, stubborn
from lib.domain import reason_codes as codes
from lib.domain.reason import Code
from lib.evidence.chance import Moments, coin_share, random_share
from lib.evidence.series import DAY_MS, Blocks
from lib.evidence.verdict import Baseline, judged, verdict
from lib.reason_text import said


def dice() -> np.random.Generator:
    """The same numbers for each test."""
    return np.random.default_rng(9)


EDGE = Decimal("0.001")
NOISE = 0.003 * dice().standard_normal(400)


def beyond(coin: float, hold: float, days: int = 120) -> dict[Baseline, Blocks]:
    noise = NOISE[:days] - NOISE[:days].mean()
    return {Baseline.COIN: Blocks(coin + noise, days), Baseline.HOLD: Blocks(hold + noise, days)}


@pytest.mark.parametrize(
    ("coin", "hold", "days", "edge", "code"),
    [
        (0.003, 0.002, 120, EDGE, codes.EVIDENCE_BETTER),
        (0.003, 0, 400, EDGE, codes.EVIDENCE_NOT_SEEN),
        (-0.002, -0.003, 120, EDGE, codes.EVIDENCE_WORSE_THAN_CHANCE),
        (0, -0.002, 120, EDGE, codes.EVIDENCE_LOSES),
        (0, 0, 30, EDGE, codes.EVIDENCE_NOT_YET),
        (0, 0, 30, Decimal("0.00001"), codes.EVIDENCE_OUT_OF_REACH),
        (9, 9, 13, EDGE, codes.EVIDENCE_FEW_DAYS),
    ],
)
def test_each_case_has_its_sentence(coin: float, hold: float, days: int, edge: Decimal, code: Code) -> None:
    told = verdict(beyond(coin, hold, days), 100, edge)
    assert code.is_of(told.reason)


def test_under_a_hundred_decided_opinions_not_even_an_interval_is_given() -> None:
    told = verdict(beyond(1, 1), 99, EDGE)
    assert codes.EVIDENCE_FEW_DECIDED.is_of(told.reason)
    assert told.against == {}


def test_better_than_the_coin_is_not_better_while_another_baseline_may_be_as_good() -> None:
    told = verdict({**beyond(0.003, 0.002), Baseline.LONG: beyond(0, 0)[Baseline.HOLD]}, 100, EDGE)
    assert not codes.EVIDENCE_BETTER.is_of(told.reason)


def test_a_page_says_about_how_many_days_are_missing_in_both_languages() -> None:
    reason = verdict(beyond(0, 0, 30), 100, EDGE).reason
    more = reason.params["more"]
    assert f"about {more} more days" in said(reason, "en")
    assert f"약 {more}일" in said(reason, "ko")


def test_a_verdict_without_a_coin_or_an_edge_is_no_verdict() -> None:
    for wrong, edge in ((beyond(0, 0), Decimal(0)), ({Baseline.HOLD: beyond(0, 0)[Baseline.HOLD]}, EDGE)):
        with pytest.raises(ValueError, match="needs the coin"):
            verdict(wrong, 100, edge)


def moments(skill: float, days: int = 60) -> Moments:
    count, thrown = days * A_DAY, dice()
    moves = thrown.standard_normal(count)
    side = np.where(thrown.random(count) < 0.5 + skill / 2, np.sign(moves), -np.sign(moves)).astype(np.int64)
    side[::3] = 0
    return Moments(np.arange(count) * (DAY_MS // A_DAY), moves - 0.1, -moves - 0.1, side)


def test_who_knows_the_direction_beats_every_coin_and_every_blind_entrant() -> None:
    skilled = moments(0.5)
    assert coin_share(skilled) == random_share(skilled) == pytest.approx(1 / 1_001)
    assert codes.EVIDENCE_BETTER.is_of(judged(skilled, 60 * DAY_MS, Decimal("0.1")).reason)


def test_who_knows_the_wrong_direction_is_beaten_by_nearly_all() -> None:
    assert coin_share(moments(-0.5)) > 0.99
    assert codes.EVIDENCE_WORSE_THAN_CHANCE.is_of(judged(moments(-0.5), 60 * DAY_MS, Decimal("0.1")).reason)


def test_who_enters_nothing_is_no_better_than_a_coin() -> None:
    nobody = Moments(np.arange(9) * DAY_MS, np.ones(9), np.ones(9), np.zeros(9, dtype=np.int64))
    assert coin_share(nobody) == random_share(nobody) == 1


def test_the_coin_has_the_same_moments_and_holds_stay_holds() -> None:
    some = moments(0)
    assert some.coin()[some.side == 0].any() == 0
    assert some.coin()[some.side != 0] == pytest.approx(-0.1)
    assert some.random_moments() == pytest.approx(-0.1 * 2 / 3)
    assert (some.taken() + some.turned())[some.side != 0] == pytest.approx(-0.2)


def test_today_is_not_judged_before_it_is_over() -> None:
    person = stubborn(dice(), 30)
    assert judged(person, 20 * DAY_MS + 5, EDGE).reason == judged(person, 20 * DAY_MS, EDGE).reason
