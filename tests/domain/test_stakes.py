"""At stake over an account's symbols: an entry that no longer fits is not written down, its exit still is."""

from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.books import OF_SYMBOL, RunningBooks
from lib.domain.order import OrderDraft, OrderState
from lib.domain.reason import NOTHING
from lib.domain.risk import AccountPlan, fitted
from lib.domain.stakes import Ceiling, Stake, coming_stake, held_stake
from tests.factories import order

CEILING = Ceiling(2, Decimal(10_000), Decimal(3_000), Decimal(1))
ENTRY = OrderDraft(
    "e", "buy", Decimal("0.1"), Decimal(60_180), Decimal(60_000), Decimal(58_800), Decimal(63_000), 5, False
)
EXIT = OrderDraft("x", "buy", Decimal("0.1"), Decimal(60_180), Decimal(60_000), Decimal(0), Decimal(0), 5, True)
ENTERS = AccountPlan("bought", NOTHING, (ENTRY,), ceiling=CEILING)


def held(symbol: str, notional: int, margin: int) -> Stake:
    return Stake(symbol, Decimal(notional), Decimal(margin))


@pytest.mark.parametrize("others", [(), (held("ETHUSDT", 3_000, 600),), (held("ETHUSDT", -9_000, 1_000),)])
def test_an_entry_that_fits_beside_the_others_is_written_as_it_was_planned(others: tuple[Stake, ...]) -> None:
    assert fitted(ENTERS, others) == ENTERS


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ((held("ETHUSDT", 1, 1), held("XRPUSDT", 1, 1)), codes.POSITIONS_FULL(open=2, limit=2)),
        ((held("ETHUSDT", 5_000, 1_000),), codes.EXPOSURE_FULL(exposure=Decimal(5_000), limit=Decimal(10_000))),
        ((held("ETHUSDT", -5_000, 2_500),), codes.EXPOSURE_FULL(exposure=Decimal(0), limit=Decimal(10_000))),
    ],
    ids=["places", "exposure of one direction", "margin of both"],
)
def test_an_entry_that_another_process_left_no_room_for_is_refused_with_the_reason(
    others: tuple[Stake, ...], why: object
) -> None:
    refused = fitted(ENTERS, others)
    assert (refused.outcome, refused.reason, refused.orders) == ("refused", why, ())


def test_a_flip_without_room_for_its_entry_still_closes() -> None:
    flip = AccountPlan("bought", NOTHING, (EXIT, ENTRY), ceiling=CEILING)
    closed = fitted(flip, (held("ETHUSDT", 9_000, 100),))
    why = codes.EXPOSURE_FULL(exposure=Decimal(9_000), limit=Decimal(10_000))
    assert (closed.outcome, closed.orders) == ("closed", (EXIT,))
    assert closed.reason == codes.CLOSED_NOT_TURNED(why=why)


@pytest.mark.parametrize("plan", [AccountPlan("closed", NOTHING, (EXIT,)), AccountPlan("held", NOTHING)])
def test_what_enters_nothing_is_asked_nothing(plan: AccountPlan) -> None:
    assert fitted(plan, (held("ETHUSDT", 90_000, 9_000), held("XRPUSDT", 1, 1))) == plan


def test_a_position_is_at_stake_at_its_average_with_the_margin_of_its_entrys_leverage() -> None:
    assert held_stake("ETHUSDT", Decimal(-2), Decimal(3_000), 5) == held("ETHUSDT", -6_000, 1_200)
    assert held_stake("ETHUSDT", Decimal(2), Decimal(3_000), 0) == held("ETHUSDT", 6_000, 6_000)


def test_an_entry_on_its_way_is_at_stake_at_the_dearer_price_and_what_ended_or_only_closes_is_not() -> None:
    dearer = Decimal("0.010") * 60_180
    assert coming_stake(order()) == Stake("BTCUSDT", dearer, dearer / 5, is_held=False)
    assert coming_stake(order(side="sell")) == Stake("BTCUSDT", -dearer, dearer / 5, is_held=False)
    assert coming_stake(order(qty=None)) == Stake("BTCUSDT", Decimal(0), Decimal(0), is_held=False)
    assert coming_stake(order(state=OrderState.FILLED)) is None
    assert coming_stake(order("x")) is None


def test_books_are_a_symbols_and_an_accounts_and_nothing_is_both() -> None:
    books = RunningBooks(Decimal(10_000), position_qty=Decimal(1))
    assert books.of_symbol.keys() == set(OF_SYMBOL)
    assert books.of_account.keys().isdisjoint(books.of_symbol)
    assert RunningBooks(**books.of_account, **books.of_symbol) == books
