"""
A market out of a candle file: CSV or CSV.gz with the header open_time,open,high,low,close,volume.

*open_time* in epoch ms, prices in USDT, volume in base units, one row a minute without gaps, oldest first. Before
the first row and after the last there is no trading. Anything wrong with a file is one *Halt* naming file, line and
problem; nothing is repaired or skipped.
"""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path as FilePath

from lib.domain.candle import MINUTE_MS, Candle, candle_problem, decimal_from_wire
from lib.domain.errors import Halt
from lib.simulator.path import Path, forming_on, price_on, walk

HEADER = ["open_time", "open", "high", "low", "close", "volume"]


class ReplayMarket:
    """*candles* (consecutive, oldest first) of one *symbol* as a `Market`; the tick is the finest decimal seen."""

    def __init__(self, symbol: str, candles: Sequence[Candle]) -> None:
        if not candles:
            raise ValueError("a replay needs at least one candle")
        self._symbol = symbol
        self._candles = {candle.open_time: candle for candle in candles}
        self.first_open, self.last_open = candles[0].open_time, candles[-1].open_time
        self._tick = finest_step(candles)
        self._path = lru_cache(maxsize=512)(self._make_path)

    @property
    def symbols(self) -> tuple[str, ...]:
        return (self._symbol,)

    def candle(self, symbol: str, open_time: int) -> Candle | None:
        return self._candles.get(open_time) if symbol == self._symbol else None

    def span(self, symbol: str) -> tuple[int, int]:
        return self.first_open, self.last_open

    def price_at(self, symbol: str, at_ms: int) -> Decimal | None:
        return price_on(self.path(symbol, at_ms - at_ms % MINUTE_MS), at_ms % MINUTE_MS)

    def forming(self, symbol: str, at_ms: int) -> Candle | None:
        open_time = at_ms - at_ms % MINUTE_MS
        candle = self.candle(symbol, open_time)
        return forming_on(self.path(symbol, open_time), candle, at_ms % MINUTE_MS) if candle else None

    def path(self, symbol: str, open_time: int) -> Path:
        return self._path(symbol, open_time)

    def _make_path(self, symbol: str, open_time: int) -> Path:
        candle = self.candle(symbol, open_time)
        return walk(symbol, candle, self._tick) if candle else ()


def finest_step(candles: Iterable[Candle]) -> Decimal:
    """The smallest price step the data shows, 1 at most: 46319.0 with 46319.5 is 0.5's decade, 0.1."""
    decimals = 0
    for candle in candles:
        for price in (candle.open, candle.high, candle.low, candle.close):
            exponent = price.normalize().as_tuple().exponent
            decimals = max(decimals, -int(exponent))
    return Decimal(1).scaleb(-decimals)


def read_candles(path: FilePath | str) -> list[Candle]:
    """All candles of the file, oldest first; *Halt* with one line when anything about it is wrong."""
    file = FilePath(path)
    try:
        candles = list(_rows(file))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Halt(f"candle file {file}: cannot be read: {reason}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Halt(f"candle file {file}: is not CSV text: {error}") from None
    if not candles:
        raise Halt(f"candle file {file}: line 2: there is no candle after the header")
    return candles


def _rows(file: FilePath) -> Iterator[Candle]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8", newline="") as text:
        reader = csv.reader(text)
        header = next(reader, None)
        if header != HEADER:
            raise Halt(f"candle file {file}: line 1: the header must be {','.join(HEADER)}")
        previous: int | None = None
        for row in reader:
            candle = _candle(file, reader.line_num, row)
            _check_order(file, reader.line_num, previous, candle.open_time)
            previous = candle.open_time
            yield candle


def _candle(file: FilePath, line: int, row: list[str]) -> Candle:
    try:
        if len(row) != len(HEADER):
            raise ValueError(f"has {len(row)} fields instead of {len(HEADER)}")
        if not (row[0].isascii() and row[0].isdigit() and len(row[0]) <= 16):
            raise ValueError(f"open_time is not epoch ms: {row[0][:20]!r}")
        candle = Candle(int(row[0]), *(decimal_from_wire(text) for text in row[1:]))
        if problem := candle_problem(candle, MINUTE_MS):
            raise ValueError(problem)
    except ValueError as error:
        raise Halt(f"candle file {file}: line {line}: {error}") from None
    return candle


def _check_order(file: FilePath, line: int, previous: int | None, open_time: int) -> None:
    if previous is None or open_time == previous + MINUTE_MS:
        return
    if open_time == previous:
        problem = "this minute is there twice"
    elif open_time < previous:
        problem = "rows are not oldest first"
    else:
        missing = (open_time - previous) // MINUTE_MS - 1
        problem = f"{missing} minutes are missing before it"
    raise Halt(f"candle file {file}: line {line}: {problem}")
