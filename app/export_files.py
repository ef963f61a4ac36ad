"""
Rows as files: CSV for spreadsheets and Parquet for programs, made part by part, never whole in memory.

A moment is two columns, UTC and the person's own time. CSV begins with a byte order mark, so that a spreadsheet reads
Korean, and text that a spreadsheet would run as a formula is made text by an apostrophe in front; numbers stay numbers.
Money is exact in both: plain digits in CSV, decimal(38, 18) in Parquet.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from app.i18n import Zone
from app.ui.reasons import say
from lib.domain.reason import Reason
from lib.queries import Column

Row = Sequence[Any]
BLOCK = 65_536
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_ARROW = {"money": pa.decimal128(38, 18), "whole": pa.int64(), "flag": pa.bool_()}


class Layout:
    """The columns of one file as *zone* and *language* show them."""

    def __init__(self, columns: Sequence[Column], zone: Zone, language: str, heads: Sequence[str] = ()) -> None:
        self.columns = columns
        self.zone = zone
        self.language = language
        self.heads = list(heads) or [head for column in columns for head in _heads(column)]

    def text(self, row: Row) -> list[str]:
        """*row* as the cells of a CSV line."""
        return [cell for column, value in zip(self.columns, row, strict=True) for cell in self._cells(column, value)]

    def _cells(self, column: Column, value: Any) -> list[str]:
        if column.kind == "moment":
            return [_moment(value, UTC), _moment(value, self.zone.tz)]
        return [_number(value) if column.kind in ("money", "whole") else safe(self.words(column, value))]

    def words(self, column: Column, value: Any) -> str:
        """A value that is no number and no moment, as text."""
        if value is None:
            return ""
        if column.kind == "flag":
            return "true" if value else "false"
        if column.kind == "json":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return say(value, self.language) if isinstance(value, Reason) else str(value)

    @property
    def schema(self) -> Any:
        """The Arrow schema."""
        fields = []
        for column in self.columns:
            if column.kind == "moment":
                offset = datetime.fromtimestamp(0, self.zone.tz).strftime("%z")
                local = f"{offset[:3]}:{offset[3:]}"
                fields += [(f"{_stem(column)}_utc", pa.timestamp("ms", "UTC"))]
                fields += [(f"{_stem(column)}_local", pa.timestamp("ms", local))]
            else:
                fields.append((column.name, _ARROW.get(column.kind, pa.string())))
        return pa.schema(fields)

    def arrays(self, part: Sequence[Row]) -> list[Any]:
        """The columns of *part* as Arrow arrays, in the schema's order."""
        arrays: list[Any] = []
        for number, column in enumerate(self.columns):
            values = [row[number] for row in part]
            if column.kind == "moment":
                arrays += [values, values]
            elif column.kind in _ARROW:
                arrays.append(values)
            else:
                arrays.append([None if value is None else self.words(column, value) for value in values])
        return [pa.array(values, field.type) for values, field in zip(arrays, self.schema, strict=True)]


def _heads(column: Column) -> list[str]:
    return [f"{_stem(column)}_utc", f"{_stem(column)}_local"] if column.kind == "moment" else [column.name]


def _stem(column: Column) -> str:
    return column.name.removesuffix("_ms")


def _moment(at_ms: int | None, zone: tzinfo) -> str:
    if at_ms is None:
        return ""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


def _number(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def safe(text: str) -> str:
    """*text* as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_file(layout: Layout, parts: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """The file in pieces, as *parts* come."""
    yield b"\xef\xbb\xbf" + _lines([layout.heads])
    for part in parts:
        yield _lines([layout.text(row) for row in part])


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode()


def parquet_file(layout: Layout, parts: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """The file in pieces: its end is written last and read first, so it is whole on disk before the first piece."""
    schema = layout.schema
    with TemporaryFile() as file:
        with parquet.ParquetWriter(file, schema) as writer:
            for part in parts:
                writer.write_table(pa.Table.from_arrays(layout.arrays(part), schema=schema))
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
