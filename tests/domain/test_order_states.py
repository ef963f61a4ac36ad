"""The order state machine: terminal is final, and once bytes may have left only a query closes a row."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.order import (
    CYCLE_MS,
    EVIDENCE_LIFE_MS,
    IN_FLIGHT,
    INDEX_LAG_MS,
    MAX_AGE_MS,
    MAX_ATTEMPTS,
    MAX_CLOCK_ERROR_MS,
    RECV_WINDOW_MS,
    TERMINAL,
    VERDICTS,
    OrderState,
    SendOutcome,
    absence_proved,
    after_hint,
    may_move,
)
from tests.factories import T

S = OrderState
ENDS = "FILLED PARTIAL CANCELLED REJECTED"
ARROWS = {
    "PLANNED": "SUBMITTING UNKNOWN EXPIRED BLOCKED",
    "SUBMITTING": f"PLANNED ACCEPTED UNKNOWN ABSENT {ENDS}",
    "ACCEPTED": f"UNKNOWN ABSENT {ENDS}",
    "UNKNOWN": f"ACCEPTED ABSENT NEEDS_HUMAN {ENDS}",
    "NEEDS_HUMAN": f"ABSENT EXPIRED BLOCKED {ENDS}",
}
"""The picture in words; what is not named here has no way out."""


@pytest.mark.parametrize("before", S)
@pytest.mark.parametrize("attempts", [0, 1, 2, 3])
def test_the_machine_has_exactly_these_arrows(before: OrderState, attempts: int) -> None:
    allowed = set(ARROWS.get(before, "").split())
    if attempts and before is S.PLANNED:
        allowed -= {"EXPIRED", "BLOCKED"}
    assert {after for after in S if may_move(before, after, attempts)} == allowed


@pytest.mark.parametrize("before", sorted(TERMINAL))
def test_a_final_state_is_final(before: OrderState) -> None:
    assert not any(may_move(before, after, attempts) for after, attempts in product(S, range(4)))


@given(st.lists(st.sampled_from(S), max_size=30), st.integers(0, 3))
def test_once_sent_a_row_never_expires_or_blocks_without_a_person(moves: list[OrderState], attempts: int) -> None:
    state, path = S.PLANNED, [S.PLANNED]
    for wanted in moves:
        if may_move(state, wanted, attempts):
            attempts += wanted is S.SUBMITTING
            state = wanted
            path.append(state)
    assert sum(step in TERMINAL for step in path) <= 1
    if state in (S.EXPIRED, S.BLOCKED) and path[-2] is not S.NEEDS_HUMAN:
        assert attempts == 0
        assert S.SUBMITTING not in path


def test_the_states_fall_into_three_kinds() -> None:
    assert VERDICTS | {S.ABSENT, S.EXPIRED, S.BLOCKED} == TERMINAL
    assert not IN_FLIGHT & TERMINAL
    assert set(S) == TERMINAL | IN_FLIGHT | {S.PLANNED, S.NEEDS_HUMAN}


def test_every_state_in_flight_can_reach_every_verdict_and_absence() -> None:
    for before, after in product(IN_FLIGHT, VERDICTS | {S.ABSENT}):
        assert may_move(before, after, 1)


# --- A reply is a hint ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_an_acknowledgement_is_accepted_and_not_filled(attempts: int) -> None:
    assert after_hint(SendOutcome.ACCEPTED, attempts) is S.ACCEPTED


def test_refused_before_execution_may_be_tried_again_three_times_in_all() -> None:
    early = SendOutcome.REFUSED_EARLY
    assert [after_hint(early, attempts) for attempts in (1, 2, 3, 4)] == [S.PLANNED, S.PLANNED, S.UNKNOWN, S.UNKNOWN]
    assert MAX_ATTEMPTS == 3


@pytest.mark.parametrize("outcome", [SendOutcome.REFUSED, SendOutcome.UNKNOWN])
@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_any_other_reply_and_none_at_all_is_unknown(outcome: SendOutcome, attempts: int) -> None:
    assert after_hint(outcome, attempts) is S.UNKNOWN


@pytest.mark.parametrize("outcome", SendOutcome)
@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_no_reply_closes_a_row_and_every_hint_is_an_arrow(outcome: SendOutcome, attempts: int) -> None:
    hint = after_hint(outcome, attempts)
    assert hint not in TERMINAL
    assert may_move(S.SUBMITTING, hint, attempts)


# --- Absence -------------------------------------------------------------------------------------------------------


def test_the_constants_are_the_protocols() -> None:
    assert (CYCLE_MS, RECV_WINDOW_MS, MAX_AGE_MS, INDEX_LAG_MS) == (300_000, 5_000, 90_000, 10_000)
    assert (MAX_CLOCK_ERROR_MS, MAX_ATTEMPTS, EVIDENCE_LIFE_MS) == (1_000, 3, 86_400_000)


def test_absence_needs_every_answer_past_the_window_and_the_lag() -> None:
    edge = T + 5_000 + 10_000
    assert not absence_proved(T, edge)
    assert absence_proved(T, edge + 1)


@given(st.integers(0, 2**45), st.integers(-60_000, 60_000))
def test_bytes_that_might_still_be_accepted_or_not_yet_indexed_are_never_called_absent(signed: int, late: int) -> None:
    assert absence_proved(signed, signed + late) is (late > RECV_WINDOW_MS + INDEX_LAG_MS)
