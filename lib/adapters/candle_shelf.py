"""
The candle library on disk: one Parquet file a month, named by the hash of its bytes.

    DATA_DIR/candles/{feed}/{symbol}/2024-01.{sha256, 32 hex}.parquet

A file is written beside its place, synced and renamed, so half of one is never seen under its name; the hash covers
everything it says, its span and source too. It is checked whenever a file is read: one that differs is put away under
another ending and asked for again, never trusted. Prices are decimals of exactly the digits they came with, so what is
read back equals what was kept; times are timestamps in UTC that any other program reads as such.

Nothing here asks for candles, or knows which are missing.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from lib import log
from lib.adapters.private_files import private_folder
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.candle_run import CandleRun
from lib.domain.months import month_span
from lib.ports.library import CandleShelf, KeptMonth, ShelvedMonth

COLUMNS = ("open", "high", "low", "close", "volume")
ABOUT = b"maemae"
"""The key of the schema's metadata that holds span and source."""
DIGEST_HEX = 32
MOST_BYTES = 16 * 1024 * 1024
"""A month of minutes takes about one."""
MOST_DIGITS = 38
A_PIECE = 1_440
"""Candles that are made of cells at once."""
PIECES_KEPT = 8
_FILE = re.compile(rf"(\d{{4}}-\d\d)\.([0-9a-f]{{{DIGEST_HEX}}})\.parquet")
_SYMBOL = re.compile(r"[A-Z0-9]{1,30}")
_log = log.get("library")


class ParquetShelf(CandleShelf):
    """The files of *feed* under *folder*, which is made when something is kept."""

    def __init__(self, folder: Path, feed: str) -> None:
        self._folder = folder / re.sub(r"[^A-Za-z0-9._-]", "_", feed).lstrip(".")

    def months(self, symbol: str) -> list[ShelvedMonth]:
        return [ShelvedMonth(month, digest) for month, digest, _ in self._files(symbol)]

    def read(self, symbol: str, month: str) -> KeptMonth | None:
        for named, digest, path in self._files(symbol):
            if named == month:
                try:
                    return _read(path, digest, symbol, month)
                except (ValueError, KeyError, TypeError, pa.ArrowException) as damage:
                    _log.error("library.damaged", damage, file=path.name, symbol=symbol)
                    path.replace(path.with_suffix(".damaged"))
        return None

    def keep(self, kept: KeptMonth) -> ShelvedMonth:
        folder = private_folder(private_folder(self._folder) / _checked(kept.symbol))
        data = _packed(kept)
        digest = hashlib.sha256(data).hexdigest()[:DIGEST_HEX]
        path = folder / f"{kept.month}.{digest}.parquet"
        _write(path, data)
        for old in folder.glob(f"{kept.month}.*.parquet"):
            if old != path:
                old.unlink(missing_ok=True)
        return ShelvedMonth(kept.month, digest)

    def _files(self, symbol: str) -> list[tuple[str, str, Path]]:
        """(month, digest, path); of two files of a month, which a killed writer leaves, the newer one comes first."""
        folder = self._folder / _checked(symbol)
        if not folder.is_dir():
            return []
        named = ((_FILE.fullmatch(path.name), path) for path in folder.iterdir())
        found = [(match[1], match[2], path) for match, path in named if match]
        found.sort(key=lambda one: (one[0], -one[2].stat().st_mtime_ns))
        firsts = {month: (month, digest, path) for month, digest, path in reversed(found)}
        return [firsts[month] for month in sorted(firsts)]


def _checked(symbol: str) -> str:
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"not a symbol: {symbol[:20]!r}")
    return symbol


def _write(path: Path, data: bytes) -> None:
    """*data* at *path*, whole or not at all, also when the power goes."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _packed(kept: KeptMonth) -> bytes:
    begin, end = month_span(kept.month)
    opens = [candle.open_time for candle in kept.candles]
    if not begin <= kept.from_ms <= kept.until_ms <= end:
        raise ValueError("the span is not of that month")
    _check_opens(opens, kept.from_ms, kept.until_ms)
    about = {"source": kept.source, "symbol": kept.symbol, "from_ms": kept.from_ms, "until_ms": kept.until_ms}
    columns = [pa.array(opens, pa.timestamp("ms", tz="UTC"))]
    columns += [_decimals([getattr(candle, name) for candle in kept.candles]) for name in COLUMNS]
    table = pa.table(columns, names=["open_time", *COLUMNS])
    stream = pa.BufferOutputStream()
    parquet.write_table(
        table.replace_schema_metadata({ABOUT: json.dumps(about, sort_keys=True).encode()}), stream, compression="zstd"
    )
    return bytes(stream.getvalue())


def _decimals(values: list[Decimal]) -> Any:
    """*values* as decimals of the finest step among them, so that every digit is there and no more."""
    exponents = [int(value.as_tuple().exponent) for value in values]
    scale = -min(0, min(exponents, default=0))
    return pa.array(values, pa.decimal128(MOST_DIGITS, scale))


def _read(path: Path, digest: str, symbol: str, month: str) -> KeptMonth:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("larger than any month")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest()[:DIGEST_HEX] != digest:
        raise ValueError("not what its name says")
    table = parquet.read_table(pa.BufferReader(data))
    about = json.loads(table.schema.metadata[ABOUT])
    begin, end = month_span(month)
    from_ms, until_ms = int(about["from_ms"]), int(about["until_ms"])
    if about["symbol"] != symbol or not begin <= from_ms <= until_ms <= end:
        raise ValueError("another month's file")
    candles = _Rows(table)
    _check_opens(candles.opens, from_ms, until_ms)
    return KeptMonth(symbol, month, from_ms, until_ms, str(about["source"]), candles)


def _check_opens(opens: Sequence[int], from_ms: int, until_ms: int) -> None:
    if opens and not (from_ms <= opens[0] and opens[-1] < until_ms):
        raise ValueError("a candle outside of the span")
    if any(newer <= older for older, newer in pairwise(opens)):
        raise ValueError("candles out of order")
    if any(open_time % MINUTE_MS for open_time in opens):
        raise ValueError("a candle off the minute")


class _Rows(CandleRun):
    """The rows of a table as candles, made when they are looked at: a year of them at once would be half a gigabyte."""

    def __init__(self, table: Any) -> None:
        self.opens: list[int] = table["open_time"].cast(pa.int64()).to_pylist()
        self._columns = [table[name].cast(pa.string()).combine_chunks() for name in COLUMNS]
        self._pieces: dict[int, list[Candle]] = {}

    def __len__(self) -> int:
        return len(self.opens)

    def at(self, place: int) -> Candle:
        return self._piece(place // A_PIECE)[place % A_PIECE]

    def __iter__(self) -> Iterator[Candle]:
        for number in range(-(-len(self.opens) // A_PIECE)):
            yield from self._piece(number)

    def _piece(self, number: int) -> list[Candle]:
        found = self._pieces.get(number)
        if found is None:
            if len(self._pieces) >= PIECES_KEPT:
                self._pieces.pop(next(iter(self._pieces)))
            found = self._pieces[number] = self._made(number * A_PIECE)
        return found

    def _made(self, start: int) -> list[Candle]:
        opens = self.opens[start : start + A_PIECE]
        cells = [[Decimal(text) for text in column.slice(start, A_PIECE).to_pylist()] for column in self._columns]
        return [Candle(*row) for row in zip(opens, *cells, strict=True)]
