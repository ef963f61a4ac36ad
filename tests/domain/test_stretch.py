"""A stretch opens the way only as it was sealed, over and with every criterion met; or by its person's act, a week."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.real_money import AHEAD_MS, SMALL_EQUITY, RealGate, real_money_refusal, standings
from lib.domain.reason import NOTHING, Code, Reason
from lib.domain.stretch import (
    DAY_MS,
    LEAST_DAYS,
    LEAST_DECIDED,
    MOST_DAYS,
    OVERRIDE_LIFE_MS,
    PASSED_LIFE_MS,
    Criteria,
    Measured,
    Stretch,
    criteria_text,
    measured_text,
    read_criteria,
    read_measured,
    seal_of,
    stretch_refusal,
    that_counts,
    unmet,
)
from tests.factories import T
from tests.worlds.real import ANSWERING, SHOWN, open_facts, passed

D = Decimal
CRITERIA = Criteria(ANSWERING, LEAST_DAYS, LEAST_DECIDED, 1)


def sealed(one: Stretch) -> Stretch:
    """*one* with the seal of what it says."""
    return replace(one, seal=seal_of(one))


def why(*stretches: Stretch, now: int = T) -> Reason:
    return stretch_refusal(stretches, now, now + AHEAD_MS)


def running() -> Stretch:
    """Sealed, and not over."""
    return replace(passed(), ended_ms=0, measured=None)


def test_passed_as_sealed_it_opens() -> None:
    assert why(passed()) == NOTHING


def test_without_one_nothing_opens() -> None:
    assert why() == codes.REAL_STRETCH_LACKING()


@pytest.mark.parametrize(
    "changed",
    [
        replace(passed(), seal=""),
        replace(passed(), begun_ms=0),
        replace(passed(), criteria=replace(CRITERIA, model="other")),
        replace(passed(), version_id=2),
        replace(passed(), account_id=2),
        replace(passed(), user_id=2),
        replace(passed(), stretch_id=2),
        replace(passed(), begun_ms=passed().begun_ms - DAY_MS),
    ],
)
def test_what_is_not_as_it_was_sealed_opens_nothing(changed: Stretch) -> None:
    assert why(changed) == codes.REAL_STRETCH_UNSEALED()
    assert why(replace(changed, overridden_ms=T - 1)) == codes.REAL_STRETCH_UNSEALED()


@pytest.mark.parametrize(
    "loose",
    [
        replace(CRITERIA, days=LEAST_DAYS - 1),
        replace(CRITERIA, days=MOST_DAYS + 1),
        replace(CRITERIA, decided=LEAST_DECIDED - 1),
        replace(CRITERIA, tries=0),
    ],
)
def test_criteria_looser_than_the_floors_are_none_however_well_sealed(loose: Criteria) -> None:
    assert not loose.is_lawful
    assert why(sealed(replace(passed(), criteria=loose))) == codes.REAL_STRETCH_UNSEALED()


def test_it_has_to_be_over_and_judged_after_its_last_day() -> None:
    assert why(running()) == codes.REAL_STRETCH_RUNNING(days=1)
    young = sealed(replace(running(), begun_ms=T - T % DAY_MS))
    assert why(young, now=young.begun_ms + 1) == codes.REAL_STRETCH_RUNNING(days=14)
    assert why(replace(passed(), ended_ms=passed().until_ms - 1)) == codes.REAL_STRETCH_UNSEALED()
    assert why(replace(passed(), ended_ms=passed().until_ms)) == NOTHING


@pytest.mark.parametrize("field", ["begun_ms", "ended_ms", "overridden_ms"])
def test_rows_dated_ahead_are_no_evidence(field: str) -> None:
    for late, opens in ((T + AHEAD_MS, True), (T + AHEAD_MS + 1, False)):
        ahead = sealed(replace(passed(), **{field: late}))  # type: ignore[arg-type]
        shut = field == "begun_ms" or not opens
        assert why(ahead) == (codes.REAL_STRETCH_UNSEALED() if shut else NOTHING)


def test_evidence_grows_old() -> None:
    ended = passed().ended_ms
    assert why(passed(), now=ended + PASSED_LIFE_MS) == NOTHING
    assert why(passed(), now=ended + PASSED_LIFE_MS + 1) == codes.REAL_STRETCH_OLD()


def test_an_override_opens_for_a_week_and_no_longer() -> None:
    done = replace(running(), overridden_ms=T)
    assert why(done, now=T + OVERRIDE_LIFE_MS) == NOTHING
    assert why(done, now=T + OVERRIDE_LIFE_MS + 1) == codes.REAL_STRETCH_RUNNING(days=1)
    failed = replace(passed(), measured=replace(SHOWN, coin=D(0)), overridden_ms=T)
    assert why(failed) == NOTHING
    assert why(failed, now=T + OVERRIDE_LIFE_MS + 1) == codes.STRETCH_COIN(low=D(0))


def test_the_newest_that_is_over_counts_and_one_that_runs_takes_nothing_away() -> None:
    young = replace(running(), stretch_id=9)
    failed = sealed(replace(passed(), stretch_id=5, measured=replace(SHOWN, broken=1)))
    assert that_counts([young, passed()]) == passed()
    assert why(young, failed, passed()) == codes.STRETCH_BROKEN(count=1)
    assert that_counts([young]) == young
    assert that_counts([]) is None


# --- every criterion by itself ---------------------------------------------------------------------------------------

MISSED: tuple[tuple[dict[str, object], Code], ...] = (
    ({"days": 13}, codes.STRETCH_FEW_DAYS),
    ({"decided": 99}, codes.STRETCH_FEW),
    ({"coin": D(0)}, codes.STRETCH_COIN),
    ({"moments": D("-0.1")}, codes.STRETCH_MOMENTS),
    ({"hold": D(0)}, codes.STRETCH_HOLD),
    ({"coin": None}, codes.STRETCH_UNTOLD),
    ({"moments": None}, codes.STRETCH_UNTOLD),
    ({"hold": None}, codes.STRETCH_UNTOLD),
    ({"skill": None}, codes.STRETCH_UNTOLD),
    ({"skill": D("-0.001")}, codes.STRETCH_UNCALIBRATED),
    ({"broken": 1}, codes.STRETCH_BROKEN),
    ({"differing": 1}, codes.STRETCH_BOOKS),
)


@pytest.mark.parametrize(("changes", "code"), MISSED)
def test_each_criterion_fails_by_itself(changes: dict[str, object], code: Code) -> None:
    measured = replace(SHOWN, **changes)  # type: ignore[arg-type]
    [missed] = unmet(CRITERIA, measured)
    assert code.is_of(missed)
    assert why(replace(passed(), measured=measured)) == missed


def test_at_the_very_criteria_it_passes() -> None:
    least = D("0.00000001")
    assert unmet(CRITERIA, Measured(LEAST_DAYS, LEAST_DECIDED, least, least, least, D(0), 0, 0)) == ()


SHARES = st.none() | st.decimals(-1, 1, places=6)
FEW = st.integers(0, 9)
MEASURED = st.builds(Measured, st.integers(0, 400), st.integers(0, 10_000), *[SHARES] * 4, FEW, FEW)


@given(MEASURED)
def test_what_is_kept_is_read_back(measured: Measured) -> None:
    assert read_measured(measured_text(measured)) == measured


@given(MEASURED, st.integers(LEAST_DAYS, MOST_DAYS), st.integers(LEAST_DECIDED, 9_999), st.integers(1, 9))
def test_stricter_criteria_are_never_easier(measured: Measured, days: int, decided: int, tries: int) -> None:
    strict = Criteria("m", days, decided, tries)
    assert strict.is_lawful
    assert read_criteria(criteria_text(strict)) == strict
    assert bool(unmet(strict, measured)) >= bool(unmet(CRITERIA, measured))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"coin":"NaN"}', measured_text(SHOWN).replace('"0.0002"', '"inf"')])
def test_what_cannot_be_read_raises(text: str) -> None:
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        read_measured(text)


# --- among the gates -------------------------------------------------------------------------------------------------


def gate(**changes: object) -> Reason:
    found = standings(replace(open_facts(), **changes))  # type: ignore[arg-type]
    return next(each.why for each in found if each.gate is RealGate.EVIDENCE)


def test_the_gate_only_ever_adds_a_refusal() -> None:
    facts = open_facts()
    assert real_money_refusal(facts) == NOTHING
    assert real_money_refusal(replace(facts, stretches=())) == codes.REAL_STRETCH_LACKING()
    for closed in (replace(facts, has_consent=False), replace(facts, cap=None), replace(facts, trades=0)):
        assert real_money_refusal(closed)
        assert real_money_refusal(replace(closed, stretches=()))


def test_a_cap_beyond_a_small_one_wants_a_stretch_with_real_money() -> None:
    cap = open_facts().cap
    assert cap is not None
    rehearsed = (passed(on_real=False),)
    small, large = replace(cap, equity=SMALL_EQUITY), replace(cap, equity=SMALL_EQUITY + D("0.01"))
    assert gate(stretches=rehearsed, cap=small) == gate(stretches=rehearsed, cap=None) == NOTHING
    assert gate(stretches=rehearsed, cap=large) == codes.REAL_STRETCH_SMALL(most=SMALL_EQUITY)
    assert gate(stretches=(*rehearsed, passed(stretch_id=1)), cap=large) == NOTHING


def test_what_cannot_be_read_is_closed() -> None:
    assert gate(unreadable=frozenset({RealGate.EVIDENCE})) == codes.REAL_UNREADABLE()


def test_a_decision_rests_on_evidence_of_the_model_that_made_it() -> None:
    """One failed under another model takes nothing away, one passed under another gives nothing."""
    failed = replace(passed(stretch_id=2, model="other"), measured=replace(SHOWN, coin=D(-1)))
    both = replace(open_facts(), stretches=(passed(), failed))
    assert real_money_refusal(replace(both, answered=ANSWERING)) == NOTHING
    assert codes.STRETCH_COIN.is_of(real_money_refusal(replace(both, answered="other")))
    assert real_money_refusal(replace(both, answered="third")) == codes.REAL_STRETCH_MODEL(model="third")
    assert real_money_refusal(replace(both, answered="")) == codes.REAL_STRETCH_MODEL(model="?")
    assert real_money_refusal(replace(both, stretches=(), answered="")) == codes.REAL_STRETCH_LACKING()


def test_a_large_cap_waits_for_real_money_of_the_same_model() -> None:
    large = replace(open_facts(), answered=ANSWERING)
    elsewhere = replace(large, stretches=(passed(on_real=False), passed(stretch_id=2, model="other")))
    assert real_money_refusal(large) == NOTHING
    assert codes.REAL_STRETCH_SMALL.is_of(real_money_refusal(elsewhere))
