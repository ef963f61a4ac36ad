"""Public routes and public frames."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.candle import MINUTE_MS
from lib.domain.funding import FUNDING_MS
from lib.simulator.venue.klines import floor_open, next_open
from tests.simulator.visitors import MARKET, Visitor
from tests.worlds.venue import BTC, START, T0, ScriptedMarket

KLINE = "/v5/market/kline"


def klines(visitor: Visitor, **params: Any) -> list[list[str]]:
    rows: list[list[str]] = visitor.get(KLINE, **params)["result"]["list"]
    return rows


def opens(visitor: Visitor, **params: Any) -> list[int]:
    return [int(row[0]) for row in klines(visitor, **params)]


def test_klines_are_newest_first_strings_with_the_open_row_and_two_hundred_by_default() -> None:
    visitor = Visitor()
    visitor.later(90_500)
    rows = klines(visitor, interval="1")
    now = visitor.clock.now_ms()
    assert [int(row[0]) for row in rows] == [now - now % MINUTE_MS - back * MINUTE_MS for back in range(200)]
    assert all(isinstance(value, str) for row in rows for value in row)
    assert rows[0][4] == visitor.price()
    closed = MARKET.candle(BTC, int(rows[1][0]))
    assert closed is not None
    assert [Decimal(value) for value in rows[1][1:6]] == [
        closed.open,
        closed.high,
        closed.low,
        closed.close,
        closed.volume,
    ]
    assert all(newer[1] == older[4] for newer, older in itertools.pairwise(rows))


def test_start_alone_runs_forward_from_the_candle_it_falls_in() -> None:
    visitor = Visitor()
    start = T0 - 100 * MINUTE_MS
    assert opens(visitor, interval="1", start=start + 30_000, limit=2) == [start + MINUTE_MS, start]


def test_a_window_wider_than_the_limit_gives_the_newest_rows_up_to_its_end() -> None:
    visitor = Visitor()
    end = T0 - 10 * MINUTE_MS
    window = opens(visitor, interval="1", start=T0 - 500 * MINUTE_MS, end=end, limit=3)
    assert window == [end, end - MINUTE_MS, end - 2 * MINUTE_MS]


def test_a_narrow_window_gives_what_is_in_it_both_ends_included() -> None:
    visitor = Visitor()
    window = opens(visitor, interval="1", start=T0 - 5 * MINUTE_MS, end=T0 - 3 * MINUTE_MS)
    assert window == [T0 - back * MINUTE_MS for back in (3, 4, 5)]
    assert opens(visitor, interval="1", start=T0 + 10 * MINUTE_MS) == []


@pytest.mark.parametrize(("interval", "minutes"), [("5", 5), ("60", 60), ("D", 1440)])
def test_longer_candles_are_made_of_the_minutes(interval: str, minutes: int) -> None:
    visitor = Visitor()
    row = klines(visitor, interval=interval, end=T0 - 1, limit=1)[0]
    parts = [MARKET.candle(BTC, int(row[0]) + n * MINUTE_MS) for n in range(minutes)]
    known = [part for part in parts if part]
    assert [Decimal(value) for value in row[1:6]] == [
        known[0].open,
        max(part.high for part in known),
        min(part.low for part in known),
        known[-1].close,
        sum((part.volume for part in known), Decimal(0)),
    ]


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    assert floor_open("W", T0) == T0 - 2 * 86_400_000  # a Wednesday
    first = floor_open("M", T0)
    assert first == T0 - 14 * 86_400_000  # the 15th
    assert next_open("M", first) - first == 30 * 86_400_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval": "7"},
        {"interval": "1", "limit": "1001"},
        {"interval": "1", "limit": "0"},
        {},
        {"interval": "1", "symbol": "NO"},
    ],
)
def test_wrong_kline_parameters_are_10001(wrong: dict[str, str]) -> None:
    assert Visitor().get(KLINE, **wrong)["retCode"] == 10001


def test_every_answer_is_an_envelope_with_the_venues_time() -> None:
    visitor = Visitor()
    answer = visitor.get("/v5/market/time")
    assert answer == {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"timeSecond": str(START // 1000), "timeNano": f"{START}000000"},
        "retExtInfo": {},
        "time": START,
    }


def test_instruments_carry_the_trading_rules() -> None:
    row = Visitor().rows("/v5/market/instruments-info")[0]
    assert (row["symbol"], row["status"], row["fundingInterval"]) == (BTC, "Trading", 480)
    assert row["priceFilter"]["tickSize"] == "0.1"
    lots = row["lotSizeFilter"]
    assert (lots["qtyStep"], lots["minOrderQty"], lots["maxMktOrderQty"], lots["minNotionalValue"]) == (
        "0.001",
        "0.001",
        "500",
        "5",
    )
    assert row["leverageFilter"]["maxLeverage"] == "100.00"


def test_tickers_funding_and_risk_limits() -> None:
    visitor = Visitor()
    ticker = visitor.rows("/v5/market/tickers")[0]
    assert Decimal(ticker["bid1Price"]) < Decimal(ticker["lastPrice"]) < Decimal(ticker["ask1Price"])
    assert Decimal(ticker["lowPrice24h"]) <= Decimal(ticker["lastPrice"]) <= Decimal(ticker["highPrice24h"])
    assert ticker["nextFundingTime"] == str(T0 + FUNDING_MS)
    rates = visitor.rows("/v5/market/funding/history", limit=3)
    assert [int(row["fundingRateTimestamp"]) for row in rates] == [T0 - back * FUNDING_MS for back in range(3)]
    assert visitor.get("/v5/market/funding/history", startTime=1)["retCode"] == 10001
    assert visitor.rows("/v5/market/risk-limit")[0]["maintenanceMargin"] == "0.005"


def test_a_halted_symbol_has_no_open_row_and_no_frames() -> None:
    visitor = Visitor(market=ScriptedMarket([100] * 60))
    visitor.later(3 * MINUTE_MS)
    assert opens(visitor, interval="1") == [START]
    assert visitor.venue.kline_message(BTC, "1", visitor.clock.now_ms()) is None
    assert visitor.venue.ticker_message(BTC, visitor.clock.now_ms()) is None
    assert visitor.rows("/v5/market/tickers")[0]["lastPrice"] == "100"


def test_kline_frames_are_open_until_the_minute_is_over() -> None:
    visitor = Visitor()
    visitor.later(30_000)
    now = visitor.clock.now_ms()
    frame = visitor.venue.kline_message(BTC, "1", now)
    assert frame is not None
    row = frame["data"][0]
    assert (frame["topic"], frame["type"], frame["ts"]) == ("kline.1.BTCUSDT", "snapshot", now)
    assert (row["start"], row["end"], row["confirm"], row["interval"]) == (START, START + 59_999, False, "1")
    assert isinstance(row["open"], str)
    assert visitor.venue.kline_message(BTC, "1", now, confirm_open_time=START) is None
    visitor.later(30_000)
    closed = visitor.venue.kline_message(BTC, "1", visitor.clock.now_ms(), confirm_open_time=START)
    assert closed is not None
    assert closed["data"][0]["confirm"] is True
    candle = MARKET.candle(BTC, START)
    assert candle is not None
    assert Decimal(closed["data"][0]["close"]) == candle.close
