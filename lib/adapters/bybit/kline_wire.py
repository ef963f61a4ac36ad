"""
Bybit v5 klines to our candles: stream frames and REST rows, parsed strictly.

Numbers arrive as strings and become exact Decimals; anything else is a ValueError naming what is wrong. `confirm` is
our *closed*. Whether a candle is plausible is checked elsewhere (`lib.domain.candle.candle_problem`).

Source: https://bybit-exchange.github.io/docs/v5/websocket/public/kline and .../v5/market/kline
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from lib.domain.candle import INTERVALS, Candle, decimal_from_wire
from lib.domain.quotes import KlineUpdate

_THEIRS = {name: {1440: "D"}.get(minutes, str(minutes)) for name, minutes in INTERVALS.items()}
_OURS = {wire: name for name, wire in _THEIRS.items()}


class _Row(msgspec.Struct):
    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    confirm: bool
    timestamp: int


class Frame(msgspec.Struct):
    """One frame of the public stream: kline data (*topic*, *data*) or an answer (*op*, *success*, *ret_msg*)."""

    topic: str = ""
    data: list[_Row] = []
    op: str = ""
    success: bool = False
    ret_msg: str = ""
    req_id: str = ""


_frame = msgspec.json.Decoder(Frame)


def wire_interval(interval: str) -> str:
    """Our interval name as Bybit writes it: minutes, a day as a letter."""
    return _THEIRS[interval]


def topic(symbol: str, interval: str) -> str:
    """The stream's name of one kline series."""
    return f"kline.{wire_interval(interval)}.{symbol}"


def parse_frame(raw: str | bytes) -> Frame:
    """A frame, its numbers still text; ValueError for anything that is not one."""
    try:
        return _frame.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError(f"not a frame of the kline stream: {problem}") from None


def updates(frame: Frame) -> list[KlineUpdate]:
    """The pushes of a kline frame, in order; ValueError for an unreadable number or topic."""
    symbol, interval = _series(frame.topic)
    return [_update(symbol, interval, row) for row in frame.data]


def candle_from_row(row: Sequence[object]) -> Candle:
    """A REST row `[start, open, high, low, close, volume, turnover]`, all strings."""
    if len(row) < 6:
        raise ValueError("a kline row has at least six fields")
    start = row[0]
    if not isinstance(start, str) or not start.isascii() or not start.isdigit() or len(start) > 15:
        raise ValueError("a kline row starts with its time in ms")
    o, h, lo, c, v = map(decimal_from_wire, row[1:6])
    return Candle(int(start), o, h, lo, c, v)


def _update(symbol: str, interval: str, row: _Row) -> KlineUpdate:
    candle = Candle(
        row.start,
        decimal_from_wire(row.open),
        decimal_from_wire(row.high),
        decimal_from_wire(row.low),
        decimal_from_wire(row.close),
        decimal_from_wire(row.volume),
    )
    return KlineUpdate(symbol, interval, candle, row.confirm, row.timestamp)


@lru_cache(maxsize=1024)
def _series(name: str) -> tuple[str, str]:
    kind, _, rest = name.partition(".")
    wire, _, symbol = rest.partition(".")
    if kind != "kline" or not symbol or wire not in _OURS:
        raise ValueError(f"not a kline topic of ours: {name[:60]!r}")
    return symbol, _OURS[wire]
