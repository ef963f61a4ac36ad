"""
The chart's candles as the text they leave in: written once a closed minute, not once a reader.

Five thousand rows take sixty milliseconds to read and write, and every reader of a minute gets the same ones. What is
asked anew each time is the newest two: as long as the closed one of them is the same, the rest is; the last one, which
may still move, is never kept. A list that was rebuilt in the middle is forgotten at once. Used from any thread: whoever
comes while a list is being read waits for it instead of reading it too.
"""

import json
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from app.live import Series, row_of
from lib.domain.candle import Candle

MOST_CANDLES = 5_000
Read = Callable[[str, str, int], list[Candle]]
"""The newest candles of a symbol and an interval, so many at most, oldest first, the forming one last."""


@dataclass(frozen=True, slots=True)
class _Kept:
    opened_s: tuple[int, ...]
    rows: tuple[str, ...]


class Snapshots:
    """All series of this process."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: dict[Series, _Kept] = {}
        self._turn: dict[Series, threading.Lock] = defaultdict(threading.Lock)

    def body(self, series: Series, count: int, since_s: int) -> bytes:
        """`{symbol, interval, rows}` of at most *count* newest candles that open at or after *since_s* (seconds)."""
        newest = self._read(*series, 2)
        closed = self._closed(series, newest) if newest else _Kept((), ())
        last = newest[-1:] if newest and newest[-1].open_time // 1000 >= since_s else []
        first = max(bisect_left(closed.opened_s, since_s), len(closed.rows) - count + len(last))
        rows = (*closed.rows[max(first, 0) :], *map(_row, last))
        head = json.dumps({"symbol": series[0], "interval": series[1]})[:-1]
        return f'{head}, "rows": [{",".join(rows)}]}}'.encode()

    def forget(self, series: Series) -> None:
        """The list of *series* was made anew."""
        self._kept.pop(series, None)

    def _closed(self, series: Series, newest: list[Candle]) -> _Kept:
        """Every row but the last; read anew when the one before the last is not the one that is kept."""
        with self._turn[series]:
            kept = self._kept.get(series)
            if kept is None or kept.rows[-1:] != tuple(map(_row, newest[:-1])):
                kept = self._kept[series] = _kept(self._read(*series, MOST_CANDLES), newest[-1])
            return kept


def _kept(candles: list[Candle], last: Candle) -> _Kept:
    # a minute may have ended between the two readings
    closed = [candle for candle in candles if candle.open_time < last.open_time]
    return _Kept(tuple(candle.open_time // 1000 for candle in closed), tuple(map(_row, closed)))


def _row(candle: Candle) -> str:
    return json.dumps(row_of(candle), separators=(",", ":"))
