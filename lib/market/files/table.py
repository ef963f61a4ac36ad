"""
Text to rows of cells: separated values of any of the usual separators, or JSON.

Lines are counted as an editor counts them; blank ones are passed over. Nothing here knows what a candle is.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lib.market.files.json_table import json_rows

SEPARATORS = ("\t", ";", "|", ",", " ")
"""The comma comes late: with `;` it may be a decimal comma."""
LEAST = 5
"""Cells of the shortest row that can be a candle."""
HEAD_LINES = 40
"""Lines from which the separator is told; comments and titles may stand above the rows."""


class CandleFileError(ValueError):
    """What is wrong with a candle file and where, as one line."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)


@dataclass(frozen=True, slots=True)
class Row:
    """*cells* as written; *where* is "line 7", or "row 7" where lines mean nothing."""

    where: str
    cells: Sequence[str]


def rows_of(text: str) -> Iterator[Row]:
    """The rows of *text*, any header among them. *CandleFileError* when it is no table."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise CandleFileError("the file is empty", "line 1")
    if text.lstrip()[0] in "[{":
        yield from (Row(f"row {number}", cells) for number, cells in _json(text))
        return
    try:
        yield from _separated(text)
    except csv.Error as error:
        raise CandleFileError(f"is not CSV: {error}") from None


def _json(text: str) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from json_rows(text)
    except ValueError as error:
        raise CandleFileError(str(error)) from None


def _separated(text: str) -> Iterator[Row]:
    lines = text.split("\n")
    reader = csv.reader(lines, delimiter=_separator(lines), skipinitialspace=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield Row(f"line {reader.line_num}", cells)


def _separator(lines: Sequence[str]) -> str:
    sample = list(islice((line for line in lines if line.strip()), HEAD_LINES))
    for separator in SEPARATORS:
        rows = csv.reader(sample, delimiter=separator, skipinitialspace=True)
        if sum(len(row) >= LEAST for row in rows) * 2 >= len(sample):
            return separator
    raise CandleFileError("no rows of time, open, high, low, close and volume were found", "line 1")
