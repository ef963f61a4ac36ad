"""Public REST through pybit: Bybit's documented shapes in, our values or one of the four reactions out."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from lib.adapters.bybit import kline_wire
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.candle_shelf import ParquetShelf
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Halt, Retry
from lib.domain.quotes import Ticker
from lib.market.history import load_history
from lib.market.library import Library
from lib.ports.market import NotListed
from tests.fakes.market import START, SetClock, run_of

NOW = START + 3000 * MINUTE_MS + 20_000
ROWS = run_of(3001)

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


def envelope(result: Any, code: int = 0, text: str = "OK") -> dict[str, Any]:
    """The wrapping of every v5 answer."""
    return {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": NOW}


def row(candle: Candle) -> list[str]:
    """A REST kline row."""
    numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return [str(candle.open_time), *map(str, numbers), "34666.4005"]


def klines(query: dict[str, str]) -> dict[str, Any]:
    """As documented: newest first, the open row included, at most *limit* rows ending at *end*."""
    assert query["category"] == "linear"
    end = int(query.get("end", NOW))
    rows = [row(candle) for candle in ROWS if candle.open_time <= end]
    newest = rows[-int(query.get("limit", "200")) :]
    return envelope({"symbol": query["symbol"], "category": "linear", "list": newest[::-1]})


INSTRUMENT = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "1190.000",
        "minOrderQty": "0.001",
        "qtyStep": "0.001",
        "maxMktOrderQty": "500.000",
        "minNotionalValue": "5",
    },
}


@dataclass
class Venue:
    """A REST server; *override* replaces every answer by (HTTP status, body)."""

    url: str = ""
    override: tuple[int, bytes] | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    instruments: list[dict[str, Any]] = field(default_factory=lambda: [INSTRUMENT])

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        self.asked.append((path, query))
        if path == "/v5/market/time":
            return envelope({"timeSecond": str(NOW // 1000), "timeNano": f"{NOW}000000"})
        if path == "/v5/market/kline":
            return klines(query)
        if path == "/v5/market/instruments-info":
            return envelope({"category": "linear", "list": self.instruments, "nextPageCursor": ""})
        ticker = {"symbol": query["symbol"], "lastPrice": "16597.00", "markPrice": "16596.00", "fundingRate": ""}
        return envelope({"category": "linear", "list": [ticker]})


@pytest.fixture
def venue() -> Iterator[Venue]:
    venue = Venue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = venue.override or (200, b"")
            if not venue.override:
                body = json.dumps(venue.answer(parts.path, dict(parse_qsl(parts.query)))).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    venue.url = f"http://127.0.0.1:{server.server_port}"
    yield venue
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def market(venue: Venue) -> Iterator[BybitMarketData]:
    market = BybitMarketData(venue.url, timeouts=(1.0, 1.0))
    yield market
    market.close()


def test_the_newest_closed_candles_come_oldest_first_without_the_open_one(market: BybitMarketData) -> None:
    assert market.closed_candles("BTCUSDT", "1m", limit=3) == ROWS[2997:3000]
    assert market.closed_candles("BTCUSDT", "1m", limit=1000) == ROWS[2000:3000]


def test_an_end_inside_the_open_candle_does_not_let_it_in(market: BybitMarketData) -> None:
    assert market.closed_candles("BTCUSDT", "1m", end=NOW, limit=2) == ROWS[2998:3000]


def test_pages_are_walked_backwards_into_the_whole_history(market: BybitMarketData, venue: Venue) -> None:
    assert load_history(market, "BTCUSDT", "1m", count=2500).candles == ROWS[500:3000]
    asked = [query for path, query in venue.asked if path.endswith("kline")]
    assert [query["limit"] for query in asked] == ["1000", "1000", "501"], "no more than is kept, and never the default"


def test_the_candle_library_is_filled_over_the_wire(market: BybitMarketData, venue: Venue, tmp_path: Path) -> None:
    library = Library(ParquetShelf(tmp_path, "bybit"), market, "rest here", SetClock(NOW))
    span = (ROWS[0].open_time, ROWS[3000].open_time)
    assert library.fill("BTCUSDT", span) > 3_000
    found = library.read("BTCUSDT", span)
    assert list(found.candles) == ROWS[:3000]
    assert found.gaps == ()
    assert library.fill("BTCUSDT", span) == 0
    ends = [int(query["end"]) for path, query in venue.asked if path.endswith("kline")]
    assert ends == sorted(ends, reverse=True), "each page once"


def test_intervals_are_asked_for_in_the_venues_words(market: BybitMarketData, venue: Venue) -> None:
    market.closed_candles("ETHUSDT", "4h", end=NOW, limit=5)
    assert venue.asked[-1][1]["interval"] == "240"
    assert venue.asked[-1][1]["symbol"] == "ETHUSDT"


def test_the_clock_the_rules_and_the_ticker_are_the_venues(market: BybitMarketData) -> None:
    assert market.server_time() == NOW
    assert market.ticker("BTCUSDT") == Ticker("BTCUSDT", Decimal("16597.00"), Decimal("16596.00"), NOW)
    rules = market.instrument("BTCUSDT")
    assert (rules.tick_size, rules.qty_step, rules.min_notional) == (Decimal("0.10"), Decimal("0.001"), Decimal(5))
    assert rules.max_market_qty == Decimal(500)
    assert rules.trading


def test_a_symbol_that_is_not_trading_says_so(market: BybitMarketData, venue: Venue) -> None:
    venue.instruments = [{**INSTRUMENT, "status": "Closed"}]
    assert not market.instrument("BTCUSDT").trading


def test_an_unknown_symbol_is_that_symbols_trouble(market: BybitMarketData, venue: Venue) -> None:
    venue.instruments = []
    with pytest.raises(NotListed, match="NOPEUSDT"):
        market.instrument("NOPEUSDT")
    refusal = json.dumps(envelope({}, 10001, "Not supported symbols: NOPEUSDT")).encode()
    venue.override = (200, refusal)
    with pytest.raises(NotListed, match="Not supported symbols"):
        market.closed_candles("NOPEUSDT", "1m", end=NOW)


def _refusal(code: int) -> bytes:
    return json.dumps(envelope({}, code, "as the venue says")).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, _refusal(10006)),
        (200, _refusal(10002)),
        (200, _refusal(10016)),
        (200, _refusal(10000)),
        (200, _refusal(987654)),
        (200, b"<html>maintenance</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, json.dumps(envelope({"list": [["x"]]})).encode()),
        (200, json.dumps(envelope({"list": [[str(START), "NaN", "1", "1", "1", "1", "1"]]})).encode()),
        (200, json.dumps(envelope({"list": [[str(START), 1.5, "1", "1", "1", "1", "1"]]})).encode()),
        (200, json.dumps(envelope({"list": [["-60000", "1", "1", "1", "1", "1", "1"]]})).encode()),
        (403, b""),
        (429, b"{}"),
        (500, b""),
        (503, b"busy"),
    ],
)
def test_trouble_at_the_venue_is_retry(market: BybitMarketData, venue: Venue, status: int, body: bytes) -> None:
    venue.override = (status, body)
    with pytest.raises(Retry):
        market.closed_candles("BTCUSDT", "1m", end=NOW)


@pytest.mark.parametrize(("status", "body"), [(200, _refusal(10001)), (200, _refusal(10017)), (404, b""), (401, b"")])
def test_a_request_that_can_never_work_is_halt(market: BybitMarketData, venue: Venue, status: int, body: bytes) -> None:
    venue.override = (status, body)
    with pytest.raises(Halt):
        market.closed_candles("BTCUSDT", "1m", end=NOW)


def test_one_call_is_one_request_whatever_the_answer(
    market: BybitMarketData, venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    venue.override = (200, _refusal(10006))
    counted: list[None] = []
    client = market._http.client
    client.hooks["response"].append(lambda *_args, **_kwargs: counted.append(None))
    began = time.monotonic()
    with pytest.raises(Retry):
        market.server_time()
    assert len(counted) == 1
    assert time.monotonic() - began < 1, "pybit would sleep until the limit resets"


def test_an_unreachable_venue_is_retry() -> None:
    market = BybitMarketData("http://127.0.0.1:9", timeouts=(0.5, 0.5))
    with pytest.raises(Retry, match="bybit_unreachable"):
        market.server_time()
    market.close()


@pytest.mark.parametrize(
    "url", ["", "api.bybit.com", "ftp://x", "https://", "https://x/path", "http://x:y", "http://[::1"]
)
def test_a_base_url_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(Halt, match="BYBIT_API_URL"):
        BybitMarketData(url)


@pytest.mark.parametrize("fields", [[], ["1"] * 5, ["1.5", *["1"] * 6], [1, *["1"] * 6], ["²", *["1"] * 6]])
def test_a_row_that_is_not_one_is_refused(fields: list[object]) -> None:
    with pytest.raises(ValueError):
        kline_wire.candle_from_row(fields)


@pytest.mark.parametrize("blocked", [(403, b""), (200, json.dumps(envelope({}, 10018, "ip banned")).encode())])
def test_after_http_403_nothing_is_asked_any_more(
    venue: Venue, market: BybitMarketData, blocked: tuple[int, bytes]
) -> None:
    venue.override = blocked
    with pytest.raises(Retry):
        market.server_time()
    venue.override = None
    with pytest.raises(Retry, match="address_blocked"):
        market.server_time()
    assert venue.asked == []
