"""What an answer proves about an order, and what it does not."""

from decimal import Decimal

import pytest

from lib.domain.books import Fill
from lib.domain.exchange_records import OrderAnswer, OrderRecord
from lib.domain.order import EVIDENCE_LIFE_MS, Order, OrderState
from lib.trading.orders.resolve import proved_verdict
from tests.factories import T, fill, order, order_record

SIGNED = T + 4_000
PROVED = SIGNED + 15_001
TOO_EARLY = SIGNED + 15_000
S = OrderState


def sent(qty: str | None = "0.010") -> Order:
    return order(state=S.UNKNOWN, attempts=1, signed_ts=SIGNED, qty=Decimal(qty) if qty else None)


def verdict(records: list[OrderRecord], fills: list[Fill], time: int, *, now: int | None = None) -> OrderState | None:
    found = proved_verdict(sent(), OrderAnswer(tuple(records), tuple(fills), time), now or time)
    return found.state if found else None


@pytest.mark.parametrize("state", [S.FILLED, S.PARTIAL, S.CANCELLED])
def test_an_exchange_record_is_a_verdict(state: OrderState) -> None:
    assert verdict([order_record(state=state)], [], SIGNED) is state


def test_a_cancelled_record_with_fills_is_partial() -> None:
    assert verdict([order_record(state=S.CANCELLED, filled_qty=Decimal("0.004"))], [], SIGNED) is S.PARTIAL


def test_an_open_record_decides_nothing_however_late() -> None:
    assert verdict([order_record(state=None)], [], PROVED) is None


def test_of_several_records_any_that_was_not_rejected_wins() -> None:
    twin, real = order_record(state=S.REJECTED, order_id="twin"), order_record(state=S.FILLED)
    assert verdict([twin, real], [], SIGNED) is S.FILLED
    assert verdict([real, twin], [], SIGNED) is S.FILLED
    assert verdict([twin, order_record(state=None)], [], PROVED) is None


def test_a_rejected_record_alone_counts_once_its_twin_must_have_been_indexed() -> None:
    rejected = order_record(state=S.REJECTED)
    assert verdict([rejected], [], TOO_EARLY) is None
    assert verdict([rejected], [], PROVED) is S.REJECTED


def test_executions_outweigh_a_rejected_twin() -> None:
    assert verdict([order_record(state=S.REJECTED)], [fill()], SIGNED) is S.FILLED


def test_executions_of_the_whole_prove_it_filled_and_of_a_part_only_once_all_must_be_there() -> None:
    part = fill(qty="0.004")
    assert verdict([], [fill()], SIGNED) is S.FILLED
    assert verdict([], [part], TOO_EARLY) is None
    assert verdict([], [part], PROVED) is S.PARTIAL


def test_sums_of_executions_are_exact() -> None:
    fills = (fill("1", qty="0.004", price="60000"), fill("2", qty="0.006", price="60010"))
    found = proved_verdict(sent(), OrderAnswer((), fills, SIGNED), SIGNED)
    assert found is not None
    assert (found.filled_qty, found.avg_price) == (Decimal("0.010"), Decimal("60006"))
    assert found.fee == fills[0].fee + fills[1].fee


def test_silence_is_absence_only_past_the_receive_window_and_the_index_lag() -> None:
    assert verdict([], [], TOO_EARLY) is None
    assert verdict([], [], PROVED) is S.ABSENT


def test_silence_after_a_day_is_no_proof_at_all() -> None:
    late = SIGNED + EVIDENCE_LIFE_MS + 1
    assert verdict([], [], late) is S.NEEDS_HUMAN
    assert verdict([], [], late - 1) is S.ABSENT
