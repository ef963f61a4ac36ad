"""Round trips: every sum is the books', whatever the executions were; how a trip ends, and what it risked."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.books import Charge, Fill, FillKind, RunningBooks, book_fill
from lib.domain.position import Side
from lib.domain.round_trips import ENDS, Execution, Intent, RoundTrip, Trips, round_trips
from tests.factories import SYMBOL, T

D = Decimal
ZERO = D(0)
ENTRY = Intent("e", T, 5, D(98), D(106), log_id=7, confidence=D("0.8"))


def booked(fills: list[Fill]) -> tuple[RunningBooks, list[Execution]]:
    """The books after *fills*, and the fills as the ledger wrote them."""
    books, rows = RunningBooks(D(10_000)), []
    for number, fill in enumerate(fills, 1):
        books, realised = book_fill(books, fill)
        rows.append(
            Execution(
                number, fill.at_ms, fill.symbol, fill.side, fill.qty, fill.price, fill.fee, realised, fill.kind,
                fill.is_stop, None, fill.charges,
            )
        )  # fmt: skip
    return books, rows


def row(side: Side, qty: str, price: str, realised: str = "0", fee: str = "0", **changes: Any) -> Execution:
    default = Execution(1, T, SYMBOL, side, D(qty), D(price), D(fee), D(realised), "trade", False)
    return replace(default, **changes)


def only(trips: Trips) -> RoundTrip:
    [trip] = trips.trips
    return trip


AMOUNTS = st.integers(-(10**9), 10**9).map(lambda n: D(n) / 10**8)
KINDS: st.SearchStrategy[FillKind] = st.sampled_from(
    ["trade", "trade", "trade", "liquidation", "adl", "funding", "other"]
)
CHARGES = st.sampled_from(
    [(), (Charge("trading", "MNT", D("2.6"), D("3.1")),), (Charge("GST", "USDT", D("0.05"), D(1)),)]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    fills = []
    for number in range(draw(st.integers(0, 30))):
        kind = draw(KINDS)
        qty = ZERO if kind == "funding" else D(draw(st.integers(0 if kind == "other" else 1, 9))) / 1_000
        fills.append(
            Fill(
                f"e{number}", "o", "", SYMBOL, draw(st.sampled_from(["buy", "sell"])), qty,
                D(draw(st.integers(1, 90_000))), draw(AMOUNTS), kind, ZERO, draw(st.booleans()),
                T + draw(st.integers(-3, 3)) + number * 2, draw(CHARGES),
            )
        )  # fmt: skip
    return fills


@given(histories())
def test_all_trips_together_are_the_books_to_the_last_decimal(fills: list[Fill]) -> None:
    books, rows = booked(fills)
    found = round_trips(rows)
    fees = sum((trip.fees for trip in found.trips), found.loose_fees)
    funding = sum((trip.funding for trip in found.trips), found.loose_funding)
    assert sum((trip.gross for trip in found.trips), ZERO) == books.realised
    assert (fees, funding) == (books.fees, books.funding)
    nets = sum((trip.net for trip in found.trips), found.loose_funding - found.loose_fees)
    assert nets == books.realised - books.fees + books.funding


@given(histories())
def test_the_open_trip_is_the_books_position_and_closed_ones_gave_back_what_they_took(fills: list[Fill]) -> None:
    books, rows = booked(fills)
    found = round_trips(rows)
    assert all(trip.exit_qty == trip.qty and trip.ended in ENDS for trip in found.closed)
    held = sum(((trip.qty - trip.exit_qty) * (1 if trip.is_long else -1) for trip in found.open), ZERO)
    assert held == books.position_qty
    assert len(found.open) == (1 if books.position_qty else 0)
    assert [trip.trip_id for trip in found.trips] == sorted(trip.trip_id for trip in found.trips)


@given(histories())
def test_a_trip_sums_up_to_what_its_prices_say(fills: list[Fill]) -> None:
    _, rows = booked(fills)
    for trip in round_trips(rows).closed:
        sign = 1 if trip.is_long else -1
        # the books keep an average entry to 1e-10; a trip's own prices are exact
        assert abs(trip.gross - (trip.exit_value - trip.entry_value) * sign) <= D("1e-8")


def test_a_position_entered_and_left_in_parts_is_one_trip_with_average_prices() -> None:
    trip = only(
        round_trips(
            [
                row("buy", "1", "100", fee="0.1"),
                row("buy", "3", "104", fee="0.3"),
                row("sell", "2", "110", "14", fee="0.2", at_ms=T + 50),
                row("sell", "2", "106", "6", fee="0.2", at_ms=T + 90),
            ]
        )
    )
    assert (trip.qty, trip.entry_price, trip.exit_price) == (D(4), D(103), D(108))
    assert (trip.gross, trip.fees, trip.net) == (D(20), D("0.8"), D("19.2"))
    assert (trip.opened_ms, trip.closed_ms, trip.duration_ms) == (T, T + 90, 90)


def test_an_execution_through_zero_ends_one_trip_and_begins_the_next_and_shares_its_fee() -> None:
    first, second = round_trips([row("buy", "1", "100"), row("sell", "3", "90", "-10", fee="0.3", fill_id=2)]).trips
    assert (first.closed_ms, first.gross, first.fees) == (T, D(-10), D("0.1"))
    assert (second.is_long, second.qty, second.fees, second.closed_ms) == (False, D(2), D("0.2"), None)
    assert second.exit_price is None
    assert second.duration_ms is None


def test_funding_belongs_to_the_position_that_was_open_when_it_was_paid_however_late_it_is_booked() -> None:
    rows = [
        row("buy", "1", "100", at_ms=T),
        row("sell", "1", "101", "1", at_ms=T + 100),
        row("buy", "1", "100", at_ms=T + 200),
        row("buy", "0", "0", fee="0.5", kind="funding", at_ms=T + 50),
        row("buy", "0", "0", fee="-0.25", kind="funding", at_ms=T + 250),
        row("buy", "0", "0", fee="9", kind="funding", at_ms=T - 1),
        row("buy", "0", "0", fee="0.1", kind="other", at_ms=T - 1),
        row("buy", "0", "0", fee="0.2", kind="other", at_ms=T + 60),
    ]
    found = round_trips(rows)
    assert [trip.funding for trip in found.trips] == [D("-0.5"), D("0.25")]
    assert [trip.fees for trip in found.trips] == [D("0.2"), ZERO]
    assert (found.loose_funding, found.loose_fees) == (D(-9), D("0.1"))


def test_symbols_are_walked_apart() -> None:
    rows = [
        row("buy", "1", "100"),
        row("sell", "2", "50", symbol="ETHUSDT"),
        row("buy", "0", "0", fee="1", kind="funding", symbol="BTCUSDT", at_ms=T + 9),
        row("sell", "1", "110", "10"),
    ]
    btc, eth = round_trips(rows).trips
    assert (btc.net, btc.ended) == (D(9), "hand")
    assert (eth.symbol, eth.is_long, eth.closed_ms, eth.funding) == ("ETHUSDT", False, None, ZERO)


@pytest.mark.parametrize(
    ("closing", "ended"),
    [
        (row("sell", "1", "98", is_stop=True), "stop"),
        (row("sell", "1", "90", kind="liquidation", is_stop=True), "liquidation"),
        (row("sell", "1", "99", kind="adl"), "adl"),
        (row("sell", "1", "106"), "target"),
        (row("sell", "1", "105.7"), "target"),
        (row("sell", "1", "105"), "hand"),
        (row("sell", "1", "104", order=replace(ENTRY, leg="x")), "decision"),
        (row("sell", "1", "104", order=replace(ENTRY, leg="g")), "guardian"),
        (row("sell", "1", "104", order=replace(ENTRY, leg="f")), "flatten"),
        (row("sell", "2", "104", order=ENTRY), "decision"),
    ],
)
def test_why_a_trip_ended(closing: Execution, ended: str) -> None:
    first = round_trips([row("buy", "1", "100", order=ENTRY), closing]).trips[0]
    assert first.ended == ended
    assert first.exit == closing.order


def test_a_shorts_target_lies_below() -> None:
    entry = replace(ENTRY, stop_loss=D(102), take_profit=D(95))
    for price, ended in (("95", "target"), ("95.2", "target"), ("96", "hand")):
        assert only(round_trips([row("sell", "1", "100", order=entry), row("buy", "1", price)])).ended == ended


def test_a_trip_nobody_of_us_entered_has_no_leverage_no_risk_and_no_target() -> None:
    trip = only(round_trips([row("buy", "1", "100"), row("sell", "1", "106", "6")]))
    assert (trip.leverage, trip.on_margin, trip.risk, trip.r_multiple, trip.ended) == (None, None, None, None, "hand")
    bare = replace(ENTRY, leverage=0, stop_loss=ZERO, take_profit=ZERO)
    bare_trip = only(round_trips([row("buy", "1", "100", order=bare), row("sell", "1", "106", "6")]))
    assert (bare_trip.leverage, bare_trip.on_margin, bare_trip.risk, bare_trip.ended) == (None, None, None, "hand")


def test_a_result_is_measured_by_margin_and_by_what_was_risked() -> None:
    trip = only(round_trips([row("buy", "2", "100", order=ENTRY), row("sell", "2", "103", "6", fee="0.5")]))
    assert trip.on_margin == D("5.5") * 5 / 200
    assert (trip.risk, trip.r_multiple) == (D(4), D("1.375"))
    at_stop = replace(ENTRY, stop_loss=D(100))
    assert only(round_trips([row("buy", "2", "100", order=at_stop)])).r_multiple is None


def test_costs_in_other_coins_are_summed_beside_the_result() -> None:
    paid = (Charge("trading", "MNT", D(1), D(2)),)
    trip = only(round_trips([row("buy", "1", "100", charges=paid), row("sell", "1", "101", "1", charges=paid)]))
    assert trip.charges == (Charge("trading", "MNT", D(2), D(4)),)
    assert trip.net == 1
