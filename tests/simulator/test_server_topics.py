"""What a public topic pushes: each closed candle once, before its successor, and the open one when it changed."""

from typing import Any

import pytest

from lib.domain.candle import MINUTE_MS
from lib.simulator.stream.topics import PATIENCE_MS, KlineTopic, TickerTopic, open_topic

T0 = 1_700_000_040_000


class ScriptedSource:
    """Message builders over a price table: closes by open time, the price now, and minutes not yet known."""

    def __init__(self) -> None:
        self.price: str | None = "100"
        self.unknown: set[int] = set()

    def kline_message(
        self, symbol: str, interval: str, now_ms: int, *, confirm_open_time: int | None = None
    ) -> dict[str, Any] | None:
        if self.price is None or confirm_open_time in self.unknown:
            return None
        closing = confirm_open_time is not None
        start = confirm_open_time if closing else now_ms - now_ms % (int(interval) * MINUTE_MS)
        row = {"start": start, "close": self.price, "confirm": closing, "timestamp": now_ms}
        return {"topic": f"kline.{interval}.{symbol}", "data": [row], "ts": now_ms, "type": "snapshot"}

    def ticker_message(self, symbol: str, now_ms: int) -> dict[str, Any] | None:
        if self.price is None:
            return None
        data = {"symbol": symbol, "lastPrice": self.price, "fundingRate": "0.0001"}
        return {"topic": f"tickers.{symbol}", "type": "snapshot", "data": data, "cs": 1, "ts": now_ms}


def pushed(frames: list[dict[str, Any]]) -> list[tuple[int, bool]]:
    return [((f["data"][0]["start"] - T0) // MINUTE_MS, f["data"][0]["confirm"]) for f in frames]


def test_the_closing_frame_comes_at_the_minute_and_before_the_next_candle() -> None:
    topic = KlineTopic(ScriptedSource(), "kline.1.BTCUSDT", T0)
    assert pushed(topic.frames(T0 + 1_000)) == [(0, False)]
    assert pushed(topic.frames(T0 + MINUTE_MS)) == [(0, True), (1, False)]
    assert pushed(topic.frames(T0 + 3 * MINUTE_MS)) == [(1, True), (2, True), (3, False)]


def test_an_unchanged_candle_is_not_pushed_again() -> None:
    source = ScriptedSource()
    topic = KlineTopic(source, "kline.1.BTCUSDT", T0)
    topic.frames(T0 + 1_000)
    assert topic.frames(T0 + 2_000) == []
    source.price = "101"
    assert pushed(topic.frames(T0 + 3_000)) == [(0, False)]


def test_a_halted_symbol_pushes_nothing() -> None:
    source = ScriptedSource()
    topic = KlineTopic(source, "kline.1.BTCUSDT", T0)
    source.price = None
    assert topic.frames(T0 + 90_000) == []
    assert topic.frames(T0 + 900_000) == []


def test_a_late_closed_candle_is_waited_for_and_holds_back_its_successor() -> None:
    source = ScriptedSource()
    source.unknown = {T0}
    topic = KlineTopic(source, "kline.1.BTCUSDT", T0)
    assert topic.frames(T0 + MINUTE_MS + 500) == []
    source.unknown = set()
    assert pushed(topic.frames(T0 + MINUTE_MS + 1_500)) == [(0, True), (1, False)]


def test_a_closed_candle_that_never_comes_is_given_up() -> None:
    source = ScriptedSource()
    source.unknown = {T0}
    topic = KlineTopic(source, "kline.1.BTCUSDT", T0)
    assert pushed(topic.frames(T0 + MINUTE_MS + PATIENCE_MS)) == [(1, False)]


def test_longer_intervals_close_at_their_own_boundaries() -> None:
    start = T0 - T0 % (5 * MINUTE_MS)
    topic = KlineTopic(ScriptedSource(), "kline.5.BTCUSDT", start)
    frames = topic.frames(start + 4 * MINUTE_MS) + topic.frames(start + 5 * MINUTE_MS)
    assert [f["data"][0]["confirm"] for f in frames] == [False, True, False]


def test_a_ticker_delta_carries_what_changed_alone() -> None:
    source = ScriptedSource()
    topic = TickerTopic(source, "tickers.BTCUSDT", T0)
    assert topic.frames(T0 + 1_000) == []
    source.price = "101"
    (delta,) = topic.frames(T0 + 2_000)
    assert delta["type"] == "delta"
    assert delta["data"] == {"symbol": "BTCUSDT", "lastPrice": "101"}


@pytest.mark.parametrize(
    "name", ["kline.2.BTCUSDT", "kline.1.DOGEUSDT", "kline.1", "tickers", "orderbook.1.BTCUSDT", ""]
)
def test_a_topic_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="handler not found,topic:" + name):
        open_topic(ScriptedSource(), name, ("BTCUSDT",), T0)
