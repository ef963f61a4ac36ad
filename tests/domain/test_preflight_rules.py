"""What an acceptance card makes of each answer."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.domain import preflight_rules as rules
from lib.domain import reason_codes as codes
from lib.domain.api_key import KeyInfo
from lib.domain.exchange_records import OrderRecord
from lib.domain.order import Order, OrderState, parse_link_id
from lib.domain.position import Position, Side
from lib.domain.preflight import (
    ASKS,
    NOT_ASKED,
    ORDER_CARDS,
    READ_CARDS,
    Card,
    CardResult,
    Intent,
    PreflightRun,
    card_order,
    not_asked,
    preflight_link,
)
from lib.domain.preflight_rules import Found
from lib.domain.reason import NOTHING
from lib.domain.venues import CAPABILITIES
from tests.factories import SYMBOL, T, instrument

D = Decimal
DAY = rules.DAY_MS
QTY, PRICE = D("0.001"), D(60_000)
SENT = Intent("pft-1-e0", SYMBOL, "buy", QTY, False, T, T)


def info(**changes: Any) -> KeyInfo:
    sound = KeyInfo(
        uid="1", may_trade=True, may_withdraw=False, may_transfer=False, read_only=False, unified=True,
        bound_ips=("192.0.2.1",), expires_at=0,
    )  # fmt: skip
    return replace(sound, **changes)


def entry(side: Side = "buy") -> Order:
    prices = (D("60180"), D("58800"), D("62400")) if side == "buy" else (D("59820"), D("61200"), D("57600"))
    return card_order("testnet", "1", replace(SENT, side=side), *prices)


def record(**changes: Any) -> OrderRecord:
    filled = OrderRecord(
        order_id="1", order_link_id=SENT.link, parent_link_id="", symbol=SYMBOL, side="buy", state=OrderState.FILLED,
        qty=QTY, filled_qty=QTY, avg_price=PRICE, fee=D(0), reduce_only=False, is_child=False, reject_reason="",
        created_ms=T,
    )  # fmt: skip
    return replace(filled, **changes)


def held(**changes: Any) -> Position:
    stands = Position(SYMBOL, QTY, PRICE, D(2), D("58800"), D("62400"))
    return replace(stands, **changes)


@pytest.mark.parametrize(
    ("before", "venue", "after", "off"),
    [(0, 50, 100, 0), (0, 0, 100, 0), (0, 100, 100, 0), (2_000, 0, 2_100, 2_000), (0, 3_100, 100, 3_000)],
)
def test_a_clock_is_off_by_what_the_way_cannot_explain(before: int, venue: int, after: int, off: int) -> None:
    assert rules.clock_off(before, venue, after) == off


def test_a_clock_may_be_off_as_far_as_a_claim_allows() -> None:
    assert rules.judge_clock(1_000) == Found(True, codes.CARD_CLOCK_AGREES(off=1_000))
    assert rules.judge_clock(1_001) == Found(False, codes.CARD_CLOCK_OFF(off=1_001, most=1_000))


@pytest.mark.parametrize(
    ("changes", "venue", "found"),
    [
        ({}, "mainnet", Found(True, codes.CARD_KEY_LASTS(bound=1))),
        ({"expires_at": T + 7 * DAY}, "testnet", Found(True, codes.CARD_KEY_EXPIRES(bound=1, days=7))),
        ({"expires_at": T + 7 * DAY - 1}, "testnet", Found(False, codes.CARD_KEY_TOO_SHORT(days=6, least=7))),
        ({"bound_ips": ()}, "testnet", Found(True, codes.CARD_KEY_LASTS(bound=0))),
        ({"bound_ips": ()}, "mainnet", Found(False, codes.CARD_KEY_UNBOUND())),
    ],
)
def test_a_key_lasts_a_week_and_is_bound_where_money_is_real(changes: Any, venue: Any, found: Found) -> None:
    assert rules.judge_key(info(**changes), NOTHING, CAPABILITIES[venue], T) == found


def test_what_our_rule_of_keys_refuses_the_card_refuses() -> None:
    found = rules.judge_key(info(), codes.KEY_WITHDRAWS(), CAPABILITIES["demo"], T)
    assert found == Found(False, codes.KEY_WITHDRAWS())


@pytest.mark.parametrize(
    ("mode", "venue", "found"),
    [
        ("isolated", "mainnet", Found(True, codes.CARD_MODES_FIT())),
        ("cross", "mainnet", Found(False, codes.CROSS_MARGIN())),
        ("cross", "demo", Found(True, codes.CARD_MODES_TAKEN_ON())),
        ("portfolio", "demo", Found(False, codes.PORTFOLIO_MARGIN())),
    ],
)
def test_cross_margin_is_taken_on_only_where_it_cannot_be_changed(mode: Any, venue: Any, found: Found) -> None:
    assert rules.judge_margin(mode, CAPABILITIES[venue]) == found


def test_hedge_mode_fails() -> None:
    assert rules.judge_position_mode(Position(SYMBOL)).passed
    assert rules.judge_position_mode(Position(SYMBOL, one_way=False)) == Found(False, codes.HEDGE_MODE())


def test_the_smallest_order_is_worth_the_least_notional_with_room() -> None:
    assert rules.smallest_qty(instrument(), PRICE) == QTY
    assert rules.smallest_qty(instrument(), D(1_000)) == D("0.006"), "0.005 would be exactly 5 USDT"


def test_a_halted_symbol_fails() -> None:
    assert rules.judge_instrument(instrument(), PRICE) == Found(
        True, codes.CARD_FILTERS(qty=QTY, value=D(60), tick=D("0.1"))
    )
    assert not rules.judge_instrument(instrument(trading=False), PRICE).passed


def test_a_fee_above_a_tenth_of_a_percent_fails_and_the_coin_is_named_where_known() -> None:
    assert rules.judge_fee(D("0.001"), ()) == Found(True, codes.CARD_FEE_RATE(rate=D("0.001")))
    assert rules.judge_fee(D("0.0005"), ("MNT",)).got == codes.CARD_FEE_PAID_IN(rate=D("0.0005"), coin="MNT")
    assert not rules.judge_fee(D("0.0011"), ()).passed


def test_the_least_equity_is_the_margin_of_the_smallest_order_and_a_fifth() -> None:
    needed = rules.least_equity(instrument(), PRICE)
    assert needed == D(36)
    assert rules.judge_equity(needed, needed).passed
    assert not rules.judge_equity(needed - D("0.01"), needed).passed


def test_the_cards_trade_only_where_nothing_stands() -> None:
    assert rules.judge_quiet(Position(SYMBOL), 0).passed
    assert not rules.judge_quiet(Position(SYMBOL), 1).passed
    assert not rules.judge_quiet(held(), 0).passed


def test_leverage_is_read_back() -> None:
    assert rules.judge_leverage(Position(SYMBOL, leverage=D(2))).passed
    assert not rules.judge_leverage(Position(SYMBOL, leverage=D(10))).passed


def test_an_order_is_ended_by_a_filled_record_alone() -> None:
    assert rules.unended(record()) == NOTHING
    assert rules.unended(None) == rules.unended(record(state=None)) == codes.CARD_END_UNKNOWN()
    assert rules.unended(record(state=OrderState.REJECTED)) == codes.CARD_NOT_FILLED(state="rejected")


def test_an_entry_equals_what_was_sent_on_both_sides() -> None:
    assert rules.judge_entry(entry(), record(), held()).passed
    short = held(qty=-QTY, stop_loss=D(61_200), take_profit=D(57_600))
    assert rules.judge_entry(entry("sell"), record(side="sell"), short).passed


@pytest.mark.parametrize(
    ("changes", "position", "field"),
    [
        ({"side": "sell"}, {}, "side"),
        ({"filled_qty": D("0.002")}, {}, "qty"),
        ({}, {"qty": D("0.002")}, "qty"),
        ({"avg_price": D("60180.1")}, {}, "price"),
        ({}, {"stop_loss": D(0)}, "stop_loss"),
        ({}, {"take_profit": D("62400.1")}, "take_profit"),
        ({}, {"leverage": D(10)}, "leverage"),
    ],
)
def test_each_field_that_differs_is_named(changes: Any, position: Any, field: str) -> None:
    found = rules.judge_entry(entry(), record(**changes), held(**position))
    assert found == Found(False, codes.CARD_FIELDS_DIFFER(fields=field))


def test_a_short_filled_below_its_limit_is_named() -> None:
    short = held(qty=-QTY, stop_loss=D(61_200), take_profit=D(57_600))
    found = rules.judge_entry(entry("sell"), record(side="sell", avg_price=D("59819.9")), short)
    assert found.got == codes.CARD_FIELDS_DIFFER(fields="price")


def test_a_twin_must_change_nothing() -> None:
    assert rules.judge_twin(held(), held(), QTY, QTY).passed
    assert not rules.judge_twin(held(), held(qty=2 * QTY), QTY, QTY).passed
    assert not rules.judge_twin(held(), held(), 2 * QTY, QTY).passed


def test_a_wrong_stop_must_change_nothing() -> None:
    assert rules.judge_wrong_stop(False, held(), held()).passed
    assert not rules.judge_wrong_stop(True, held(), held()).passed
    assert not rules.judge_wrong_stop(False, held(), held(stop_loss=D(61_000))).passed
    assert not rules.judge_wrong_stop(False, held(), held(qty=D(0))).passed


def test_a_moved_stop_is_read_back() -> None:
    assert rules.judge_moved_stop(D(59_000), held(stop_loss=D(59_000))).passed
    assert not rules.judge_moved_stop(D(59_000), held()).passed


def test_a_close_leaves_nothing() -> None:
    assert rules.judge_close(record(), Position(SYMBOL), 0).passed
    assert not rules.judge_close(record(), held(), 0).passed
    assert not rules.judge_close(record(), Position(SYMBOL), 1).passed


def test_a_cancelled_order_rested_and_filled_nothing() -> None:
    gone = record(state=OrderState.CANCELLED, filled_qty=D(0))
    assert rules.judge_cancel(True, gone, Position(SYMBOL)).passed
    assert not rules.judge_cancel(False, gone, Position(SYMBOL)).passed
    assert not rules.judge_cancel(True, record(), Position(SYMBOL)).passed
    assert not rules.judge_cancel(True, None, Position(SYMBOL)).passed
    assert not rules.judge_cancel(True, gone, held()).passed


def run(*results: CardResult, host: str = "api-testnet.bybit.com") -> PreflightRun:
    return PreflightRun("testnet", "1", host, "1", SYMBOL, T, results)


def test_every_card_has_its_question_and_its_expectation() -> None:
    assert set(ASKS) == set(Card) == set(READ_CARDS) | set(ORDER_CARDS)
    result = CardResult(Card.CLOCK, True, codes.CARD_CLOCK_AGREES(off=0))
    assert (result.asks, result.expects) == (codes.CARD_CLOCK(), codes.CARD_CLOCK_WANTS())


def test_a_run_passes_by_what_was_asked_of_the_venues_own_host() -> None:
    good = [CardResult(card, True, NOTHING) for card in READ_CARDS]
    assert run(*good).passed(READ_CARDS)
    assert not run(*good).passed((*READ_CARDS, *ORDER_CARDS))
    assert not run(*good[1:]).passed(READ_CARDS)
    assert not run(*good[1:], CardResult(READ_CARDS[0], False, NOTHING)).passed(READ_CARDS)
    assert not run(*good, host="127.0.0.1").passed(READ_CARDS)
    assert not run(*good, host="api.bybit.com.example.org").passed(READ_CARDS)


def test_a_run_of_nothing_is_not_flawless() -> None:
    assert not run().is_flawless
    assert run(CardResult(Card.CLOCK, True, NOTHING)).is_flawless
    assert not run(CardResult(Card.CLOCK, False, NOTHING)).is_flawless


def test_what_was_not_asked_is_said_and_proves_nothing() -> None:
    asked = [CardResult(Card.REGION, False, NOTHING)]
    assert not_asked((Card.REGION, Card.CLOCK), asked) == (CardResult(Card.CLOCK, False, NOT_ASKED),)


def test_an_id_of_a_preflight_is_no_id_of_the_traders() -> None:
    link = preflight_link("abc123", T, "e", 35)
    assert parse_link_id(link) is None
    assert len(link) <= 36
    assert link == preflight_link("abc123", T, "e", 35)
    close = card_order("demo", "1", replace(SENT, reduce_only=True), D(0), D(0), D(0))
    assert (close.leg, close.order_link_id, close.qty) == ("x", SENT.link, QTY)
