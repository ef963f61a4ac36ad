"""Batches, amendments, trailing and partial stops, margin and the routes around trading, as they go on the wire."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.visitors import Visitor
from tests.worlds.venue import BTC, ScriptedMarket

LIMIT = {"symbol": BTC, "side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "59000"}
STOP = "/v5/position/trading-stop"


def visitor_of(prints: Sequence[str | int] | None = None, **account: Any) -> Visitor:
    return Visitor(market=ScriptedMarket(prints or ["60000"] * 600), **account)


def bought(prints: Sequence[str | int] | None = None, **account: Any) -> Visitor:
    visitor = visitor_of(prints, **account)
    visitor.buy()
    visitor.later(100)
    return visitor


def batch(visitor: Visitor, what: str, *parts: dict[str, Any]) -> dict[str, Any]:
    payload = json.dumps({"category": "linear", "request": parts})
    return visitor.send(visitor.signed("POST", f"/v5/order/{what}-batch", payload))


def codes(answer: dict[str, Any]) -> list[int]:
    assert answer["retCode"] == 0
    assert len(answer["result"]["list"]) == len(answer["retExtInfo"]["list"])
    return [part["code"] for part in answer["retExtInfo"]["list"]]


def test_each_part_of_a_batch_has_an_end_of_its_own() -> None:
    visitor = visitor_of()
    parts = [LIMIT | {"orderLinkId": "b-1"}, LIMIT | {"orderLinkId": "b-1"}, LIMIT | {"symbol": "NOUSDT"}]
    made = batch(visitor, "create", *parts)
    assert codes(made) == [0, 110072, 10001]
    assert [row["orderId"] != "" for row in made["result"]["list"]] == [True, False, False]
    visitor.later(100)
    changes = [{"symbol": BTC, "orderLinkId": name, "price": "58000"} for name in ("b-1", "b-2")]
    assert codes(batch(visitor, "amend", *changes)) == [0, 110001]
    assert [row["price"] for row in visitor.rows("/v5/order/realtime")] == ["58000"]
    assert codes(batch(visitor, "cancel", *changes)) == [0, 110001]
    visitor.later(100)
    assert visitor.rows("/v5/order/realtime") == []


def test_parts_beyond_the_quota_are_refused_and_too_long_a_batch_whole() -> None:
    visitor = visitor_of()
    assert codes(batch(visitor, "create", *[LIMIT] * 12)) == [0] * 10 + [10006] * 2
    assert batch(visitor, "create", LIMIT)["retCode"] == 10006
    visitor.later(1_100)
    assert batch(visitor, "create", *[LIMIT] * 21)["retCode"] == 10001
    assert batch(visitor, "create")["retCode"] == 10001


def test_a_trailing_stop_is_on_the_position_and_among_the_orders() -> None:
    visitor = bought(["60000"] * 60 + ["61000"] * 60 + ["60500"] * 60)
    assert visitor.post(STOP, tpslMode="Full", positionIdx=0, trailingStop="500")["retCode"] == 0
    (row,) = visitor.rows("/v5/order/realtime")
    assert (row["stopOrderType"], row["createType"], row["triggerPrice"]) == (
        "TrailingStop",
        "CreateByTrailingStop",
        "59500",
    )
    assert visitor.rows("/v5/position/list")[0]["trailingStop"] == "500"
    visitor.later(70_000)
    assert visitor.rows("/v5/order/realtime")[0]["triggerPrice"] == "60500"
    visitor.later(60_000)
    position = visitor.rows("/v5/position/list")[0]
    assert (position["size"], position["trailingStop"]) == ("0", "0")
    assert visitor.post(STOP, tpslMode="Full", positionIdx=0, trailingStop="500")["retCode"] == 10001


def test_partial_stops_are_added_and_need_one_size() -> None:
    visitor = bought()
    pair = {"stopLoss": "59000", "takeProfit": "62000", "tpslMode": "Partial", "positionIdx": 0}
    assert visitor.post(STOP, **pair, slSize="0.05", tpSize="0.06")["retCode"] == 10001
    assert visitor.post(STOP, **pair)["retCode"] == 10001
    limited = pair | {"slSize": "0.05", "tpSize": "0.05", "tpOrderType": "Limit"}
    assert visitor.post(STOP, **limited)["retCode"] == 10001
    assert visitor.post(STOP, **limited, tpLimitPrice="62000")["retCode"] == 0
    rows = {row["stopOrderType"]: row for row in visitor.rows("/v5/order/realtime")}
    assert {(kind, row["qty"], row["tpslMode"], row["orderType"]) for kind, row in rows.items()} == {
        ("PartialStopLoss", "0.05", "Partial", "Market"),
        ("PartialTakeProfit", "0.05", "Partial", "Limit"),
    }


def test_an_entry_in_partial_mode_brings_stops_of_what_it_filled() -> None:
    visitor = bought()
    visitor.buy("0.03", stopLoss="59000", tpslMode="Partial", orderLinkId="mm-2")
    visitor.later(100)
    (stop,) = visitor.rows("/v5/order/realtime")
    assert (stop["qty"], stop["parentOrderLinkId"]) == ("0.03", "mm-2")


def test_margin_is_added_to_an_isolated_position_and_refused_in_cross() -> None:
    visitor = bought()
    before = Decimal(visitor.rows("/v5/position/list")[0]["liqPrice"])
    added = visitor.post("/v5/position/add-margin", margin="100", positionIdx=0)
    assert Decimal(added["result"]["liqPrice"]) == before - 1000
    assert visitor.post("/v5/position/add-margin", margin="0.00001")["retCode"] == 10001
    assert visitor.post("/v5/position/set-auto-add-margin", autoAddMargin=1)["retCode"] == 0
    assert visitor.rows("/v5/position/list")[0]["autoAddMargin"] == 1
    cross = bought(margin_mode="REGULAR_MARGIN")
    assert cross.post("/v5/position/add-margin", margin="100")["retCode"] == 110015
    assert cross.post("/v5/position/set-auto-add-margin", autoAddMargin=1)["retCode"] == 110076


def test_cross_margin_shows_rates_of_the_account_and_a_price_only_where_there_is_one() -> None:
    visitor = bought(margin_mode="REGULAR_MARGIN", balance="10000")
    wallet = visitor.get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
    assert 0 < Decimal(wallet["accountMMRate"]) < Decimal(wallet["accountIMRate"]) < 1
    assert visitor.rows("/v5/position/list")[0]["liqPrice"] == ""
    visitor.buy("1")
    visitor.later(100)
    assert 50_000 < Decimal(visitor.rows("/v5/position/list")[0]["liqPrice"]) < 60_000


def test_a_pre_check_tells_what_an_order_would_do_and_does_nothing() -> None:
    visitor = visitor_of(margin_mode="REGULAR_MARGIN", balance="10000")
    told = visitor.post("/v5/order/pre-check", **LIMIT)["result"]
    assert (told["preImrE4"], told["postImrE4"], told["postMmrE4"]) == (0, 590, 29)
    assert visitor.rows("/v5/order/realtime") == []


@pytest.mark.parametrize(("moves", "code", "price"), [(False, 110003, None), (True, 0, "63000")])
def test_a_price_out_of_range_is_refused_or_moved_as_the_account_wants(moves: bool, code: int, price: str) -> None:
    visitor = visitor_of()
    if moves:
        assert visitor.post("/v5/account/set-limit-px-action", modifyEnable=True)["retCode"] == 0
    assert visitor.get("/v5/account/user-setting-config")["result"]["lpaPerp"] is moves
    assert visitor.get("/v5/market/price-limit")["result"]["buyLmt"] == "63000"
    answer = visitor.post("/v5/order/create", **(LIMIT | {"price": "70000", "orderLinkId": "mm-1"}))
    assert answer["retCode"] == code
    assert [row["price"] for row in visitor.rows("/v5/order/realtime")] == ([price] if price else [])


def test_recent_trades_are_the_prints_newest_first_and_none_is_of_the_future() -> None:
    visitor = visitor_of([60_000, 60_001, 60_000, 59_999, 59_998])
    visitor.later(3_000)
    rows = visitor.rows("/v5/market/recent-trade", limit=3)
    assert [(row["price"], row["side"]) for row in rows] == [("59999", "Sell"), ("60000", "Sell"), ("60001", "Buy")]
    assert len({row["execId"] for row in rows}) == 3


def test_mark_and_index_klines_have_no_volume_and_the_premium_is_none() -> None:
    visitor = visitor_of()
    for kind in ("mark", "index"):
        (row,) = visitor.get(f"/v5/market/{kind}-price-kline", interval=1, limit=1)["result"]["list"]
        assert row[1:] == ["60000"] * 4
    (row,) = visitor.get("/v5/market/premium-index-price-kline", interval=1, limit=1)["result"]["list"]
    assert row[1:] == ["0"] * 4


def test_what_is_for_classic_accounts_institutions_or_not_for_demo_is_refused() -> None:
    visitor, demo = visitor_of(), visitor_of(demo=True)
    assert visitor.post("/v5/position/switch-isolated", tradeMode=1)["retCode"] == 100028
    assert visitor.post("/v5/order/disconnected-cancel-all", timeWindow=10)["retCode"] == 10005
    assert visitor.post("/v5/position/set-risk-limit", riskId=2)["retCode"] == 110031
    assert demo.get("/v5/account/smp-group")["retCode"] == 10032
    assert demo.get("/v5/account/collateral-info")["retCode"] == 0
