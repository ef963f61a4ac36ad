"""Demo trading is switched on after a stretch on paper that passed, or by its person's word for a week; never else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.demo_step import DemoFacts, demo_refusal
from lib.domain.real_money import AHEAD_MS
from lib.domain.reason import NOTHING
from lib.domain.stretch import OVERRIDE_LIFE_MS, PASSED_LIFE_MS, stretch_refusal
from lib.domain.venues import CAPABILITIES
from tests.factories import T
from tests.worlds.real import passed

PASSED = passed(on_real=False)
RUNNING = replace(PASSED, ended_ms=0, measured=None)
FAILED = replace(PASSED, criteria=replace(PASSED.criteria, days=30))


def test_a_passed_stretch_on_paper_opens_it_for_as_long_as_evidence_is_fresh() -> None:
    assert demo_refusal(DemoFacts(T, [PASSED])) == NOTHING
    last = PASSED.ended_ms + PASSED_LIFE_MS
    assert demo_refusal(DemoFacts(last, [PASSED])) == NOTHING
    assert demo_refusal(DemoFacts(last + 1, [PASSED])) == codes.REAL_STRETCH_OLD()


def test_without_a_stretch_or_where_it_cannot_be_read_nothing_is_switched_on() -> None:
    assert demo_refusal(DemoFacts(T, [])) == codes.DEMO_STRETCH_LACKING()
    assert demo_refusal(DemoFacts(T, None)) == codes.DEMO_STRETCH_UNREADABLE()


def test_one_that_runs_or_is_not_as_it_was_sealed_opens_nothing() -> None:
    assert codes.REAL_STRETCH_RUNNING.is_of(demo_refusal(DemoFacts(T, [RUNNING])))
    assert demo_refusal(DemoFacts(T, [FAILED])) == codes.REAL_STRETCH_UNSEALED()


@pytest.mark.parametrize("stretches", [None, [], [RUNNING], [FAILED]])
def test_who_does_without_is_let_on_for_a_week_and_a_word_from_the_future_is_none(stretches: list[object]) -> None:
    def refusal(now: int) -> object:
        return demo_refusal(DemoFacts(now, stretches, overridden_ms=T))  # type: ignore[arg-type]

    assert refusal(T) == refusal(T + OVERRIDE_LIFE_MS) == refusal(T - AHEAD_MS) == NOTHING
    assert refusal(T + OVERRIDE_LIFE_MS + 1)
    assert refusal(T - AHEAD_MS - 1)


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.lists(st.sampled_from([PASSED, RUNNING, FAILED]), max_size=3))
def test_it_is_open_by_the_law_of_every_stretch_or_by_a_standing_word_and_by_nothing_else(
    now: int, word: int, stretches: list[object]
) -> None:
    facts = DemoFacts(now, stretches, word)  # type: ignore[arg-type]
    by_evidence = bool(stretches) and not stretch_refusal(facts.stretches or [], now, now + AHEAD_MS)
    assert (demo_refusal(facts) == NOTHING) == (facts.does_without or by_evidence)


def test_demo_trading_alone_waits_for_paper() -> None:
    """The testnet is a deployment of its own without paper, and real money has gates of its own."""
    assert [venue for venue, row in CAPABILITIES.items() if row.waits_for_paper] == ["demo"]
