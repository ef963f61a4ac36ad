"""
What the simulated venue tells beside prices: open interest, the ratio of accounts, an order book.

Each is a pure function of the engine's seed, the symbol, the time and the last price, so that a run can be repeated.
Nothing is matched against this book and no price comes of it; fills are `lib.simulator.engine`'s.
"""

from decimal import Decimal
from hashlib import blake2b
from typing import Any

from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Call
from lib.simulator.venue.wire import plain

STEPS = {"5min": 300_000, "15min": 900_000, "30min": 1_800_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}
"""Interval names of both histories, in ms."""
BOOK_MS = 10_000
"""How long a book stands."""
MOST_LEVELS = 500
Result = dict[str, Any]


def open_interest(call: Call) -> Result:
    """Open interest at the beginnings of intervals, newest first."""
    call.linear()
    symbol, step = call.symbol(), _step(call.params.required("intervalTime"))
    rows = [
        {"openInterest": plain(_interest(call.engine, symbol, at)), "timestamp": str(at)}
        for at in _times(call, step, call.params.integer("limit", 50, 1, 200))
    ]
    return {"symbol": symbol, "category": "linear", "list": rows, "nextPageCursor": ""}


def account_ratio(call: Call) -> Result:
    """Shares of accounts that are long and short, newest first."""
    call.linear()
    symbol, step = call.symbol(), _step(call.params.required("period"))
    rows = []
    for at in _times(call, step, call.params.integer("limit", 50, 1, 500)):
        long = (Decimal("0.5") + _share(call.engine, "ratio", symbol, at) / 5).quantize(Decimal("0.0001"))
        ratios = {"buyRatio": plain(long), "sellRatio": plain(1 - long)}
        rows.append({"symbol": symbol, **ratios, "timestamp": str(at)})
    return {"list": rows, "nextPageCursor": ""}


def order_book(call: Call) -> Result:
    """Both sides around the last price, best first; empty before the first trade."""
    call.linear()
    symbol, engine = call.symbol(), call.engine
    count, last = call.params.integer("limit", 25, 1, MOST_LEVELS), engine.books.mark(symbol)
    rules, at = engine.books.instrument(symbol), call.now - call.now % BOOK_MS

    def side(name: str, sign: int) -> list[list[str]]:
        return [
            [plain(last + sign * rules.tick_size * (level + 1)), plain(_level(engine, f"{name}{level}", symbol, at))]
            for level in range(count if last else 0)
        ]

    return {"s": symbol, "b": side("b", -1), "a": side("a", 1), "ts": call.now, "u": at, "seq": at, "cts": call.now}


def _interest(engine: Engine, symbol: str, at: int) -> Decimal:
    return (50_000 + 5_000 * _share(engine, "interest", symbol, at)).quantize(Decimal("0.001"))


def _level(engine: Engine, name: str, symbol: str, at: int) -> Decimal:
    return (2 + _share(engine, name, symbol, at)).quantize(Decimal("0.001"))


def _share(engine: Engine, what: str, symbol: str, at: int) -> Decimal:
    """A number from -1 up to 1."""
    digest = blake2b(f"{engine.config.seed}|{what}|{symbol}|{at}".encode(), digest_size=4).digest()
    return Decimal(int.from_bytes(digest) - 2**31) / 2**31


def _times(call: Call, step: int, limit: int) -> range:
    newest = call.now - call.now % step
    return range(newest, newest - limit * step, -step)


def _step(name: str) -> int:
    if name not in STEPS:
        raise Refused(10001, f"params error: {name} is no interval")
    return STEPS[name]
