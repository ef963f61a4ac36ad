"""
Public Bybit v5 market data over pybit: closed candles, trading rules, tickers, the venue's clock.

The host is a setting (mainnet, testnet, the local simulator). pybit's own retries are off, because they sleep inside
the call; every failure is one of the four reactions here. Calls from several threads take turns: the session behind
pybit is not made for sharing. After HTTP 403 no call is made for ten minutes. No key is involved, and the session
object is never logged. USDT perpetuals (`linear`) only.

Source: https://bybit-exchange.github.io/docs/v5/market/kline, .../instrument, .../tickers, .../time,
.../open-interest, .../long-short-ratio, .../orderbook
"""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP
from requests.adapters import BaseAdapter

from lib.adapters.bybit.codes import ADDRESS_BLOCKED, FORBIDDEN
from lib.adapters.bybit.kline_wire import candle_from_row, wire_interval
from lib.adapters.bybit.limits.ban import Ban, OwnBan
from lib.adapters.bybit.limits.steps import Steps
from lib.adapters.bybit.rest.measure_wire import (
    HOURS,
    funding_from,
    long_short_from,
    open_interest_from,
    order_book_from,
)
from lib.domain import reason_codes as codes
from lib.domain.candle import Candle, decimal_from_wire, interval_ms
from lib.domain.errors import Halt, MaemaeError, Retry
from lib.domain.instrument import Instrument
from lib.domain.measures import BOOK_DEPTH, Measured, MeasureKind
from lib.domain.quotes import Ticker
from lib.ports.market import MarketData, MarketMeasures, NotListed

PAGE = 1000
"""Rows the venue gives at most."""
TIMEOUTS = (2.0, 8.0)
"""Seconds to connect, seconds to wait for data."""

_CATEGORY = "linear"
_UNKNOWN_REQUEST = 10001
_UNKNOWN_ROUTE = 10017
_HALTING_STATUS = {401, 404}


class BybitMarketData(MarketData, MarketMeasures):
    """
    `lib.ports.market.MarketData` at *base_url* (`https://host` without a path). *Halt* for a URL that cannot work.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: tuple[float, float] = TIMEOUTS,
        ban: Ban | None = None,
        steps: Steps | None = None,
    ) -> None:
        # max_retries=1 and a code that never comes: one request per call, no sleeping inside pybit
        self._http = HTTP(timeout=timeouts, max_retries=1, retry_codes={-1_000_000})
        self._http.endpoint = _checked(base_url)
        self._http.client.trust_env = not _is_loopback(base_url)  # a proxy cannot reach our own simulator
        self._turn = threading.Lock()
        self._ban = ban or OwnBan()
        self._steps = steps

    def mount(self, adapter: BaseAdapter) -> None:
        """Carry every request by *adapter* instead of a socket: an exchange inside this process."""
        self._http.client.mount("http://", adapter)

    def server_time(self) -> int:
        return int(self._ask(lambda: self._http.get_server_time(), lambda answer: int(answer["time"])))

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = PAGE) -> list[Candle]:
        if not 1 <= limit <= PAGE:
            raise ValueError(f"limit is 1..{PAGE}")
        step = interval_ms(interval)
        if end is None:
            end = self.server_time() - step  # a candle is closed when it opened at least one step ago
        query = {"category": _CATEGORY, "symbol": symbol, "interval": wire_interval(interval)}
        candles: list[Candle] = self._ask(
            lambda: self._http.get_kline(**query, end=end, limit=min(limit + 1, PAGE)),
            lambda answer: _closed(answer, step, end),
        )
        return candles[-limit:]

    def instrument(self, symbol: str) -> Instrument:
        instrument: Instrument = self._ask(
            lambda: self._http.get_instruments_info(category=_CATEGORY, symbol=symbol),
            lambda answer: _instrument(_row_of(answer, symbol)),
        )
        return instrument

    def ticker(self, symbol: str) -> Ticker:
        ticker: Ticker = self._ask(
            lambda: self._http.get_tickers(category=_CATEGORY, symbol=symbol),
            lambda answer: _ticker(_row_of(answer, symbol), int(answer["time"])),
        )
        return ticker

    def measure(self, symbol: str, kind: MeasureKind) -> Measured:
        query = {"category": _CATEGORY, "symbol": symbol}
        asked: dict[MeasureKind, tuple[Callable[[], Any], Callable[[Any], Measured]]] = {
            "funding": (
                lambda: self._http.get_tickers(**query),
                lambda answer: funding_from(_row_of(answer, symbol), int(answer["time"])),
            ),
            "open_interest": (
                lambda: self._http.get_open_interest(**query, intervalTime="1h", limit=HOURS),
                open_interest_from,
            ),
            "long_short": (
                lambda: self._http.get_long_short_ratio(**query, period="5min", limit=1),
                long_short_from,
            ),
            "order_book": (lambda: self._http.get_orderbook(**query, limit=BOOK_DEPTH), order_book_from),
        }
        measured: Measured = self._ask(*asked[kind])
        return measured

    def close(self) -> None:
        """Give the connections back."""
        self._http.client.close()

    def _ask(self, request: Callable[[], Any], parse: Callable[[Any], Any]) -> Any:
        try:
            with self._turn:
                self._ban.heed(self._http.endpoint)
                if self._steps is not None:
                    self._steps.wait()
                answer = request()
            return parse(answer)
        except InvalidRequestError as refusal:
            if refusal.status_code == ADDRESS_BLOCKED:
                self._ban.met(self._http.endpoint)
            raise _refused(refusal.status_code, str(refusal.message)) from None
        except FailedRequestError as failure:
            if failure.status_code == FORBIDDEN:
                self._ban.met(self._http.endpoint)
            raise _failed(failure.status_code) from None
        except requests.RequestException as problem:
            raise Retry(codes.BYBIT_UNREACHABLE(type=type(problem).__name__)) from None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as problem:
            raise Retry(codes.BYBIT_UNREADABLE(type=type(problem).__name__)) from None


def _refused(code: object, text: str) -> MaemaeError:
    if code == _UNKNOWN_REQUEST and "symbol" in text.lower():
        return NotListed(codes.BYBIT_SYMBOL_UNKNOWN(said=text[:80]))
    if code == _UNKNOWN_REQUEST:
        return Halt(f"Bybit refuses the request, check symbols and intervals: {text[:120]}")
    if code == _UNKNOWN_ROUTE:
        return Halt("Bybit does not know the route: check BYBIT_API_URL")
    return Retry(codes.BYBIT_ERROR(code=_number(code), said=text[:120]))


def _number(code: object) -> int:
    return code if isinstance(code, int) else 0


def _failed(status: object) -> MaemaeError:
    if status in _HALTING_STATUS:
        return Halt(f"Bybit answers HTTP {status}: check BYBIT_API_URL")
    if status == FORBIDDEN:
        return Retry(codes.BYBIT_FORBIDDEN())
    return Retry(codes.BYBIT_HTTP(status=_number(status)))


def _closed(answer: Any, step: int, end: int) -> list[Candle]:
    newest_first = [candle_from_row(row) for row in answer["result"]["list"]]
    server_now = int(answer["time"])
    closed = (candle for candle in newest_first if candle.open_time <= end and candle.open_time + step <= server_now)
    return sorted(closed, key=lambda candle: candle.open_time)


def _row_of(answer: Any, symbol: str) -> Any:
    for row in answer["result"]["list"]:
        if row["symbol"] == symbol:
            return row
    raise NotListed(codes.BYBIT_NOT_LISTED(symbol=symbol))


def _instrument(row: Any) -> Instrument:
    lots, prices = row["lotSizeFilter"], row["priceFilter"]
    return Instrument(
        symbol=row["symbol"],
        tick_size=_positive(prices["tickSize"]),
        qty_step=_positive(lots["qtyStep"]),
        min_qty=_positive(lots["minOrderQty"]),
        max_market_qty=_positive(lots["maxMktOrderQty"]),
        min_notional=decimal_from_wire(lots["minNotionalValue"]),
        max_leverage=_positive(row["leverageFilter"]["maxLeverage"]),
        trading=row["status"] == "Trading",
    )


def _ticker(row: Any, server_now: int) -> Ticker:
    return Ticker(row["symbol"], _positive(row["lastPrice"]), _positive(row["markPrice"]), server_now)


def _positive(text: object) -> Decimal:
    value = decimal_from_wire(text)
    if value <= 0:
        raise ValueError("must be positive")
    return value


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.path.strip("/"):
        raise Halt("BYBIT_API_URL must look like https://api.bybit.com")
    return base_url.rstrip("/")


def _is_loopback(base_url: str) -> bool:
    return urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
