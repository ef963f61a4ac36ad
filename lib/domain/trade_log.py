"""
The log row a person reads about one T: status and outcome, derived from the plan and the states of its orders.

The same transaction that moves an order moves its log, through this one pure function, so the two never disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.order import IN_FLIGHT, OrderState
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import Outcome

Status = Literal["success", "failed", "pending"]

NEVER_SENT = frozenset({OrderState.EXPIRED, OrderState.BLOCKED})


@dataclass(frozen=True, slots=True)
class Leg:
    """The part of an order that a summary needs."""

    reduce_only: bool
    state: OrderState
    filled_qty: Decimal
    why: Reason


@dataclass(frozen=True, slots=True)
class Summary:
    """Columns `status`, `outcome` and `error_message` of a log row."""

    status: Status
    outcome: Outcome
    message: Reason


def summarise(planned: Outcome, reason: Reason, legs: Sequence[Leg]) -> Summary:
    """The log of a plan whose success would read *planned*, given its orders as they are now."""
    if not legs:
        return Summary("success", planned, reason)
    if any(leg.state is OrderState.NEEDS_HUMAN for leg in legs):
        return Summary("failed", "unresolved", codes.NO_PROOF_WITHIN_A_DAY())
    if any(leg.state in IN_FLIGHT for leg in legs):
        return Summary("pending", "unresolved", reason)
    if any(leg.state is OrderState.PLANNED for leg in legs):
        return Summary("pending", planned, reason)
    return _ended(planned, reason, legs)


def _ended(planned: Outcome, reason: Reason, legs: Sequence[Leg]) -> Summary:
    entries = [leg for leg in legs if not leg.reduce_only]
    exits = [leg for leg in legs if leg.reduce_only]
    if any(leg.filled_qty > 0 for leg in entries):
        return Summary("success", planned, reason)
    if any(leg.state is OrderState.FILLED for leg in exits):
        unmade = next((leg.why for leg in entries), NOTHING)
        return Summary("success", "closed", codes.NOT_TURNED(reason=reason, why=unmade) if unmade else reason)
    # an exit that failed, or filled in part only, is not excused by an entry that was then never sent
    failed = next((leg for leg in legs if leg.state not in NEVER_SENT), None)
    if failed is None:
        return Summary("success", "refused", legs[0].why)
    return Summary("failed", "failed", codes.ORDER_ENDED(state=failed.state.value.lower(), why=failed.why))
