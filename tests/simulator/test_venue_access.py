"""Who gets in: signatures, time, keys, permissions, addresses, limits."""

import json
from dataclasses import replace

import pytest

from lib.simulator.engine.orders import Refused
from lib.simulator.venue.venue import Request, VenueConfig
from tests.simulator.visitors import Visitor, signature

WALLET = "/v5/account/wallet-balance"
CREATE = "/v5/order/create"
UNIFIED = "accountType=UNIFIED"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            "1700000000000KEYabc5000category=linear&symbol=BTCUSDT",
            "6b34768d99c56905b2e6b05dc197a2368252b1a433107c89c79c8eb530de0995",
        ),
        ("GET/realtime1700000001000", "5f6bfc7e042ece710ff7be527af599d7642746ec40fc3ae8f58d2ce6824b5632"),
    ],
)
def test_signatures_match_the_pinned_vectors(payload: str, expected: str) -> None:
    assert signature("SECRETxyz", payload) == expected


def test_a_request_signed_with_the_pinned_key_is_admitted() -> None:
    visitor = Visitor(api_key="KEYabc", api_secret="SECRETxyz")
    assert visitor.get("/v5/position/list")["retCode"] == 0


@pytest.mark.parametrize(("offset", "code"), [(999, 0), (1000, 10002), (-5000, 0), (-5001, 10002)])
def test_the_time_window_is_five_seconds_back_and_less_than_one_ahead(offset: int, code: int) -> None:
    visitor = Visitor()
    request = visitor.signed("GET", WALLET, UNIFIED, at=visitor.clock.now_ms() + offset)
    answer = visitor.send(request)
    assert answer["retCode"] == code
    if code:
        assert answer["retMsg"].startswith("invalid request, please check your server timestamp or recv_window param.")


def test_a_longer_window_does_not_help_a_fast_clock() -> None:
    visitor = Visitor()
    request = visitor.signed("GET", WALLET, UNIFIED, at=visitor.clock.now_ms() + 1000, window="60000")
    assert visitor.send(request)["retCode"] == 10002


def test_the_signature_covers_exactly_the_bytes_sent() -> None:
    visitor = Visitor()
    body = '{"category": "linear", "symbol":"BTCUSDT","buyLeverage":"5","sellLeverage":"5"}'
    request = visitor.signed("POST", "/v5/position/set-leverage", body)
    assert visitor.send(replace(request, body=body.replace(" ", "").encode()))["retCode"] == 10004
    assert visitor.send(request)["retCode"] == 0
    query = visitor.signed("GET", "/v5/position/list", "category=linear&symbol=BTCUSDT")
    assert visitor.send(replace(query, query="symbol=BTCUSDT&category=linear"))["retCode"] == 10004


@pytest.mark.parametrize("stamp", ["²", "1" * 5000, "-1", "1e3", "\ud800"])
def test_an_odd_timestamp_is_outside_the_window(stamp: str) -> None:
    visitor = Visitor()
    request = visitor.signed("GET", WALLET, UNIFIED)
    odd = replace(request, headers={**request.headers, "X-Bapi-Timestamp": stamp})
    assert visitor.send(odd)["retCode"] == 10002


def test_undecodable_bytes_are_a_wrong_signature_and_no_crash() -> None:
    visitor = Visitor()
    request = visitor.signed("GET", WALLET, UNIFIED)
    assert visitor.send(replace(request, query="\udc80"))["retCode"] == 10004
    assert visitor.send(replace(request, headers={**request.headers, "X-BAPI-SIGN": "\udc80"}))["retCode"] == 10004
    assert visitor.send(visitor.signed("POST", CREATE, "[" * 100_000))["retCode"] == 10001


def test_keys_unknown_wrong_or_missing() -> None:
    visitor = Visitor()
    request = visitor.signed("GET", WALLET, UNIFIED)
    bare = visitor.venue.handle(replace(request, headers={}))
    assert (bare.status, json.loads(bare.body)["retCode"]) == (401, 10003)
    assert visitor.send(replace(request, headers={**request.headers, "x-bapi-api-key": "other"}))["retCode"] == 10003
    visitor.secret = "wrong"
    assert visitor.get(WALLET, accountType="UNIFIED")["retCode"] == 10004


def test_no_answer_contains_a_secret() -> None:
    visitor = Visitor()
    answers = [visitor.raw("GET", "/v5/user/query-api"), visitor.raw("GET", WALLET, accountType="UNIFIED")]
    visitor.secret, secret = "wrong", visitor.secret
    answers.append(visitor.raw("GET", WALLET))
    assert not any(secret.encode() in answer.body for answer in answers)


def test_read_only_keys_read_and_nothing_else() -> None:
    visitor = Visitor(read_only=True)
    assert visitor.rows("/v5/position/list")
    assert visitor.buy()["retCode"] == 10005
    assert visitor.get("/v5/user/query-api")["result"]["readOnly"] == 1


def test_permission_groups_are_honoured() -> None:
    visitor = Visitor(permissions={"ContractTrade": ["Position"]})
    assert visitor.buy()["retCode"] == 10005
    assert visitor.post("/v5/position/set-leverage", buyLeverage="3", sellLeverage="3")["retCode"] == 0


def test_a_bound_key_answers_to_its_addresses_only() -> None:
    visitor = Visitor(ips=["10.0.0.1"])
    assert visitor.get(WALLET, accountType="UNIFIED")["retCode"] == 10010
    visitor.remote = "10.0.0.1"
    assert visitor.get(WALLET, accountType="UNIFIED")["retCode"] == 0
    assert visitor.get("/v5/user/query-api")["result"]["ips"] == ["10.0.0.1"]


def test_query_api_describes_the_key() -> None:
    described = Visitor(label="demo").get("/v5/user/query-api")["result"]
    assert described["permissions"]["ContractTrade"] == ["Order", "Position"]
    assert "Withdraw" not in described["permissions"]["Wallet"]
    assert (described["readOnly"], described["uta"], described["ips"], described["note"]) == (0, 1, ["*"], "demo")


def test_a_second_key_of_the_same_uid_sees_the_same_account() -> None:
    visitor = Visitor()
    visitor.buy(orderLinkId="mm-1")
    other = visitor.open_account(uid=visitor.uid)
    visitor.key, visitor.secret = other["apiKey"], other["apiSecret"]
    assert visitor.rows("/v5/order/realtime", orderLinkId="mm-1")


def test_accounts_do_not_see_each_other() -> None:
    visitor = Visitor()
    visitor.buy(orderLinkId="mm-1")
    visitor.later(100)
    other = visitor.open_account()
    visitor.key, visitor.secret = other["apiKey"], other["apiSecret"]
    for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
        assert visitor.rows(path) == []
    assert visitor.rows("/v5/position/list")[0]["size"] == "0"
    assert visitor.buy(orderLinkId="mm-1")["retCode"] == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"balance":"x"}', b'{"api_key":"a"}', b'{"mystery":1}'])
def test_an_odd_account_order_is_a_400(body: bytes) -> None:
    response = Visitor().venue.handle(Request("POST", "/sim/accounts", body=body))
    assert response.status == 400
    assert json.loads(response.body)["error"]


def test_the_quota_is_a_rolling_second_per_uid_and_endpoint() -> None:
    visitor = Visitor()
    for left in range(9, -1, -1):
        headers = visitor.raw("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId="x").headers
        assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("10", str(left))
        visitor.later(10)
    refused = visitor.raw("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId="x")
    assert json.loads(refused.body)["retCode"] == 10006
    assert int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) == visitor.clock.now_ms() + 900
    assert visitor.buy()["retCode"] == 0
    visitor.later(900)
    assert visitor.post("/v5/order/cancel", orderId="x")["retCode"] == 110001


def test_too_many_requests_from_an_address_are_a_ban_for_ten_minutes() -> None:
    visitor = Visitor(VenueConfig(ip_limit=5))
    for _ in range(5):
        assert visitor.raw("GET", "/v5/market/time").status == 200
    banned = visitor.raw("GET", "/v5/market/time")
    assert (banned.status, banned.body) == (403, b"access too frequent")
    visitor.later(599_999)
    assert visitor.raw("GET", "/v5/market/time").status == 403
    visitor.later(1)
    assert visitor.raw("GET", "/v5/market/time").status == 200


def test_an_unknown_route_says_so() -> None:
    assert Visitor().get("/v5/order/nothing")["retCode"] == 10017


def test_a_private_socket_authenticates_by_expiry_and_signature() -> None:
    visitor = Visitor()
    expires = visitor.clock.now_ms() + 1000
    good = signature(visitor.secret, f"GET/realtime{expires}")
    assert visitor.venue.authenticate(visitor.key, expires, good) == visitor.uid
    for key, at, sign, code in (
        ("none", expires, good, 10003),
        (visitor.key, expires + 1, good, 10004),
        (visitor.key, visitor.clock.now_ms(), good, 10002),
    ):
        with pytest.raises(Refused) as refused:
            visitor.venue.authenticate(key, at, sign)
        assert refused.value.code == code
