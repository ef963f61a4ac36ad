"""Everything that can be made to go wrong, and that nothing else does."""

import json

import pytest

from lib.simulator.engine.faults import Fault, Faults
from lib.simulator.venue.delivery import ReplyLost
from tests.simulator.visitors import LINEAR, Visitor
from tests.worlds.inprocess import VenueTransport
from tests.worlds.venue import BTC, START, ScriptedMarket

CREATE, REALTIME = "/v5/order/create", "/v5/order/realtime"


def calm() -> Visitor:
    return Visitor(market=ScriptedMarket(["60000"] * 7200))


def found(visitor: Visitor, link: str) -> bool:
    return bool(visitor.rows(REALTIME, orderLinkId=link))


@pytest.mark.parametrize(
    ("kind", "code", "took_effect"),
    [
        ("err_10000_after", 10000, True),
        ("err_10016_after", 10016, True),
        ("err_10016_before", 10016, False),
        ("rate_limit_past_reset", 10006, False),
        ("rate_limit_future_reset", 10006, False),
        ("maintenance", 10016, False),
    ],
)
def test_error_answers_tell_the_truth_only_sometimes(kind: str, code: int, took_effect: bool) -> None:
    visitor = calm()
    visitor.arm(kind, CREATE, ms=50)
    assert visitor.buy(orderLinkId="mm-1")["retCode"] == code
    visitor.later(100)
    assert found(visitor, "mm-1") is took_effect
    assert visitor.buy(orderLinkId="mm-2")["retCode"] == 0


@pytest.mark.parametrize(
    ("kind", "status", "took_effect"),
    [
        ("http_403", 403, False),
        ("http_429", 429, False),
        ("http_5xx_before", 502, False),
        ("http_5xx_after", 502, True),
    ],
)
def test_http_errors(kind: str, status: int, took_effect: bool) -> None:
    visitor = calm()
    visitor.arm(kind, CREATE)
    order = {"category": "linear", "symbol": BTC, "side": "Buy", "orderType": "Market", "qty": "0.1"}
    assert visitor.raw("POST", CREATE, **order, orderLinkId="mm-1").status == status
    assert found(visitor, "mm-1") is took_effect


@pytest.mark.parametrize(("kind", "sign"), [("rate_limit_past_reset", -1), ("rate_limit_future_reset", 1)])
def test_rate_limit_resets_lie_where_they_were_told(kind: str, sign: int) -> None:
    visitor = calm()
    visitor.arm(kind, ms=700)
    headers = visitor.raw("GET", REALTIME, category="linear", symbol=BTC).headers
    assert int(headers["X-Bapi-Limit-Reset-Timestamp"]) == visitor.clock.now_ms() + sign * 700


def test_a_fault_waits_for_its_path_and_acts_as_often_as_it_says() -> None:
    visitor = calm()
    visitor.arm("err_10016_before", CREATE, count=2)
    assert visitor.get("/v5/position/list")["retCode"] == 0
    assert [visitor.buy()["retCode"] for _ in range(3)] == [10016, 10016, 0]
    assert visitor.venue.faults.waiting() == ()


def test_a_fault_for_one_uid_leaves_the_others_alone() -> None:
    visitor = calm()
    visitor.venue.faults.push(Fault("err_10016_before", uid=visitor.uid + 1))
    assert visitor.buy()["retCode"] == 0


def test_realtime_can_be_stale_and_can_forget() -> None:
    visitor = calm()
    visitor.arm("stale_realtime", ms=2_000)
    visitor.buy(orderLinkId="mm-1")
    visitor.later(1_999)
    assert not found(visitor, "mm-1")
    visitor.later(1)
    assert found(visitor, "mm-1")
    visitor.arm("clear_closed")
    assert not found(visitor, "mm-1")
    assert visitor.rows("/v5/order/history", orderLinkId="mm-1")


def test_a_revoked_key_stays_revoked() -> None:
    visitor = calm()
    visitor.arm("key_revoked")
    assert [visitor.get("/v5/position/list")["retCode"] for _ in range(2)] == [33004, 33004]
    other = calm()
    other.arm("key_revoked", code=10003)
    assert other.get("/v5/position/list")["retCode"] == 10003


@pytest.mark.parametrize("skew", [1_500, -6_000])
def test_a_skewed_venue_clock_shows_in_its_time_and_refuses_our_stamps(skew: int) -> None:
    visitor = calm()
    visitor.arm("clock_skew", ms=skew)
    assert visitor.get("/v5/market/time")["time"] == visitor.clock.now_ms() + skew
    request = visitor.signed("GET", "/v5/position/list", f"category=linear&symbol={BTC}")
    assert visitor.send(request)["retCode"] == (10002 if skew < 0 else 0)
    late = visitor.signed("GET", "/v5/position/list", f"symbol={BTC}", at=visitor.clock.now_ms() + skew)
    assert visitor.send(late)["retCode"] == 0


def test_maintenance_lasts_as_long_as_it_says() -> None:
    visitor = calm()
    visitor.arm("maintenance", ms=10_000)
    assert visitor.get("/v5/market/time")["retCode"] == 10016
    visitor.later(9_999)
    assert visitor.buy()["retCode"] == 10016
    visitor.later(1)
    assert visitor.buy()["retCode"] == 0


def test_hands_behind_the_clients_back() -> None:
    visitor = calm()
    visitor.buy(stopLoss="59000")
    visitor.later(100)
    visitor.arm("leverage_changed", leverage="3")
    assert visitor.rows("/v5/position/list")[0]["leverage"] == "3"
    visitor.arm("manual_close")
    visitor.rows("/v5/position/list")
    visitor.later(100)
    assert visitor.rows("/v5/position/list")[0]["size"] == "0"
    assert visitor.rows("/v5/execution/list")[0]["createType"] == "CreateByClosing"
    visitor.arm("mode_changed")
    assert [row["positionIdx"] for row in visitor.rows("/v5/position/list")] == [1, 2]
    answer = visitor.buy()
    assert (answer["retCode"], answer["retMsg"]) == (10001, "position idx not match position mode")


def test_stops_can_get_lost_or_be_refused() -> None:
    visitor = calm()
    visitor.arm("drop_stop")
    visitor.buy(stopLoss="59000")
    visitor.later(100)
    assert visitor.rows("/v5/position/list")[0]["stopLoss"] == ""
    visitor.arm("refuse_stop")
    stop = {"stopLoss": "59000", "tpslMode": "Full", "positionIdx": 0}
    assert visitor.post("/v5/position/trading-stop", **stop)["retCode"] == 10001
    assert visitor.post("/v5/position/trading-stop", **stop)["retCode"] == 0


def test_a_fault_happens_at_least_once() -> None:
    with pytest.raises(ValueError, match="at least once"):
        Faults().push(Fault("no_fill", count=0))


# --- the network ------------------------------------------------------------------------------------------------------


async def carried(visitor: Visitor, link: str) -> int:
    body = json.dumps(
        {
            "category": "linear",
            "symbol": BTC,
            "side": "Buy",
            "orderType": "Market",
            "qty": "0.1",
            "orderLinkId": link,
        }
    )
    request = visitor.signed("POST", CREATE, body)
    transport = VenueTransport(visitor.venue, visitor.venue.faults, visitor.clock)
    status, _, answer = await transport.request("POST", CREATE, "", request.headers, body.encode())
    assert status == 200
    code: int = json.loads(answer)["retCode"]
    return code


async def test_the_transport_carries_the_bytes() -> None:
    visitor = calm()
    assert await carried(visitor, "mm-1") == 0
    assert found(visitor, "mm-1")


@pytest.mark.parametrize(("kind", "took_effect"), [("drop_before", False), ("drop_reply", True)])
async def test_a_lost_reply_is_a_timeout_and_says_nothing_about_the_effect(kind: str, took_effect: bool) -> None:
    visitor = calm()
    visitor.arm(kind, CREATE)
    with pytest.raises(ReplyLost) as lost:
        await carried(visitor, "mm-1")
    assert isinstance(lost.value, TimeoutError)
    assert found(visitor, "mm-1") is took_effect


async def test_a_delayed_request_may_arrive_too_late_to_count() -> None:
    visitor = calm()
    visitor.arm("delay", CREATE, ms=5_001)
    assert await carried(visitor, "mm-1") == 10002
    assert not found(visitor, "mm-1")


async def test_a_slow_reply_is_still_the_reply() -> None:
    visitor = calm()
    before = visitor.clock.now_ms()
    visitor.arm("delay_reply", CREATE, ms=3_000)
    assert await carried(visitor, "mm-1") == 0
    assert visitor.clock.now_ms() == before + 3_000


async def test_a_request_delivered_twice_is_one_order() -> None:
    visitor = calm()
    visitor.arm("duplicate", CREATE)
    assert await carried(visitor, "mm-1") == 0
    visitor.later(100)
    assert visitor.rows("/v5/position/list")[0]["size"] == "0.1"


def test_announced_maintenance_stands_in_the_status_which_goes_on_answering() -> None:
    visitor = Visitor()
    visitor.venue.faults.push(Fault("announce", params={"ahead": 60_000, "ms": 120_000}))

    def state() -> str:
        row: dict[str, str] = visitor.get("/v5/system/status")["result"]["list"][0]
        return row["state"]

    assert state() == "scheduled"
    assert visitor.get("/v5/market/time")["retCode"] == 0
    visitor.clock.advance_to(START + 60_000)
    assert state() == "ongoing"
    assert visitor.get("/v5/market/time")["retCode"] == 10016
    visitor.clock.advance_to(START + 180_000)
    assert state() == "completed"
    assert visitor.get("/v5/market/time")["retCode"] == 0


def test_a_symbol_can_be_halted_delisted_and_listed_again() -> None:
    visitor = Visitor()

    def status() -> str:
        answer = visitor.get("/v5/market/instruments-info", **LINEAR)
        return str(answer["result"]["list"][0]["status"]) if answer["retCode"] == 0 else str(answer["retCode"])

    seen = []
    for kind in ("halt", "delist", "relist"):
        visitor.venue.faults.push(Fault(kind, params={"symbol": BTC}))
        seen.append(status())
    assert seen == ["Closed", "10001", "Trading"]
