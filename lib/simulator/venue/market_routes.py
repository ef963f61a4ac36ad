"""The public, unsigned routes: time, klines, instruments, tickers, funding history, risk limits."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.funding import FUNDING_MS
from lib.domain.instrument import Instrument
from lib.domain.position import ZERO
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Call
from lib.simulator.venue.klines import INTERVALS, Klines, Piece, turnover
from lib.simulator.venue.wire import plain, rounded

Result = dict[str, Any]
HOUR_MS = 3_600_000
LAUNCH_MS = 1_585_526_400_000


class MarketRoutes:
    """The handlers about prices; *klines* is shared with the streams."""

    def __init__(self, klines: Klines) -> None:
        self._klines = klines

    def time(self, call: Call) -> Result:
        """The venue's clock."""
        return {"timeSecond": str(call.now // 1000), "timeNano": f"{call.now}000000"}

    def kline(self, call: Call) -> Result:
        """Klines newest first, the open row included, 200 rows unless said otherwise."""
        call.linear()
        symbol, interval, opens = self._asked_klines(call)
        found = (self._klines.candle(symbol, interval, at, call.engine.last_advanced_ms) for at in opens)
        rows = [_kline_row(candle) for candle in found if candle is not None]
        return {"symbol": symbol, "category": "linear", "list": rows}

    def price_kline(self, call: Call) -> Result:
        """Klines of the mark or the index price, both of which are the last price here: no volume."""
        asked = self.kline(call)
        return asked | {"list": [row[:5] for row in asked["list"]]}

    def premium_kline(self, call: Call) -> Result:
        """Klines of the premium of the mark over the index, which is none."""
        asked = self.kline(call)
        return asked | {"list": [[row[0], "0", "0", "0", "0"] for row in asked["list"]]}

    def _asked_klines(self, call: Call) -> tuple[str, str, list[int]]:
        """Symbol, interval and the open times asked for."""
        symbol = call.symbol()
        interval = call.params.required("interval")
        if interval not in INTERVALS:
            raise Refused(10001, "params error: interval invalid")
        start, end = call.params.integer("start", -1), call.params.integer("end", -1)
        opens = self._klines.opens(
            interval,
            call.engine.last_advanced_ms,
            call.params.integer("limit", 200, 1, 1000),
            start=None if start < 0 else start,
            end=None if end < 0 else end,
        )
        return symbol, interval, opens

    def instruments(self, call: Call) -> Result:
        """Trading rules of one symbol, or of all."""
        call.linear()
        known = [call.engine.books.instrument(symbol) for symbol in call.symbols()]
        return {"category": "linear", "list": [instrument_row(one) for one in known], "nextPageCursor": ""}

    def tickers(self, call: Call) -> Result:
        """Last price with the other fields of a ticker; no row for a symbol that never traded."""
        call.linear()
        rows = [ticker_row(call.engine, self._klines, one) for one in call.symbols()]
        return {"category": "linear", "list": [row for row in rows if row is not None]}

    def system_status(self, call: Call) -> Result:
        """Announced maintenance, newest first."""
        rows = [_status_row(begin, end, call.now) for begin, end in reversed(call.veil.announced)]
        return {"list": rows}

    # --- what they cost -----------------------------------------------------------------------------------------------

    def kline_pieces(self, call: Call) -> Iterator[Piece]:
        """The pieces of the market that `kline` needs and that are not read yet."""
        symbol, interval, opens = self._asked_klines(call)
        return self._klines.pieces(symbol, interval, opens, call.engine.last_advanced_ms)

    def day_pieces(self, call: Call) -> Iterator[Piece]:
        """The pieces that `tickers`, or any other answer about the last 24 hours, needs."""
        now = call.engine.last_advanced_ms
        hours = _last_hours(now)
        return chain.from_iterable(
            self._klines.pieces(symbol, "60", hours, now) for symbol in call.engine.books.instruments
        )

    def build(self, piece: Piece, now: int) -> None:
        """Read *piece* of the market."""
        self._klines.build(piece, now)

    # --- funding and risk ---------------------------------------------------------------------------------------------

    def funding_history(self, call: Call) -> Result:
        """Settled rates, newest first."""
        call.linear()
        symbol = call.symbol()
        start, end = call.params.integer("startTime", -1), call.params.integer("endTime", -1)
        if start >= 0 and end < 0:
            raise Refused(10001, "params error: endTime is required with startTime")
        at = min(end if end >= 0 else call.now, call.now)
        at -= at % FUNDING_MS
        times = range(at, max(start, 0) - 1, -FUNDING_MS)[: call.params.integer("limit", 200, 1, 200)]
        rows = [
            {
                "symbol": symbol,
                "fundingRate": plain(call.engine.funding_rate(symbol, t)),
                "fundingRateTimestamp": str(t),
            }
            for t in times
        ]
        return {"category": "linear", "list": rows}

    def risk_limit(self, call: Call) -> Result:
        """One tier per symbol."""
        call.linear()
        symbol = call.params.text("symbol")
        known = [call.engine.books.instrument(symbol)] if symbol else list(call.engine.books.instruments.values())
        return {"category": "linear", "list": [_risk_row(call.engine, one) for one in known], "nextPageCursor": ""}


def _kline_row(candle: Candle) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [str(candle.open_time), *map(plain, prices), plain(candle.volume), rounded(turnover(candle))]


def _status_row(begin: int, end: int, now: int) -> Result:
    state = "completed" if now >= end else "ongoing" if now >= begin else "scheduled"
    return {
        "id": f"sim-{begin}",
        "title": "simulated maintenance",
        "state": state,
        "begin": str(begin),
        "end": str(end),
        "href": "",
        "serviceTypes": [1, 2, 3, 4, 5],
        "product": [1, 2, 3, 4],
        "uidSuffix": [],
        "maintainType": 1,
        "env": 1,
    }


def _risk_row(engine: Engine, instrument: Instrument) -> Result:
    return {
        "id": 1,
        "symbol": instrument.symbol,
        "riskLimitValue": plain(engine.config.risk_limit),
        "maintenanceMargin": plain(engine.config.maintenance_rate),
        "initialMargin": rounded(1 / instrument.max_leverage),
        "isLowestRisk": 1,
        "maxLeverage": plain(instrument.max_leverage),
        "mmDeduction": "",
    }


def instrument_row(one: Instrument) -> Result:
    """A row of instruments-info."""
    decimals = max(-int(one.tick_size.normalize().as_tuple().exponent), 0)
    most = plain(one.max_market_qty * 2)
    return {
        "symbol": one.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading" if one.trading else "Closed",
        "baseCoin": one.symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "launchTime": str(LAUNCH_MS),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(decimals),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{one.max_leverage:.2f}", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": plain(one.tick_size),
            "maxPrice": plain(one.tick_size * 19_999_998),
            "tickSize": plain(one.tick_size),
        },
        "lotSizeFilter": {
            "maxOrderQty": most,
            "minOrderQty": plain(one.min_qty),
            "qtyStep": plain(one.qty_step),
            "postOnlyMaxOrderQty": most,
            "maxMktOrderQty": plain(one.max_market_qty),
            "minNotionalValue": plain(one.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": FUNDING_MS // MINUTE_MS,
        "settleCoin": "USDT",
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.1"},
        "symbolType": "",
    }


def ticker_row(engine: Engine, klines: Klines, symbol: str) -> Result | None:
    """A row of tickers at the engine's present; None when the symbol never traded."""
    now, last = engine.last_advanced_ms, engine.books.mark(symbol)
    if not last:
        return None
    half = engine.books.instrument(symbol).tick_size * engine.config.half_spread_ticks
    return {
        "symbol": symbol,
        "lastPrice": plain(last),
        "indexPrice": plain(last),
        "markPrice": plain(last),
        **_day_fields(klines, symbol, now, last),
        "openInterest": "0",
        "openInterestValue": "0",
        "singleOpenInterest": "0",
        "singleOpenInterestValue": "0",
        "fundingRate": plain(engine.funding_rate(symbol, now + FUNDING_MS)),
        "nextFundingTime": str(now - now % FUNDING_MS + FUNDING_MS),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": "10",
        "bid1Price": plain(last - half),
        "ask1Price": plain(last + half),
        "bid1Size": "10",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": "8",
        "fundingCap": "0.00375",
        "basisRateYear": "",
    }


def _day_fields(klines: Klines, symbol: str, now: int, last: Decimal) -> Result:
    """The last 24 hours, as 24 hourly candles up to the one under way."""
    hours = [klines.candle(symbol, "60", at, now) for at in _last_hours(now)]
    known = [candle for candle in hours if candle is not None]
    day_ago = known[-1].open if known else last
    return {
        "prevPrice24h": plain(day_ago),
        "price24hPcnt": plain(((last - day_ago) / day_ago).quantize(Decimal("0.000001"))),
        "highPrice24h": plain(max((candle.high for candle in known), default=last)),
        "lowPrice24h": plain(min((candle.low for candle in known), default=last)),
        "prevPrice1h": plain(known[0].open if known else last),
        "turnover24h": rounded(sum(map(turnover, known), ZERO)),
        "volume24h": plain(sum((candle.volume for candle in known), ZERO)),
    }


def _last_hours(now: int) -> list[int]:
    """Open times of the last 24 hours, newest first, the one under way among them."""
    newest = now - now % HOUR_MS
    return [newest - back * HOUR_MS for back in range(24)]
