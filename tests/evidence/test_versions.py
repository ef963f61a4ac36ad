"""Versions beside their baselines and each other: luck is never named, a planted edge is, and too little says so."""

import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.scores import Answered
from lib.evidence.series import DAY_MS
from lib.evidence.spread import LEAST_BLOCKS
from lib.evidence.verdict import LEAST_DECIDED, Baseline
from lib.evidence.versions import ENDED_MS, LEAST_EDGE, MOST_PAIRED, Versions, moments_of, versions, whole_until
from tests.worlds.answers import A_DAY, BEGIN, answers

D = Decimal


def after(days: int) -> int:
    """When everything of so many days has ended."""
    return BEGIN + days * DAY_MS + ENDED_MS


def told(*many: Sequence[Answered], days: int) -> Versions[int]:
    return versions(dict(enumerate(many)), after(days))


def test_a_coin_flipper_is_never_called_better_and_a_planted_edge_is() -> None:
    lucky = [told(answers(60, 0, seed), days=60).judged[0] for seed in range(20)]
    assert not any(one.is_better for one in lucky)
    skilled = told(answers(60, 0.6), days=60).judged[0]
    assert skilled.is_better
    assert skilled.net is not None
    assert skilled.net.low > 0
    assert {one.baseline for one in skilled.against} == set(Baseline)
    assert all(one.beyond.low > 0 for one in skilled.against)


def test_who_is_wrong_more_often_than_chance_is_told_so() -> None:
    found = told(answers(60, -0.6), answers(60), days=60)
    assert codes.EVIDENCE_WORSE_THAN_CHANCE.is_of(found.judged[0].reason)
    assert (found.left, found.winner) == ((1,), None)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_none_one_and_two_answers_have_a_sentence_and_no_figure(count: int) -> None:
    few = answers(2)[:count]
    one = told(few, days=2).judged[0]
    assert codes.EVIDENCE_FEW_DECIDED.is_of(one.reason)
    assert (one.decisions, one.net, one.against, one.calibration) == (count, None, (), None)


def test_no_version_at_all_is_no_error() -> None:
    found: Versions[int] = versions({}, after(1))
    assert (dict(found.judged), found.pairs, found.winner) == ({}, (), None)


def test_who_only_holds_is_never_judged_and_pays_for_its_calls() -> None:
    one = told(answers(60, hold=1), days=60).judged[0]
    assert codes.EVIDENCE_FEW_DECIDED.is_of(one.reason)
    assert (one.longs, one.shorts, one.decisions, one.edge) == (0, 0, 60 * A_DAY, LEAST_EDGE)
    assert answers(1, hold=1)[0].net == D("-0.00001")


def test_few_days_say_how_many_there_must_be_however_many_decisions() -> None:
    crowded = [replace(one, window=f"{n}") for n in range(20) for one in answers(13, 0.9)]
    one = told(crowded, days=13).judged[0]
    assert one.reason == codes.EVIDENCE_FEW_DAYS(days=13, least=LEAST_BLOCKS)
    assert one.longs + one.shorts > LEAST_DECIDED


def test_a_day_in_which_something_may_still_end_is_not_counted() -> None:
    given = answers(30)
    assert told(given, days=20).judged[0].decisions == 20 * A_DAY
    assert whole_until(after(20) - 1) == BEGIN + 19 * DAY_MS
    assert whole_until(after(20)) == BEGIN + 20 * DAY_MS


def test_the_call_is_the_versions_cost_and_no_baselines() -> None:
    dear = [replace(one, call=D("0.001")) for one in answers(60, 0.6)]
    cheap, paid = (told(given, days=60).judged[0] for given in (answers(60, 0.6), dear))
    assert cheap.net is not None
    assert paid.net is not None
    assert cheap.net.mean - paid.net.mean == pytest.approx(0.00099)
    assert [one.mean for one in cheap.against] == [one.mean for one in paid.against]


def test_the_edge_to_look_for_is_what_fees_take_of_a_decision() -> None:
    given = answers(60)
    share = sum(one.side != 0 for one in given) / len(given)
    assert float(told(given, days=60).judged[0].edge) == pytest.approx(share * 0.0011, abs=1e-8)


def test_of_more_versions_each_needs_more() -> None:
    alone = told(answers(60, 0.6), days=60).judged[0].net
    among = told(*[answers(60, 0.6)] * 20, days=60).judged[0].net
    assert alone is not None
    assert among is not None
    assert among.low < alone.low
    assert among.mean == alone.mean


def test_twenty_coin_flippers_on_the_same_candles_have_no_winner_and_a_planted_one_wins() -> None:
    flippers = [answers(60, 0, seed, hold=0) for seed in range(MOST_PAIRED - 1)]
    assert told(*flippers, days=60).winner is None
    found = told(*flippers, answers(60, 0.9, 50, hold=0), days=60)
    assert found.winner == MOST_PAIRED - 1
    assert found.left == (found.winner,)
    many = told(answers(60, 0.9, 50, hold=0), *[answers(60, 0, seed) for seed in range(MOST_PAIRED)], days=60)
    assert many.winner is None, "who was not compared with everybody is no winner"


def test_a_pair_is_of_common_windows_alone() -> None:
    mine = answers(40, 0.9, hold=0)
    theirs = [replace(one, window="ETHUSDT") for one in answers(40, hold=0)]
    assert told(mine, theirs, days=40).pairs == ()
    [pair] = told(mine, theirs[:240] + answers(40, 0, 3, hold=0)[240:], days=40).pairs
    assert (pair.one, pair.other, pair.decisions, pair.days) == (0, 1, 240, 20)
    assert pair.ahead == 0
    assert codes.EVIDENCE_AHEAD.is_of(pair.reason)
    [turned] = told(answers(40, 0, 3, hold=0), mine, days=40).pairs
    assert turned.ahead == 1
    assert turned.beyond is not None
    assert turned.reason.params["low"] == D(f"{-turned.beyond.high:.8f}").quantize(D("1E-6"))


def test_a_pair_that_cannot_be_told_says_what_is_missing() -> None:
    [twins] = told(answers(60, 0, 1), answers(60, 0, 2), days=60).pairs
    assert twins.ahead is None
    assert codes.EVIDENCE_NOT_YET.is_of(twins.reason) or codes.EVIDENCE_NOT_SEEN.is_of(twins.reason)
    [short] = told(answers(9, 0, 1, hold=0), answers(9, 0, 2, hold=0), days=9).pairs
    assert short.reason == codes.EVIDENCE_FEW_DAYS(days=9, least=LEAST_BLOCKS)
    [few] = told(answers(60, hold=1), answers(60, hold=1), days=60).pairs
    assert codes.EVIDENCE_FEW_DECIDED.is_of(few.reason)
    assert few.beyond is None


def test_confidence_that_knows_has_a_skill() -> None:
    found = told(answers(60), days=60).judged[0].calibration
    assert found is not None
    assert found.skill > 0


def test_moments_come_in_order_of_time_with_both_sides() -> None:
    given = answers(2)
    moments = moments_of(given[::-1])
    assert list(moments.t_ms) == [one.t_ms for one in given]
    assert list(moments.taken()) == pytest.approx([float(one.net) for one in given])
    rate = sum(one.side != 0 for one in given) / len(given)
    assert moments.rate() == rate
    assert list(moments.always(-1)) == pytest.approx([float(one.short) * rate for one in given])
    assert moments_of([]).rate() == 0


def test_as_much_as_is_ever_read_is_judged_in_seconds() -> None:
    huge = [replace(one, window=f"{n}") for n in range(25) for one in answers(100, seed=n)]
    began = time.process_time()
    assert told(huge[:15_000], huge[15_000:], days=100).judged[0].decisions == 15_000
    assert time.process_time() - began < 10
