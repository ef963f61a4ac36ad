"""Running books: exact sums after every execution and transfer, round trips and their streak, stops and the peak."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.books import Charge, Fill, RunningBooks, Transfer, book_fill, book_transfer, paid_in, summed
from lib.domain.day import DAY_MS, midnight_after, midnight_before, utc_day
from lib.domain.position import Side
from tests.factories import SYMBOL, T, fill

ZERO = Decimal(0)
START = RunningBooks(Decimal(10_000), opened_ms=1, peak_equity=Decimal(10_000))


def booked(before: RunningBooks, *rows: Fill | Transfer) -> RunningBooks:
    """The books after all *rows*."""
    for row in rows:
        before = book_fill(before, row)[0] if isinstance(row, Fill) else book_transfer(before, row)
    return before


def trade(side: Side, qty: str, price: str, fee: str = "0", **changes: Any) -> Fill:
    return replace(fill("x", side, qty, price, fee=Decimal(fee)), **changes)


def test_a_fee_leaves_the_balance_and_funding_comes_with_its_sign() -> None:
    funding = fill("f", "buy", "0", "60000", "funding", fee=Decimal("-1.5"))
    after = booked(START, trade("buy", "0.1", "60000", "3.3"), funding)
    assert (after.fees, after.funding, after.balance) == (Decimal("3.3"), Decimal("1.5"), Decimal("9998.2"))


def test_an_execution_without_quantity_costs_its_fee_and_moves_nothing() -> None:
    after, realised = book_fill(START, trade("buy", "0", "60000", "2", kind="other"))
    assert (after.fees, after.position_qty, realised) == (Decimal(2), ZERO, ZERO)


def test_a_stop_is_dated_by_the_newest_one() -> None:
    stop = trade("sell", "0.1", "59000", is_stop=True, at_ms=T)
    after = booked(START, trade("buy", "0.2", "60000"), stop, replace(stop, at_ms=T - 5))
    assert after.last_stop_ms == T


@pytest.mark.parametrize(
    ("trades", "results"),
    [
        ([("buy", "1", "100"), ("sell", "1", "90")], 1),
        ([("buy", "1", "100"), ("sell", "1", "90"), ("buy", "1", "100"), ("sell", "1", "90")], 2),
        ([("sell", "1", "100"), ("buy", "2", "110")], 1),  # through zero: the round ended, another began
        ([("buy", "2", "100"), ("sell", "1", "90")], 0),  # not over yet
        ([("buy", "1", "100"), ("sell", "1", "90"), ("buy", "1", "100"), ("sell", "1", "120")], 0),
    ],
)
def test_losing_round_trips_in_a_row_are_counted(trades: Sequence[tuple[Side, str, str]], results: int) -> None:
    after = booked(START, *(trade(*row) for row in trades))
    assert (after.loss_streak, after.streak_on(after.last_fill_ms)) == (results, results)
    assert after.streak_on(after.last_fill_ms + DAY_MS) == 0


def test_a_round_trip_that_brought_nothing_neither_ends_nor_lengthens_a_streak() -> None:
    lost = booked(START, trade("buy", "1", "100"), trade("sell", "1", "90"))
    assert booked(lost, trade("buy", "1", "100"), trade("sell", "1", "100")).loss_streak == 1


def test_a_partial_close_carries_its_result_into_the_end_of_the_round() -> None:
    half = booked(START, trade("buy", "2", "100"), trade("sell", "1", "90", "1"))
    assert half.round_result == -11
    assert booked(half, trade("sell", "1", "105")).loss_streak == 1


def test_paying_in_moves_balance_and_peak_and_is_no_gain() -> None:
    after = booked(START, Transfer("1", "deposit", Decimal(1_000), T), Transfer("2", "other", Decimal(-300), T - 9))
    assert (after.balance, after.peak_equity, after.last_transfer_ms) == (Decimal(10_700), Decimal(10_700), T)
    assert paid_in(after.start_balance, after.transfers) == after.balance


def test_charges_of_one_kind_and_coin_are_summed_and_worth_what_is_known_of_all() -> None:
    def charge(kind: str, coin: str, amount: int, worth: int | None) -> Charge:
        return Charge(kind, coin, Decimal(amount), None if worth is None else Decimal(worth))

    parts = [charge("trading", "MNT", 1, 2), charge("GST", "USDT", 3, 3), charge("trading", "MNT", 4, 8)]
    assert summed(parts) == (charge("trading", "MNT", 5, 10), charge("GST", "USDT", 3, 3))
    for more in (charge("trading", "MNT", 1, None), charge("trading", "MNT", 1, 2)):
        assert summed([charge("trading", "MNT", 1, None), more]) == (charge("trading", "MNT", 2, None),)
    assert summed([charge("GST", "USDT", 3, 3), charge("GST", "USDT", 3, None)])[0].worth is None
    assert summed([]) == ()


AMOUNTS = st.integers(-(10**10), 10**10).map(lambda n: Decimal(n) / 10**8)
QUANTITIES = st.integers(1, 999).map(lambda n: Decimal(n) / 1_000)
TRADES = st.builds(
    lambda side, qty, price, fee: fill("t", side, qty, price, fee=fee),
    st.sampled_from(["buy", "sell"]),
    QUANTITIES,
    st.integers(1, 90_000),
    AMOUNTS,
)
FUNDINGS = AMOUNTS.map(lambda fee: fill("f", "buy", "0", "60000", "funding", fee=fee))
TRANSFERS = AMOUNTS.map(lambda amount: Transfer("1", "other", amount, T))


@given(st.lists(TRADES | FUNDINGS | TRANSFERS, max_size=30))
def test_the_balance_is_what_every_row_did_to_the_wallet(rows: list[Fill | Transfer]) -> None:
    wallet, books = START.balance, START
    for row in rows:
        if isinstance(row, Transfer):
            books, wallet = book_transfer(books, row), wallet + row.amount
        else:
            books, realised = book_fill(books, row)
            wallet += realised - row.fee
    assert books.balance == wallet
    shown = books.books(SYMBOL)
    assert (shown.balance, shown.position, shown.transfers) == (wallet, books.position(SYMBOL), books.transfers)


@given(st.integers(0, 4 * 10**12))
def test_a_day_is_between_its_two_midnights(at_ms: int) -> None:
    assert midnight_before(at_ms) <= at_ms < midnight_after(at_ms) == midnight_before(at_ms) + DAY_MS
    assert utc_day(midnight_before(at_ms)) == utc_day(at_ms) == utc_day(midnight_after(at_ms)) - 1
