"""
The public routes beside klines and tickers: trades, price limits, and what stands behind a price and a liquidation.

Trades are the market's one-second prints with their share of the minute's volume. The simulator's index is its own last
price; it has no insurance fund, no auto-deleveraging, no fee groups and no announcements, and says so.
"""

from decimal import Decimal
from typing import Any

from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import market_bound
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Refused, id_of
from lib.simulator.venue import measure_routes
from lib.simulator.venue.call import Call
from lib.simulator.venue.wire import plain

Result = dict[str, Any]
MOST_TRADES = 1_000


def recent_trades(call: Call) -> Result:
    """The newest trades first, 500 unless said otherwise."""
    call.linear()
    symbol, now = call.symbol(), call.engine.last_advanced_ms
    limit = call.params.integer("limit", 500, 1, MOST_TRADES)
    rows: list[Result] = []
    minute, first = now - now % MINUTE_MS, call.engine.market.span(symbol)[0]
    while len(rows) < limit and minute > max(first - MINUTE_MS, now - MOST_TRADES * MINUTE_MS):
        rows += _trades_of(call.engine, symbol, minute, now)
        minute -= MINUTE_MS
    return {"category": "linear", "list": rows[:limit]}


def _trades_of(engine: Engine, symbol: str, minute: int, now: int) -> list[Result]:
    """The trades of *minute* up to *now*, newest first."""
    path = [(minute + offset, price) for offset, price in engine.market.path(symbol, minute) if minute + offset <= now]
    candle = engine.market.candle(symbol, minute) or engine.market.forming(symbol, now)
    if not path or candle is None:
        return []
    step = engine.books.instrument(symbol).qty_step
    size = max(candle.volume / 60 // step * step, step)
    before = [path[0][1], *(price for _, price in path)]
    rows = [_trade(symbol, at, (price, size), price >= last) for (at, price), last in zip(path, before, strict=False)]
    return rows[::-1]


def _trade(symbol: str, at: int, terms: tuple[Decimal, Decimal], rose: bool) -> Result:
    price, size = terms
    return {
        "execId": id_of(symbol, at),
        "symbol": symbol,
        "price": plain(price),
        "size": plain(size),
        "side": "Buy" if rose else "Sell",
        "time": str(at),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(at),
    }


def rpi_order_book(call: Call) -> Result:
    """The order book, with no retail price improvement at any level."""
    call.params.required("limit")
    call.params.integer("limit", 50, 1, 50)
    book = measure_routes.order_book(call)
    return book | {side: [[*level, "0"] for level in book[side]] for side in ("b", "a")}


def price_limit(call: Call) -> Result:
    """The highest price of a buying order and the lowest of a selling one."""
    call.linear()
    symbol = call.symbol()
    last, books = _price(call, symbol), call.engine.books
    highest, lowest = (market_bound(books.instrument(symbol), books.config, side, last) for side in ("buy", "sell"))
    return {"symbol": symbol, "buyLmt": plain(highest), "sellLmt": plain(lowest), "ts": str(call.now)}


def index_components(call: Call) -> Result:
    """The one price the index is made of."""
    name = call.params.required("indexName")
    call.engine.books.instrument(name)
    price = plain(_price(call, name))
    part = {"exchange": "Simulator", "spotPair": name, "equivalentPrice": price, "multiplier": "1", "price": price}
    return {"indexName": name, "lastPrice": price, "updateTime": str(call.now), "components": [part | {"weight": "1"}]}


def _price(call: Call, symbol: str) -> Decimal:
    price = call.engine.books.price(symbol)
    if price is None:
        raise Refused(110074, "This contract is not live")
    return price


def insurance(call: Call) -> Result:
    """No insurance fund: a liquidation takes the bankruptcy price, whatever the market says."""
    coin = call.params.text("coin", "USDT")
    symbols = ",".join(call.engine.books.instruments)
    rows = [{"coin": "USDT", "symbols": symbols, "balance": "0", "value": "0"}] if coin == "USDT" else []
    return {"updatedTime": str(call.now), "list": rows}


def adl_alert(call: Call) -> Result:
    """No symbol is near auto-deleveraging: there is none."""
    return {"updatedTime": str(call.now), "list": []}


def fee_groups(call: Call) -> Result:
    """No groups: every symbol costs the same."""
    call.params.one_of("productType", "", ("contract",))
    return {"list": []}


def announcements(call: Call) -> Result:
    """Nothing is announced; maintenance is told by the system's status."""
    call.params.required("locale")
    return {"total": 0, "list": []}
