"""Signed routes: orders, positions, the account, private frames."""

from decimal import Decimal
from typing import Any

import pytest

from lib.domain.venues import CAPABILITIES
from lib.simulator.venue.venue import VenueConfig
from tests.simulator.visitors import Visitor
from tests.worlds.venue import BTC, ScriptedMarket

CREATE, REALTIME, HISTORY = "/v5/order/create", "/v5/order/realtime", "/v5/order/history"
DAY_MS = 86_400_000


def calm(**account: Any) -> Visitor:
    return Visitor(market=ScriptedMarket(["60000"] * 7200), **account)


def test_create_acknowledges_before_matching() -> None:
    visitor = calm()
    answer = visitor.buy(orderLinkId="mm-1", stopLoss="59000", takeProfit="62000", tpslMode="Full")
    assert answer["retCode"] == 0
    assert answer["result"]["orderLinkId"] == "mm-1"
    assert visitor.rows(REALTIME, orderLinkId="mm-1")[0]["orderStatus"] == "New"
    visitor.later(40)
    row = visitor.rows(REALTIME, orderLinkId="mm-1")[0]
    assert (row["orderStatus"], row["cumExecQty"], row["orderId"]) == ("Filled", "0.1", answer["result"]["orderId"])
    assert not any(isinstance(value, float) for value in row.values())


def test_the_children_of_an_entry_are_open_orders_without_a_link_id() -> None:
    visitor = calm()
    visitor.buy(orderLinkId="mm-1", stopLoss="59000", takeProfit="62000", slTriggerBy="MarkPrice")
    visitor.later(100)
    rows = {row["stopOrderType"]: row for row in visitor.rows(REALTIME)}
    assert set(rows) == {"StopLoss", "TakeProfit"}
    stop = rows["StopLoss"]
    assert (stop["orderLinkId"], stop["parentOrderLinkId"], stop["orderStatus"]) == ("", "mm-1", "Untriggered")
    assert (stop["createType"], stop["triggerPrice"], stop["triggerBy"]) == ("CreateByStopLoss", "59000", "MarkPrice")
    assert (stop["side"], stop["qty"], stop["reduceOnly"], stop["closeOnTrigger"]) == ("Sell", "0.1", True, True)
    position = visitor.rows("/v5/position/list")[0]
    assert (position["side"], position["size"], position["stopLoss"], position["takeProfit"]) == (
        "Buy",
        "0.1",
        "59000",
        "62000",
    )


def test_realtime_needs_a_scope_prefers_the_order_id_and_tells_open_from_closed() -> None:
    visitor = calm()
    first = visitor.buy(orderLinkId="mm-1")["result"]["orderId"]
    visitor.buy(orderLinkId="mm-2")
    visitor.later(100)
    resting = visitor.post(CREATE, side="Buy", orderType="Limit", qty="0.1", price="59000", orderLinkId="mm-3")
    visitor.later(100)
    assert visitor.get(REALTIME, symbol="")["retCode"] == 10001
    assert visitor.rows(REALTIME, orderId=first, orderLinkId="mm-2")[0]["orderLinkId"] == "mm-1"
    assert [row["orderId"] for row in visitor.rows(REALTIME)] == [resting["result"]["orderId"]]
    assert [row["orderLinkId"] for row in visitor.rows(REALTIME, openOnly=1)] == ["mm-2", "mm-1"]
    assert [row["orderLinkId"] for row in visitor.rows(HISTORY)] == ["mm-2", "mm-1"]
    assert visitor.rows(REALTIME, orderLinkId="unknown") == []


def test_pages_follow_the_cursor_and_new_rows_do_not_shift_them() -> None:
    visitor = calm()
    for number in range(5):
        visitor.buy("0.01", orderLinkId=f"mm-{number}")
        visitor.later(1000)
    first = visitor.get(HISTORY, limit=2)["result"]
    visitor.buy("0.01", orderLinkId="mm-new")
    visitor.later(1000)
    second = visitor.get(HISTORY, limit=2, cursor=first["nextPageCursor"])["result"]
    third = visitor.get(HISTORY, limit=2, cursor=second["nextPageCursor"])["result"]
    links = [row["orderLinkId"] for part in (first, second, third) for row in part["list"]]
    assert links == ["mm-4", "mm-3", "mm-2", "mm-1", "mm-0"]
    assert third["nextPageCursor"] == ""
    assert visitor.get(HISTORY, cursor="rubbish")["retCode"] == 10001


def test_history_lags_and_forgets_what_never_filled_after_a_day() -> None:
    visitor = Visitor(VenueConfig(ip_limit=None, visible_delay_ms=2_000), ScriptedMarket(["60000"] * 7200))
    visitor.post(CREATE, side="Buy", orderType="Limit", timeInForce="IOC", qty="0.1", price="59000", orderLinkId="mm-1")
    visitor.later(1_900)
    assert visitor.rows(REALTIME, orderLinkId="mm-1") == visitor.rows(HISTORY, orderLinkId="mm-1") == []
    visitor.later(200)
    assert visitor.rows(HISTORY, orderLinkId="mm-1")[0]["rejectReason"] == "EC_NoImmediateQtyToFill"
    visitor.later(DAY_MS)
    assert visitor.rows(HISTORY, orderLinkId="mm-1") == []
    assert visitor.get(HISTORY, startTime=1, endTime=8 * DAY_MS)["retCode"] == 10001


def test_executions_carry_fee_rate_and_what_they_closed() -> None:
    visitor = calm()
    visitor.buy(orderLinkId="mm-1")
    visitor.later(100)
    visitor.post(CREATE, side="Sell", orderType="Market", qty="0.1", reduceOnly=True, orderLinkId="mm-2")
    visitor.later(100)
    closing, opening = visitor.rows("/v5/execution/list")
    assert (opening["orderLinkId"], opening["execType"], opening["feeRate"]) == ("mm-1", "Trade", "0.00055")
    assert Decimal(opening["execFee"]) == Decimal(opening["execValue"]) * Decimal("0.00055")
    assert (closing["closedSize"], opening["closedSize"], closing["isMaker"]) == ("0.1", "0", False)
    assert visitor.rows("/v5/execution/list", orderLinkId="mm-2") == [closing]
    profit = visitor.rows("/v5/position/closed-pnl")[0]
    assert Decimal(profit["closedPnl"]) == Decimal(closing["execValue"]) - Decimal(opening["execValue"]) - Decimal(
        opening["execFee"]
    ) - Decimal(closing["execFee"])
    assert profit["side"] == "Sell"


def test_the_wallet_adds_up_and_the_ledger_explains_it() -> None:
    visitor = calm(balance="5000")
    visitor.buy()
    visitor.later(100)
    coin = visitor.get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]["coin"][0]
    log = visitor.rows("/v5/account/transaction-log")
    assert [row["type"] for row in log] == ["TRADE", "TRANSFER_IN"]
    assert sum(Decimal(row["change"]) for row in log) == Decimal(coin["walletBalance"])
    assert log[0]["cashBalance"] == coin["walletBalance"]
    assert Decimal(coin["equity"]) == Decimal(coin["walletBalance"]) + Decimal(coin["unrealisedPnl"])
    position = visitor.rows("/v5/position/list")[0]
    assert position["positionIM"] == coin["totalPositionIM"]
    assert position["leverage"] == "10"


def test_an_empty_account_shows_no_coin() -> None:
    wallet = calm(balance="0").get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
    assert wallet["coin"] == []


def test_a_flat_position_is_a_row_with_a_symbol_and_none_without() -> None:
    visitor = calm()
    row = visitor.rows("/v5/position/list")[0]
    assert (row["side"], row["size"], row["positionIdx"], row["liqPrice"]) == ("", "0", 0, "")
    assert visitor.rows("/v5/position/list", symbol="", settleCoin="USDT") == []
    assert visitor.get("/v5/position/list", symbol="")["retCode"] == 10001
    visitor.buy()
    visitor.later(100)
    assert visitor.rows("/v5/position/list", symbol="", settleCoin="USDT")[0]["size"] == "0.1"


def test_leverage_and_modes_answer_as_bybit_does() -> None:
    visitor = calm()
    lever = "/v5/position/set-leverage"
    assert visitor.post(lever, buyLeverage="5", sellLeverage="5")["retCode"] == 0
    assert visitor.post(lever, buyLeverage="5", sellLeverage="5")["retCode"] == 110043
    assert visitor.post(lever, buyLeverage="5", sellLeverage="6")["retCode"] == 10001
    assert visitor.post(lever, buyLeverage="101", sellLeverage="101")["retCode"] == 110013
    assert visitor.rows("/v5/position/symbol-info")[0] == {
        "symbol": BTC,
        "leverage": "5",
        "side": "",
        "positionIdx": 0,
    }
    assert visitor.post("/v5/position/switch-mode", mode=0)["retCode"] == 110025
    visitor.buy()
    assert visitor.post("/v5/position/switch-mode", mode=3)["retCode"] == 110028
    visitor.later(100)
    assert visitor.post("/v5/position/switch-mode", mode=3)["retCode"] == 110024
    assert visitor.post("/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")["result"] == {"reasons": []}
    assert visitor.get("/v5/account/info")["result"]["marginMode"] == "ISOLATED_MARGIN"
    assert visitor.rows("/v5/account/fee-rate")[0]["takerFeeRate"] == "0.00055"


def test_trading_stop_sets_keeps_and_refuses() -> None:
    visitor = calm()
    path = "/v5/position/trading-stop"
    whole = {"tpslMode": "Full", "positionIdx": 0}
    assert visitor.post(path, stopLoss="59000", **whole)["retCode"] == 10001
    visitor.buy(takeProfit="62000")
    visitor.later(100)
    assert visitor.post(path, stopLoss="59000", **whole)["retCode"] == 0
    assert visitor.post(path, stopLoss="59000", **whole)["retCode"] == 34040
    assert visitor.post(path, stopLoss="61000", **whole)["retCode"] == 10001
    position = visitor.rows("/v5/position/list")[0]
    assert (position["stopLoss"], position["takeProfit"]) == ("59000", "62000")
    assert visitor.post(path, stopLoss="0", takeProfit="0", **whole)["retCode"] == 0
    assert visitor.rows(REALTIME) == []


def test_the_paper_venue_is_what_its_row_says() -> None:
    visitor, paper = calm(), CAPABILITIES["paper"]
    visitor.buy(stopLoss="59000", orderLinkId="mm-1")
    visitor.later(100)
    stops = visitor.rows("/v5/position/list")[0]["stopLoss"]
    assert (stops == "59000") is paper.has_stop_inside_entry
    twice = visitor.buy(stopLoss="59000", orderLinkId="mm-1")
    assert (twice["retCode"] == 110072) is paper.has_idempotent_ids
    visitor.post("/v5/position/trading-stop", trailingStop="500", tpslMode="Full", positionIdx=0)
    assert (visitor.rows("/v5/position/list")[0]["trailingStop"] == "500") is paper.has_trailing_stop


def test_cancel_and_cancel_all() -> None:
    visitor = calm()
    visitor.buy(stopLoss="59000")
    visitor.post(CREATE, side="Buy", orderType="Limit", qty="0.1", price="59500", orderLinkId="mm-2")
    visitor.later(100)
    assert visitor.post("/v5/order/cancel", orderLinkId="mm-2")["result"]["orderLinkId"] == "mm-2"
    assert visitor.post("/v5/order/cancel", orderLinkId="mm-2")["retCode"] == 110001
    everything = visitor.post("/v5/order/cancel-all", orderFilter="Order")["result"]
    assert everything == {"list": [], "success": "1"}
    assert len(visitor.post("/v5/order/cancel-all")["result"]["list"]) == 1
    assert visitor.rows("/v5/position/list")[0]["stopLoss"] == ""


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"side": "buy"}, 10001),
        ({"orderType": "Fancy"}, 10001),
        ({"qty": "much"}, 10001),
        ({"qty": "1e400"}, 10001),
        ({"qty": "NaN"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": 0.1}, 10001),
        ({"category": "spot"}, 10001),
        ({"tpslMode": "Half"}, 10001),
        ({"takeProfit": "62000", "tpOrderType": "Limit", "tpLimitPrice": "62000"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"stopLoss": "61000"}, 10001),
        ({"qty": "30"}, 110007),
        ({"qty": "1e30"}, 10001),
        ({"qty": "0.1000000000000000000000000000000001"}, 10001),
        ({"stopLoss": "1e29"}, 10001),
    ],
)
def test_malformed_orders_are_refused_and_leave_nothing(params: dict[str, Any], code: int) -> None:
    visitor = calm()
    order = {"side": "Buy", "orderType": "Market", "qty": "0.1"} | params
    assert visitor.post(CREATE, **order)["retCode"] == code
    assert visitor.rows(REALTIME) == visitor.rows(REALTIME, openOnly=1) == []


def test_a_body_that_is_not_an_object_is_10001() -> None:
    visitor = calm()
    for body in ("[]", "{", '"x"', ""):
        assert visitor.send(visitor.signed("POST", CREATE, body))["retCode"] == 10001


def test_demo_money_comes_and_goes_within_bounds() -> None:
    visitor = calm(balance="100")
    path = "/v5/account/demo-apply-money"

    def coin(amount: str) -> list[dict[str, str]]:
        return [{"coin": "USDT", "amountStr": amount}]

    assert visitor.post(path, adjustType=0, utaDemoApplyMoney=coin("50.5"))["retCode"] == 0
    assert visitor.post(path, adjustType=1, utaDemoApplyMoney=coin("150.6"))["retCode"] == 10001
    assert visitor.post(path, adjustType=1, utaDemoApplyMoney=coin("150.5"))["retCode"] == 0
    for odd in ("100001", "NaN", "-1", "x", "0.123456789"):
        assert visitor.post(path, adjustType=0, utaDemoApplyMoney=coin(odd))["retCode"] == 10001
    assert [row["type"] for row in visitor.rows("/v5/account/transaction-log")] == [
        "TRANSFER_OUT",
        "TRANSFER_IN",
        "TRANSFER_IN",
    ]


# --- private frames ---------------------------------------------------------------------------------------------------


def test_a_fill_is_pushed_on_all_four_topics_to_its_owner() -> None:
    visitor = calm()
    visitor.venue.drain_private()
    visitor.buy(orderLinkId="mm-1", stopLoss="59000")
    visitor.later(100)
    frames = visitor.venue.drain_private()
    assert {uid for uid, _, _ in frames} == {visitor.uid}
    assert {topic for _, topic, _ in frames} == {"order", "execution", "position", "wallet"}
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for _, topic, frame in frames:
        assert frame["topic"] == topic
        assert frame["creationTime"] == visitor.clock.now_ms() - 60
        by_topic.setdefault(topic, []).extend(frame["data"])
    assert [row["orderStatus"] for row in by_topic["order"] if row["orderLinkId"] == "mm-1"] == ["Filled"]
    assert by_topic["execution"][0]["execPnl"] == "0"
    last = by_topic["position"][-1]
    assert (last["size"], last["stopLoss"], last["category"]) == ("0.1", "59000", "linear")
    assert Decimal(last["entryPrice"]) > 60000
    assert "avgPrice" not in last
    assert by_topic["wallet"][-1]["coin"][0]["coin"] == "USDT"
    assert visitor.venue.drain_private() == []


def test_pushes_show_things_as_they_were_not_as_they_are() -> None:
    visitor = calm()
    visitor.venue.drain_private()
    visitor.buy()
    visitor.later(100)
    visitor.post(CREATE, side="Sell", orderType="Market", qty="0.1", reduceOnly=True)
    visitor.later(100)
    frames = visitor.venue.drain_private()
    assert [frame["data"][0]["size"] for _, topic, frame in frames if topic == "position"] == ["0.1", "0"]
    coins = [frame["data"][0]["coin"][0] for _, topic, frame in frames if topic == "wallet"]
    assert [coin["totalPositionIM"] != "0" for coin in coins] == [True, False]
