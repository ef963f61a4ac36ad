"""Bybit v5 JSON in its documented shapes, read strictly into our values."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.rest.order_wire import fill, order_body, order_record
from lib.adapters.bybit.rest.wire import (
    Envelope,
    decode_envelope,
    instrument_from,
    margin_from,
    number,
    parsed,
    plain,
    position_from,
    ticker_from,
    wallet_from,
)
from lib.adapters.bybit.signing import signature, signed_headers
from lib.domain.api_key import ApiKey
from lib.domain.errors import Pause, Retry
from lib.domain.order import OrderState
from lib.domain.position import ZERO
from lib.ports.market import NotListed
from tests.factories import order

KEY = ApiKey("KEYabc", "SECRETxyz")


def envelope(*rows: Any, time: int = 1_671_017_382_656) -> Envelope:
    body = {"retCode": 0, "retMsg": "OK", "result": {"list": list(rows)}, "retExtInfo": {}, "time": time}
    return decode_envelope(json.dumps(body).encode())


# --- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain_text", "signed"),
    [
        (
            "1700000000000KEYabc5000category=linear&symbol=BTCUSDT",
            "6b34768d99c56905b2e6b05dc197a2368252b1a433107c89c79c8eb530de0995",
        ),
        (
            '1700000000000KEYabc5000{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market",'
            '"qty":"0.001","orderLinkId":"t-1"}',
            "3926d74ae24d94c7752092e9363406bcc25cf9608b4aa80a626d122d6c657fc5",
        ),
        ("GET/realtime1700000001000", "5f6bfc7e042ece710ff7be527af599d7642746ec40fc3ae8f58d2ce6824b5632"),
    ],
)
def test_a_signature_is_the_pinned_hmac_of_the_exact_text(plain_text: str, signed: str) -> None:
    assert signature("SECRETxyz", plain_text.encode()) == signed


def test_headers_sign_time_key_window_and_payload_in_that_order() -> None:
    headers = signed_headers(KEY, 1_700_000_000_000, b"category=linear&symbol=BTCUSDT")
    assert headers == {
        "X-BAPI-API-KEY": "KEYabc",
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "6b34768d99c56905b2e6b05dc197a2368252b1a433107c89c79c8eb530de0995",
    }


# --- envelope and numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"[]", b'{"retCode":"0","time":1}', b'{"retCode":0}', b"{"])
def test_what_is_not_an_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a Bybit"):
        decode_envelope(body)


@pytest.mark.parametrize("value", [1.5, 1, "NaN", "Infinity", "1e400", " 1", "1_0", "", None, "x" * 50, True])
def test_a_number_that_is_not_a_plain_string_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="qty"):
        number({"qty": value}, "qty")


def test_an_unreadable_answer_is_retry_because_it_proves_nothing() -> None:
    with pytest.raises(Retry, match="venue_answer_bad"):
        parsed(envelope({"symbol": "BTCUSDT", "size": "1", "side": "Up"}), lambda e: position_from(e, "BTCUSDT"))


@given(st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False))
def test_a_decimal_leaves_without_exponent_and_comes_back_exactly(value: Decimal) -> None:
    sent = plain(value)
    assert "E" not in sent
    assert Decimal(sent) == value


# --- wallet and position ---------------------------------------------------------------------------------------------

COIN = {
    "coin": "USDT", "equity": "1010.5", "usdValue": "1010.1", "walletBalance": "1000.25", "locked": "1",
    "totalOrderIM": "20.5", "totalPositionIM": "100", "totalPositionMM": "5", "unrealisedPnl": "10.25", "bonus": "3",
    "marginCollateral": True, "collateralSwitch": True, "availableToWithdraw": "", "borrowAmount": "0",
}  # fmt: skip


def test_available_is_cash_less_margins_locked_and_bonus_under_isolated_margin() -> None:
    wallet = wallet_from(envelope({"accountType": "UNIFIED", "totalAvailableBalance": "", "coin": [COIN]}))
    assert wallet.balance == Decimal("1000.25")
    assert wallet.equity == Decimal("1010.5")
    assert wallet.available == Decimal("875.75")
    assert wallet.seen_at == 1_671_017_382_656


@pytest.mark.parametrize("rows", [[], [{"coin": []}], [{"coin": [{"coin": "BTC", "equity": "1"}]}]])
def test_an_account_without_usdt_has_zeros(rows: list[Any]) -> None:
    wallet = wallet_from(envelope(*rows))
    assert (wallet.balance, wallet.equity, wallet.available) == (ZERO, ZERO, ZERO)


def test_blank_wallet_fields_count_as_zero() -> None:
    blank = {**COIN, "totalOrderIM": "", "bonus": "", "locked": "", "equity": ""}
    wallet = wallet_from(envelope({"coin": [blank]}))
    assert (wallet.available, wallet.equity) == (Decimal("900.25"), ZERO)


POSITION = {
    "positionIdx": 0, "riskId": 1, "riskLimitValue": "2000000", "symbol": "BTCUSDT", "side": "Buy", "size": "0.012",
    "avgPrice": "60000.5", "positionValue": "720.006", "tradeMode": 0, "positionStatus": "Normal", "leverage": "10",
    "markPrice": "60100", "liqPrice": "54300", "takeProfit": "63000.0", "stopLoss": "58800.0", "trailingStop": "0",
    "unrealisedPnl": "1.194", "curRealisedPnl": "-0.4", "isReduceOnly": False, "seq": 5, "updatedTime": "1671017382000",
}  # fmt: skip


def test_a_position_is_signed_and_carries_its_stop() -> None:
    position = position_from(envelope(POSITION), "BTCUSDT")
    assert position.qty == Decimal("0.012")
    assert (position.stop_loss, position.take_profit) == (Decimal("58800.0"), Decimal("63000.0"))
    assert (position.avg_entry_price, position.leverage) == (Decimal("60000.5"), Decimal(10))
    assert position.seen_at == 1_671_017_382_656
    assert position_from(envelope({**POSITION, "side": "Sell"}), "BTCUSDT").qty == Decimal("-0.012")


@pytest.mark.parametrize("none", ["", "0", "0.00"])
def test_no_stop_is_zero_however_the_venue_spells_it(none: str) -> None:
    assert position_from(envelope({**POSITION, "stopLoss": none}), "BTCUSDT").stop_loss == 0


def test_a_flat_row_is_flat_and_keeps_its_leverage() -> None:
    flat = {**POSITION, "side": "", "size": "0", "avgPrice": "", "stopLoss": "", "unrealisedPnl": "", "leverage": "7"}
    position = position_from(envelope(flat), "BTCUSDT")
    assert position.is_flat
    assert position.leverage == 7


def test_an_open_hedge_position_pauses_the_account() -> None:
    with pytest.raises(Pause, match="switch_to_one_way"):
        position_from(envelope({**POSITION, "positionIdx": 2}), "BTCUSDT")


# --- instrument and ticker -------------------------------------------------------------------------------------------

INSTRUMENT = {
    "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "priceScale": "2",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001", "postOnlyMaxOrderQty": "1190.000",
        "maxMktOrderQty": "500.000", "minNotionalValue": "5",
    },
}  # fmt: skip


def test_an_instrument_is_its_filters() -> None:
    found = instrument_from(envelope(INSTRUMENT), "BTCUSDT")
    assert (found.tick_size, found.qty_step, found.min_qty) == (Decimal("0.10"), Decimal("0.001"), Decimal("0.001"))
    assert (found.max_market_qty, found.min_notional, found.max_leverage) == (Decimal(500), Decimal(5), Decimal(100))
    assert found.trading
    assert not instrument_from(envelope({**INSTRUMENT, "status": "Closed"}), "BTCUSDT").trading


def test_a_symbol_the_venue_does_not_list_is_that_symbols_trouble() -> None:
    with pytest.raises(NotListed, match="DOGEBTC"):
        instrument_from(envelope(), "DOGEBTC")


def test_a_ticker_needs_positive_prices() -> None:
    row = {"symbol": "BTCUSDT", "lastPrice": "60000.1", "markPrice": "60001.2"}
    assert ticker_from(envelope(row), "BTCUSDT").mark == Decimal("60001.2")
    with pytest.raises(ValueError, match="lastPrice"):
        ticker_from(envelope({**row, "lastPrice": "0"}), "BTCUSDT")


# --- orders ----------------------------------------------------------------------------------------------------------

ORDER = {
    "orderId": "fd4300ae-7847-404e-b947-b46980a4d140", "orderLinkId": "mmt3st-a-1-1-e0", "parentOrderLinkId": "",
    "symbol": "BTCUSDT", "price": "60180.00", "qty": "0.010", "side": "Buy", "positionIdx": 0, "orderStatus": "Filled",
    "createType": "CreateByUser", "cancelType": "UNKNOWN", "rejectReason": "EC_NoError", "avgPrice": "60001.5",
    "leavesQty": "0.000", "cumExecQty": "0.010", "cumExecValue": "600.015", "cumExecFee": "0.33000825",
    "cumFeeDetail": {"USDT": "0.33000825"}, "timeInForce": "IOC", "orderType": "Limit", "stopOrderType": "",
    "triggerPrice": "", "takeProfit": "63000.00", "stopLoss": "58800.00", "reduceOnly": False, "closeOnTrigger": False,
    "createdTime": "1684738540559", "updatedTime": "1684738540561",
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("New", "0", None),
        ("PartiallyFilled", "0.004", None),
        ("Untriggered", "0", None),
        ("Triggered", "0", None),
        ("Filled", "0.010", OrderState.FILLED),
        ("Cancelled", "0", OrderState.CANCELLED),
        ("Cancelled", "", OrderState.CANCELLED),
        ("Cancelled", "0.004", OrderState.PARTIAL),
        ("PartiallyFilledCanceled", "0.004", OrderState.PARTIAL),
        ("Deactivated", "0", OrderState.CANCELLED),
        ("Rejected", "0", OrderState.REJECTED),
    ],
)
def test_an_order_status_is_open_or_one_verdict(status: str, filled: str, state: OrderState | None) -> None:
    assert order_record({**ORDER, "orderStatus": status, "cumExecQty": filled}).state is state


def test_nobody_guesses_an_unknown_status() -> None:
    with pytest.raises(ValueError, match="unknown order status"):
        order_record({**ORDER, "orderStatus": "Teleported"})


def test_an_order_row_keeps_every_number_exactly() -> None:
    record = order_record(ORDER)
    assert (record.qty, record.filled_qty) == (Decimal("0.010"), Decimal("0.010"))
    assert (record.avg_price, record.fee) == (Decimal("60001.5"), Decimal("0.33000825"))
    assert (record.side, record.created_ms, record.is_child) == ("buy", 1_684_738_540_559, False)


def test_the_fee_falls_back_to_the_deprecated_field() -> None:
    assert order_record({**ORDER, "cumFeeDetail": None}).fee == Decimal("0.33000825")
    assert order_record({**ORDER, "cumFeeDetail": "", "cumExecFee": ""}).fee == 0


def test_a_stop_of_ours_is_known_by_its_parent() -> None:
    stop = {
        **ORDER, "orderLinkId": "", "parentOrderLinkId": "mmt3st-a-1-1-e0", "stopOrderType": "StopLoss",
        "createType": "CreateByStopLoss", "orderStatus": "Untriggered", "reduceOnly": True, "side": "Sell",
        "cumExecQty": "0", "avgPrice": "",
    }  # fmt: skip
    record = order_record(stop)
    assert (record.is_child, record.parent_link_id, record.state) == (True, "mmt3st-a-1-1-e0", None)


EXECUTION = {
    "symbol": "BTCUSDT", "orderId": "fd4300ae", "orderLinkId": "mmt3st-a-1-1-e0", "side": "Buy", "orderPrice": "60180",
    "orderQty": "0.010", "leavesQty": "0", "createType": "CreateByUser", "stopOrderType": "UNKNOWN",
    "execFee": "0.33", "execId": "e0cbe81d", "execPrice": "60000", "execQty": "0.010", "execType": "Trade",
    "execValue": "600", "execTime": "1672282722429", "feeCurrency": "", "isMaker": False, "feeRate": "0.00055",
    "markPrice": "60001", "closedSize": "", "seq": 4688002127,
}  # fmt: skip


@pytest.mark.parametrize(
    ("exec_type", "stop_type", "kind", "is_stop"),
    [
        ("Trade", "UNKNOWN", "trade", False),
        ("Trade", "StopLoss", "trade", True),
        ("Trade", "TakeProfit", "trade", False),
        ("BustTrade", "UNKNOWN", "liquidation", True),
        ("AdlTrade", "UNKNOWN", "adl", False),
        ("Settle", "UNKNOWN", "other", False),
    ],
)
def test_an_execution_has_a_kind(exec_type: str, stop_type: str, kind: str, is_stop: bool) -> None:
    found = fill({**EXECUTION, "execType": exec_type, "stopOrderType": stop_type})
    assert (found.kind, found.is_stop, found.qty) == (kind, is_stop, Decimal("0.010"))


def test_funding_costs_money_and_moves_no_quantity() -> None:
    row = {
        **EXECUTION,
        "execType": "Funding",
        "orderType": "UNKNOWN",
        "orderLinkId": "",
        "execFee": "-0.06",
        "side": "",
    }
    found = fill(row)
    assert (found.kind, found.qty, found.fee) == ("funding", ZERO, Decimal("-0.06"))


def test_an_entry_is_an_ioc_limit_with_its_stop_inside() -> None:
    body = json.loads(order_body(order(take_profit=Decimal("63000.0"))))
    assert body == {
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.010",
        "timeInForce": "IOC", "positionIdx": 0, "orderLinkId": order().order_link_id, "reduceOnly": False,
        "price": "60180", "stopLoss": "58800", "slTriggerBy": "MarkPrice", "slOrderType": "Market", "tpslMode": "Full",
        "takeProfit": "63000.0", "tpTriggerBy": "MarkPrice", "tpOrderType": "Market",
    }  # fmt: skip


def test_an_exit_is_a_reduce_only_market_order_without_stop_fields() -> None:
    body = json.loads(order_body(order("x", "sell")))
    assert (body["orderType"], body["reduceOnly"], body["side"]) == ("Market", True, "Sell")
    assert not {"price", "stopLoss", "takeProfit", "tpslMode"} & body.keys()


@pytest.mark.parametrize("changes", [{"stop_loss": ZERO}, {"limit_price": ZERO}, {"qty": None}, {"qty": ZERO}])
def test_an_entry_without_stop_price_or_quantity_is_never_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="signed with"):
        order_body(order(**changes))


@pytest.mark.parametrize("result", [{}, {"marginMode": "NEW_MARGIN"}, {"marginMode": 3}])
def test_a_margin_mode_nobody_knows_is_no_answer(result: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"marginMode|margin mode"):
        margin_from(Envelope(0, 1, result=result))
