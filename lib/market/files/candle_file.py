"""
A candle file's text to closed one-minute candles, oldest first.

Rows may come in any order. A minute without a row is a hole, which whoever trades skips visibly; a minute with two
different rows is refused, because one of them is not true. Candles of a longer interval are refused by name. Every
refusal is a *CandleFileError*: one line with the place and the reason.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice, pairwise

from lib.domain.candle import MINUTE_MS, Candle, candle_problem
from lib.market.files.header import Columns, columns_by_name, columns_by_place, counts_columns
from lib.market.files.intervals import longer_interval, longer_period, longer_span
from lib.market.files.moments import epoch_ms, is_metatrader, is_time_of_day, minute_ms
from lib.market.files.numerals import NOTHING, Mark, decimal, decimal_mark
from lib.market.files.table import HEAD_LINES, CandleFileError, Row, rows_of
from lib.reason_text import said

SAMPLE = 200
"""Rows from which the decimal mark is told."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CandleFile:
    """
    What a file holds: *candles* oldest first, at least one.

    *missing* counts the minutes in the gaps between them. *places* says where each open time stands ("line 7"),
    *symbols* where each name in its symbol column does. *notes* are sentences about what was taken although it was not
    as it should be.
    """

    candles: list[Candle]
    missing: int
    places: Mapping[int, str]
    symbols: Mapping[str, str]
    notes: tuple[str, ...]


def read_text(text: str) -> CandleFile:
    """The candles in *text*; *CandleFileError* with line and reason when they cannot be had without guessing."""
    heading, rows = _headed(rows_of(text))
    body = _Body(heading.columns)
    sample = list(islice(rows, SAMPLE))
    mark = _mark(heading.columns, sample)
    for row in chain(sample, rows):
        if list(row.cells) != heading.names:  # files joined end to end bring their headers along
            body.take(row, mark)
    return body.finished()


@dataclass(frozen=True, slots=True)
class _Heading:
    columns: Columns
    names: list[str]
    """The header as written; empty when there is none."""


def _headed(rows: Iterator[Row]) -> tuple[_Heading, Iterator[Row]]:
    """What the first lines say about the columns, and the rows with the candles; comments above are passed over."""
    above: list[Row] = []
    for row in islice(rows, HEAD_LINES):
        try:
            named = columns_by_name([name.lstrip("#") for name in row.cells])
        except ValueError as error:
            raise CandleFileError(str(error), row.where) from None
        if named is not None:
            return _with_clock(named, list(row.cells), rows)
        if placed := _placed(row, above[-1] if above else None):
            return _Heading(placed, list(above[-1].cells) if above else []), chain([row], rows)
        above.append(row)
    cells = ", ".join(above[0].cells)[:60]
    raise CandleFileError(f"neither a header nor a candle: {cells!r}", above[0].where)


def _with_clock(named: Columns, names: list[str], rows: Iterator[Row]) -> tuple[_Heading, Iterator[Row]]:
    """*named*, with a column `time` beside `date` only where it holds times of day."""
    first = list(islice(rows, 1))
    if named.clock is not None and first and not is_time_of_day(_cell(first[0], named.clock)):
        named = named.without_clock()
    return _Heading(named, names), chain(first, rows)


def _placed(row: Row, above: Row | None) -> Columns | None:
    begin = counts_columns(above.cells) if above is not None else None
    placed = columns_by_place(row.cells, begin or 0)
    if placed is not None and above is not None and begin is None and len(above.cells) == len(row.cells):
        names = ", ".join(above.cells)[:60]
        raise CandleFileError(
            f"which columns are these: {names}? Name them open_time,open,high,low,close,volume", above.where
        )
    return placed


def _mark(columns: Columns, sample: Sequence[Row]) -> Mark:
    cells = (_cell(row, place) for row in sample for place in (*columns.prices, columns.volume))
    try:
        return decimal_mark(cells)
    except ValueError as error:
        raise CandleFileError(str(error), sample[0].where) from None


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place] if place is not None and place < len(row.cells) else ""


@dataclass(slots=True)
class _Body:
    """What the rows have said so far."""

    columns: Columns
    candles: dict[int, Candle] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    symbols: dict[str, str] = field(default_factory=dict)
    twice: int = 0
    broker_clock: bool = False

    def take(self, row: Row, mark: Mark) -> None:
        try:
            candle = self._candle(row, mark)
            if candle is not None:
                self._keep(candle, row)
        except ValueError as error:
            raise CandleFileError(str(error), row.where) from None

    def _candle(self, row: Row, mark: Mark) -> Candle | None:
        """The candle of *row*; None when it says that there was no trading."""
        columns = self.columns
        if len(row.cells) < columns.width or any(cell.strip() for cell in row.cells[columns.width :]):
            raise ValueError(f"has {len(row.cells)} fields instead of {columns.width}")
        open_time = minute_ms(row.cells[columns.time], _cell(row, columns.clock))
        prices = [row.cells[place] for place in columns.prices]
        if all(price.strip().lower() in NOTHING for price in prices):
            return None
        opened, high, low, closed = (decimal(price, mark) for price in prices)
        volume = ZERO if columns.volume is None else decimal(row.cells[columns.volume], mark)
        candle = Candle(open_time, opened, high, low, closed, volume)
        if problem := candle_problem(candle, MINUTE_MS):
            raise ValueError(said(problem, "en"))
        return candle

    def _keep(self, candle: Candle, row: Row) -> None:
        if not self.candles:
            self._refuse_longer(candle, row)
            self.broker_clock = is_metatrader(row.cells[self.columns.time])
        known = self.candles.setdefault(candle.open_time, candle)
        if known is not candle:
            self.twice += 1
            if known != candle:
                raise ValueError(
                    f"{_at(candle.open_time)} is there twice and differs from {self.places[candle.open_time]}"
                )
            return
        self.places[candle.open_time] = row.where
        if self.columns.symbol is not None:
            self.symbols.setdefault(row.cells[self.columns.symbol].strip(), row.where)

    def _refuse_longer(self, candle: Candle, row: Row) -> None:
        """A row may tell its own interval: by its close time, or by name."""
        longer = longer_period(_cell(row, self.columns.interval))
        if longer is None and self.columns.close_time is not None:
            longer = longer_span(candle.open_time, epoch_ms(row.cells[self.columns.close_time]))
        if longer is not None:
            raise ValueError(_refused(longer))

    def finished(self) -> CandleFile:
        """Everything, in order. *CandleFileError* when these are no one-minute candles, or none at all."""
        if not self.candles:
            raise CandleFileError("there is no candle in it", "line 2")
        times = sorted(self.candles)
        if not self.columns.named and _is_price(self.candles.values()):
            reason = "the sixth column is a price in every row, and not a volume: name the columns in a header"
            raise CandleFileError(reason, self.places[times[0]])
        if self.columns.close_time is None and (longer := longer_interval(times)):
            raise CandleFileError(_refused(longer), self.places[times[1]])
        gaps = [(newer - older) // MINUTE_MS - 1 for older, newer in pairwise(times)]
        return CandleFile(
            [self.candles[time] for time in times],
            missing=sum(gaps),
            places=self.places,
            symbols=self.symbols,
            notes=tuple(self._notes(gaps, times)),
        )

    def _notes(self, gaps: Sequence[int], times: Sequence[int]) -> Iterable[str]:
        if sum(gaps):
            longest = max(range(len(gaps)), key=gaps.__getitem__)
            yield (
                f"{sum(gaps):,} minutes are missing in {sum(gap > 0 for gap in gaps):,} gaps, at most {gaps[longest]:,}"
                f" after {_at(times[longest])}: what trades there is skipped"
            )
        if self.twice:
            yield f"{self.twice:,} rows are there twice, with equal values"
        if self.broker_clock:
            yield "its times name no zone and count as UTC; MetaTrader files, Bybit's too, are often written at UTC+3"
        if self.columns.volume is None:
            yield "the file has no volume: it counts as 0"


def _is_price(candles: Collection[Candle]) -> bool:
    """Whether what was taken for volumes are average prices, as Kraken's answers have before the volume."""
    return len(candles) > 2 and all(candle.low <= candle.volume <= candle.high for candle in candles)


def _refused(longer: str) -> str:
    return f"these are {longer} candles, and one-minute candles are needed"


def _at(open_time: int) -> str:
    return datetime.fromtimestamp(open_time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
