"""What every ledger decides alike about an order's row: what it refuses, and what it leaves to the caller."""

from decimal import Decimal
from typing import Any

import pytest

from lib.domain.errors import Skip
from lib.domain.exchange_records import SignedOrder
from lib.domain.order import Order, OrderState
from lib.domain.order_rules import MAX_SEQ, check_move, free_seq, our_orphan, rule_claim, sizable
from lib.domain.sizing import Sizing
from tests.factories import INSTALLATION, T, claim_facts, order, order_record, trader_account

S = OrderState


def signed(row: Order, at: int = T + 4_000) -> SignedOrder:
    """Bytes of *row*."""
    return SignedOrder(row.order_link_id, b"{}", {}, at, "ab" * 32)


def sizing(qty: str) -> Sizing:
    """A size of *qty*."""
    return Sizing(Decimal(qty), 5, Decimal(60_180), Decimal(58_800), Decimal(63_000))


def test_bytes_of_another_order_claim_nothing() -> None:
    row = order()
    with pytest.raises(ValueError, match="claim"):
        rule_claim(row, row, signed(order("x", "sell")), claim_facts())


@pytest.mark.parametrize("change", [{"qty": None}, {"qty": Decimal(1)}, {"stop_loss": Decimal(1)}, {"leverage": 9}])
def test_a_row_of_other_terms_than_the_bytes_is_not_claimed(change: dict[str, Any]) -> None:
    claim = rule_claim(order(**change), order(), signed(order()), claim_facts())
    assert (claim.granted, claim.state) == (False, S.PLANNED)


def test_an_entry_is_ruled_as_an_entry_and_an_exit_as_an_exit() -> None:
    off = claim_facts(trading_enabled=False)
    for row in (order(), order("x", "sell")):
        assert rule_claim(row, row, signed(row), off).granted == row.reduce_only, "no switch stops an exit"
        assert rule_claim(row, row, signed(row), claim_facts()).granted


def test_a_move_the_machine_never_allows_is_the_callers_mistake() -> None:
    check_move(order(), S.EXPIRED)
    with pytest.raises(ValueError, match="may not become"):
        check_move(order(state=S.FILLED, attempts=1), S.PLANNED)


def test_seqs_are_counted_up_until_a_link_id_can_hold_no_more() -> None:
    assert free_seq([]) == 0
    assert free_seq([order("x", "sell", seq=3), order("x", "sell", seq=1)]) == 4
    with pytest.raises(Skip):
        free_seq([order("x", "sell", seq=MAX_SEQ)])


def test_only_an_entry_that_was_never_sent_is_sized_and_never_to_nothing() -> None:
    assert sizable(order(qty=None), sizing("0.01"))
    assert not sizable(order(attempts=1), sizing("0.01"))
    assert not sizable(order(state=S.EXPIRED), sizing("0.01"))
    assert not sizable(order("x", "sell"), sizing("0.01"))
    with pytest.raises(ValueError, match="sized to something"):
        sizable(order(), sizing("0"))


def test_an_orphan_is_ours_only_by_installation_account_and_symbol() -> None:
    account, row = trader_account(), order()
    assert our_orphan(INSTALLATION, account, order_record(row)) is not None
    assert our_orphan("another", account, order_record(row)) is None
    assert our_orphan(INSTALLATION, trader_account(2), order_record(row)) is None
    assert our_orphan(INSTALLATION, account, order_record(row, symbol="ETHUSDT")) is None
    assert our_orphan(INSTALLATION, account, order_record(row, order_link_id="by hand")) is None
