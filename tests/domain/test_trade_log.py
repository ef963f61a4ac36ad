"""What a person reads: success means it ended as planned, refusals included; a doubt or a failure never is one."""

from decimal import Decimal
from itertools import product

import pytest

from lib.domain import reason_codes as codes
from lib.domain.order import IN_FLIGHT, TERMINAL, OrderState
from lib.domain.reason import NOTHING, Reason, text
from lib.domain.risk import Outcome
from lib.domain.trade_log import Leg, Status, Summary, summarise

S = OrderState
HUMAN = codes.NO_PROOF_WITHIN_A_DAY()
OPEN = IN_FLIGHT | {S.PLANNED, S.NEEDS_HUMAN}


def leg(state: OrderState, *, reduce_only: bool = False, why: Reason = NOTHING) -> Leg:
    """A leg in *state*, filled as that state implies."""
    filled = {S.FILLED: "0.010", S.PARTIAL: "0.004"}.get(state, "0")
    return Leg(reduce_only, state, Decimal(filled), why)


@pytest.mark.parametrize("outcome", ["held", "kept", "refused", "skipped"])
def test_a_plan_without_orders_ended_as_planned(outcome: Outcome) -> None:
    assert summarise(outcome, text("no view"), []) == Summary("success", outcome, text("no view"))


ALONE: dict[OrderState, tuple[Status, Outcome, Outcome]] = {
    S.PLANNED: ("pending", "bought", "closed"),
    S.SUBMITTING: ("pending", "unresolved", "unresolved"),
    S.ACCEPTED: ("pending", "unresolved", "unresolved"),
    S.UNKNOWN: ("pending", "unresolved", "unresolved"),
    S.NEEDS_HUMAN: ("failed", "unresolved", "unresolved"),
    S.FILLED: ("success", "bought", "closed"),
    S.CANCELLED: ("failed", "failed", "failed"),
    S.REJECTED: ("failed", "failed", "failed"),
    S.ABSENT: ("failed", "failed", "failed"),
    S.EXPIRED: ("success", "refused", "refused"),
    S.BLOCKED: ("success", "refused", "refused"),
}
"""One order's state: status, outcome of an entry, outcome of an exit. PARTIAL is below: there the two differ."""


@pytest.mark.parametrize("state", ALONE)
def test_a_single_order_in_each_state(state: OrderState) -> None:
    status, bought, closed = ALONE[state]
    entry = summarise("bought", text("trend"), [leg(state, why=text("w"))])
    exit_ = summarise("closed", text("turn"), [leg(state, reduce_only=True, why=text("w"))])
    assert (entry.status, entry.outcome) == (status, bought)
    assert (exit_.status, exit_.outcome) == (status, closed)


def test_every_state_is_in_the_table() -> None:
    assert set(ALONE) | {S.PARTIAL} == set(S)


def test_a_partial_entry_is_an_entry_but_a_partial_exit_did_not_close() -> None:
    assert summarise("sold", text("trend"), [leg(S.PARTIAL)]) == Summary("success", "sold", text("trend"))
    assert summarise("closed", text("turn"), [leg(S.PARTIAL, reduce_only=True, why=text("thin book"))]) == Summary(
        "failed", "failed", codes.ORDER_ENDED(state="partial", why=text("thin book"))
    )


@pytest.mark.parametrize("state", [S.EXPIRED, S.BLOCKED])
def test_a_refusal_at_the_claim_says_why_instead_of_the_plans_reason(state: OrderState) -> None:
    assert (
        summarise("bought", text("trend"), [leg(state, why=codes.AUTO_TRADING_OFF())]).message
        == codes.AUTO_TRADING_OFF()
    )


@pytest.mark.parametrize("state", [S.CANCELLED, S.REJECTED, S.ABSENT])
def test_a_failure_names_its_state_and_reason(state: OrderState) -> None:
    found = summarise("bought", text("trend"), [leg(state, why=text("price moved"))])
    assert found == Summary("failed", "failed", codes.ORDER_ENDED(state=state.value.lower(), why=text("price moved")))


def test_a_cancelled_entry_that_filled_in_part_is_an_entry() -> None:
    assert summarise("bought", text("trend"), [Leg(False, S.CANCELLED, Decimal("0.001"), NOTHING)]).outcome == "bought"


def flip(exit_: OrderState, entry: OrderState) -> Summary:
    return summarise(
        "sold", text("turn"), [leg(exit_, reduce_only=True, why=text("exit why")), leg(entry, why=text("entry why"))]
    )


EVERY_FLIP = list(product(S, S))


@pytest.mark.parametrize(("exit_", "entry"), EVERY_FLIP)
def test_a_flip_in_every_pair_of_states(exit_: OrderState, entry: OrderState) -> None:
    assert flip(exit_, entry) == expected_flip(exit_, entry)


def expected_flip(exit_: OrderState, entry: OrderState) -> Summary:
    pair = {exit_, entry}
    if pair & OPEN:
        return open_flip(pair)
    if entry in (S.FILLED, S.PARTIAL):
        return Summary("success", "sold", text("turn"))
    if exit_ is S.FILLED:
        return Summary("success", "closed", codes.NOT_TURNED(reason=text("turn"), why=text("entry why")))
    if pair <= {S.EXPIRED, S.BLOCKED}:
        return Summary("success", "refused", text("exit why"))
    if exit_ in (S.EXPIRED, S.BLOCKED):
        return Summary("failed", "failed", codes.ORDER_ENDED(state=entry.value.lower(), why=text("entry why")))
    return Summary("failed", "failed", codes.ORDER_ENDED(state=exit_.value.lower(), why=text("exit why")))


def open_flip(pair: set[OrderState]) -> Summary:
    if S.NEEDS_HUMAN in pair:
        return Summary("failed", "unresolved", HUMAN)
    return Summary("pending", "unresolved" if pair & IN_FLIGHT else "sold", text("turn"))


def test_a_row_is_pending_exactly_while_an_order_is_open_and_nobody_was_called() -> None:
    for exit_, entry in EVERY_FLIP:
        ended = exit_ in TERMINAL and entry in TERMINAL
        called = S.NEEDS_HUMAN in (exit_, entry)
        assert (flip(exit_, entry).status == "pending") is (not ended and not called)


def test_an_exit_that_failed_is_not_excused_by_the_entry_that_then_expired() -> None:
    for exit_, entry in product([S.REJECTED, S.CANCELLED, S.ABSENT, S.PARTIAL], [S.EXPIRED, S.BLOCKED]):
        assert flip(exit_, entry).status == "failed"


def test_a_second_close_that_filled_makes_good_a_first_that_did_not() -> None:
    legs = [leg(S.PARTIAL, reduce_only=True), leg(S.FILLED, reduce_only=True)]
    assert summarise("closed", text("turn"), legs) == Summary("success", "closed", text("turn"))
