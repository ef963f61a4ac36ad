"""A grid is every account once; what it came to is the engine's; the best is told by the strictest finding."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.bootstrap.bundled_rules import bundled_rules
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.decision import Decision
from lib.domain.order import CYCLE_MS
from lib.evidence.account import Account, Heard, Opened, Record
from lib.evidence.backtest import times_of
from lib.evidence.desk import Terms
from lib.evidence.grid import LEAST_DAYS, Course, Grid, Tried, choice_of, grown, searched, whole_days
from lib.evidence.series import DAY_MS
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of
from tests.evidence.walks import TICK, wandering

START = Decimal(10_000)
TAPE = Tape("BTCUSDT", wandering(11, 4 * 1440), TICK)
TIMES = times_of(TAPE, 5)


def course(answers: dict[int, Heard]) -> Course:
    """A course over the four days on which every account is answered *answers*."""
    return Course(TAPE, Terms(instrument_of("BTCUSDT")), lambda _: answers, TIMES, START)


def asked(settings: AccountSettings) -> dict[int, Heard]:
    """The bundled rules' answers."""
    ask = bundled_rules(settings, TAPE)
    return {t_ms: ask(t_ms) for t_ms in TIMES}


def made(days: list[float], trips: int = 5, end: Decimal = START) -> Tried:
    """An account with these days."""
    return Tried(f'{{"n":{sum(days)}}}', end, Decimal(0), trips, 2, tuple(days))


def test_a_grid_is_the_product_of_its_choices() -> None:
    grid = Grid(levels=tuple(RiskLevel), leverages=(1, 2, 3), cadences=(5, 60), long_only=(False, True))
    assert len(grid) == len(grid.accounts()) == 36
    assert [one.risk_level for one in grid.accounts().values()][:12] == [RiskLevel.LOW] * 12


def test_two_choices_that_come_to_the_same_account_are_one_try() -> None:
    grid = Grid(levels=(RiskLevel.LOW,), leverages=(3, 10, 25), risks=(None, Decimal("0.005"), Decimal("0.01")))
    assert len(grid) == 9
    assert len(grid.accounts()) == 1


def test_what_no_strategy_may_have_is_no_try() -> None:
    for one in (Grid(time_stops=(1,)), Grid(trails=(Decimal("0.3"),)), Grid(cadences=(7,))):
        with pytest.raises(ValueError, match="no strategy may have"):
            one.accounts()


@given(st.integers(1, 125), st.decimals(0, 1, places=3), st.sampled_from(RiskLevel))
def test_a_choice_is_told_by_what_the_account_may_do(leverage: int, least: Decimal, level: RiskLevel) -> None:
    settings = AccountSettings(level, leverage, min_confidence=least)
    told, profile = json.loads(choice_of(settings)), settings.profile
    assert (told["leverage"], Decimal(told["confidence"])) == (profile.leverage_cap, profile.min_confidence)
    same = replace(settings, max_leverage=profile.leverage_cap, min_confidence=profile.min_confidence)
    assert choice_of(same) == choice_of(settings)


def test_a_run_is_the_engines_own_and_its_days_multiply_to_its_end() -> None:
    settings = AccountSettings(cadence_min=15)
    answers = asked(settings)
    tried = course(answers).run(settings)
    account = Account(TAPE, Terms(instrument_of("BTCUSDT")), Opened(settings, START, TIMES[0] - CYCLE_MS))
    record = account.run([t_ms for t_ms in TIMES if t_ms % 900_000 == 0], answers.get)
    assert tried.end == record.curve[-1] != START
    assert tried.trips == account.desk.books.rounds_won + account.desk.books.rounds_lost > 0
    assert 0 < tried.fall < 1
    days = whole_days(TIMES[0], TIMES[-1])
    assert len(tried.days) == len(days) == 3
    begun, ended = (
        [equity for t, equity in zip(record.times, record.curve, strict=True) if t < at][-1]
        for at in (days.start, days.stop)
    )
    assert float(np.prod([1 + one for one in tried.days])) == pytest.approx(float(ended / begun))


def test_an_account_without_a_cycle_or_with_nothing_left_did_not_grow() -> None:
    hold = Heard(Decision("hold", Decimal("0.6"), 1, "", Decimal(0), Decimal(0)))
    assert course(dict.fromkeys(TIMES, hold)).run(AccountSettings()).days == (0.0, 0.0, 0.0)
    assert course({}).run(AccountSettings()) == Tried(choice_of(AccountSettings()), START, Decimal(0), 0, 0, (0.0,) * 3)
    ruined = Record(times=[0, DAY_MS], curve=[Decimal(0), Decimal(5)])
    assert grown(ruined, START, range(0, 2 * DAY_MS, DAY_MS)) == (-1.0, 0.0)


def test_only_days_that_are_whole_count() -> None:
    assert list(whole_days(1, 3 * DAY_MS)) == [DAY_MS, 2 * DAY_MS]
    assert list(whole_days(0, 2 * DAY_MS - CYCLE_MS)) == [0, DAY_MS]
    assert not whole_days(1, DAY_MS)


def test_the_best_is_judged_by_all_that_was_tried_and_no_fewer() -> None:
    tried = [made([0.01, -0.02, 0.03]), made([0.02, 0.01, 0.03]), made([-0.01, 0.0, 0.0])]
    few, many = searched(tried, 3), searched(tried, 3_000)
    assert few.best is many.best is tried[1]
    assert list(few.sharpes) == sorted(few.sharpes, reverse=True)
    assert many.found.tries == 3_000
    assert many.found.deflated < few.found.deflated
    for wrong, tries in ((tried, 2), ([], 5), ([made([0.1])], 5)):
        with pytest.raises(ValueError):
            searched(wrong, tries)


def worlds(edge: float, count: int = 40, days: int = 120) -> list[Tried]:
    """*count* accounts of luck; the first has an edge beside."""
    values = np.random.default_rng(4).standard_normal((count, days)) / 100
    values[0] += edge
    return [made(row.tolist(), end=START + 1) for row in values]


def test_of_the_worthless_the_best_is_called_luck_and_a_true_best_held() -> None:
    assert searched(worlds(0.0), 40).standing(START) == "luck"
    true = searched(worlds(0.01), 40)
    assert true.standing(START) == "held"
    assert true.ahead is not None
    assert [fold.ahead for fold in true.folds] == [20] * 5
    assert true.ahead == pytest.approx(float(np.prod([1 + fold.grown for fold in true.folds])) - 1)
    assert {fold.choice for fold in true.folds[1:]} == {true.best.choice}


def test_the_strictest_finding_is_the_one_that_is_said() -> None:
    true = searched(worlds(0.01), 40)
    assert replace(true, ranked=(replace(true.best, trips=0),)).standing(START) == "idle"
    assert replace(true, ranked=(replace(true.best, end=START),)).standing(START) == "lost"
    assert replace(true, found=replace(true.found, deflated=0.949)).standing(START) == "luck"
    assert replace(true, found=replace(true.found, overfitted=None)).standing(START) == "unproved"
    assert replace(true, folds=()).standing(START) == "unproved"
    assert replace(true, found=replace(true.found, overfitted=0.5)).standing(START) == "overfitted"
    fallen = tuple(replace(fold, grown=-0.01) for fold in true.folds)
    assert replace(true, folds=fallen).standing(START) == "overfitted"


def test_a_time_too_short_is_not_walked() -> None:
    assert searched(worlds(0.01, days=LEAST_DAYS), 40).ahead is not None
    short = searched(worlds(0.01, days=LEAST_DAYS - 1), 40)
    assert (short.ahead, short.found.overfitted, short.standing(START)) == (None, None, "unproved")
