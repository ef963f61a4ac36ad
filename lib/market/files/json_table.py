"""
JSON to rows of cells: a list of rows, a list of objects, an object of columns, one of these inside an answer, or a row
a line.

Numbers are taken as they are written, never as floats. Objects become a row of names and rows of values.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DEEPEST = 4
"""How far into an exchange's answer the rows may lie."""
LEAST = 5
"""Columns of a candle, at the least."""


def json_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each row, counted from 1; a row of names is 0. ValueError with a reason in plain words."""
    value = _parsed(text)
    names, records = _found(value, DEEPEST)
    if names is None and records and isinstance(records[0], Mapping):
        names = list(records[0])
    if names is not None:
        yield 0, [str(name) for name in names]
    for number, record in enumerate(records, 1):
        yield number, _cells(number, record, names)


def _cells(number: int, record: Any, names: Sequence[Any] | None) -> list[str]:
    if isinstance(record, Mapping):
        if names is None:
            raise ValueError(f"row {number}: is an object among lists")
        record = [record.get(name) for name in names]
    if not isinstance(record, list):
        raise ValueError(f"row {number}: is not a candle")
    if any(isinstance(cell, list | Mapping) for cell in record):
        raise ValueError(f"row {number}: holds a value that is not a number")
    return ["" if cell is None else str(cell) for cell in record]


def _parsed(text: str) -> Any:
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ValueError(f"line {error.lineno}: is not JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError("is not a candle file: its JSON is nested too deep") from None
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            _loads(line)
        except (json.JSONDecodeError, RecursionError):
            raise ValueError(f"line {number}: is not JSON") from None
    return [_loads(line) for line in lines]


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def _found(value: Any, depth: int) -> tuple[list[Any] | None, list[Any]]:
    """(names or None, records) of the one table in *value*."""
    if _is_records(value):
        return None, value
    if not isinstance(value, Mapping) or depth == 0:
        raise ValueError("the JSON holds no rows of candles")
    if isinstance(value.get("columns"), list) and _is_records(value.get("data")):
        return value["columns"], value["data"]
    if table := _turned(value):
        return table
    inside = [_inside(part, depth) for part in value.values() if isinstance(part, list | Mapping)]
    tables = [table for table in inside if table is not None]
    if len(tables) != 1:
        raise ValueError(f"the JSON holds {len(tables) or 'no'} tables of candles; one is needed")
    return tables[0]


def _inside(value: Any, depth: int) -> tuple[list[Any] | None, list[Any]] | None:
    try:
        return _found(value, depth - 1)
    except ValueError:
        return None


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list | Mapping)


def _turned(value: Mapping[str, Any]) -> tuple[list[Any] | None, list[Any]] | None:
    """A table that is written column by column, or None."""
    columns = {name: list(c.values()) if isinstance(c, Mapping) else c for name, c in value.items()}
    columns = {name: column for name, column in columns.items() if isinstance(column, list) and column}
    if len(columns) < LEAST or len({len(column) for column in columns.values()}) != 1:
        return None
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]
