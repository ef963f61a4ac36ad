"""
Any candle file to its text: plain, gzip, bzip2, xz or zip, UTF-8, UTF-16 or Korean Windows; feather and parquet to CSV.

A file's first bytes say what it is, never its name: browsers unpack files called .gz. Nothing unpacked may grow past
`MOST_BYTES`, nothing is written to disk. ValueError is one reason in plain words, OSError the system's.
"""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import IO, Any

MOST_BYTES = 256 * 1024 * 1024
"""About four years of minutes."""
MOST_ROWS = 4_000_000
DEEPEST = 3
"""A zip in a gzip in a zip is enough."""
_STREAMS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_REFUSED = {
    b"\x89HDF": "an HDF5 file: write it as CSV or feather",
    b"\xd0\xcf\x11\xe0": "an Excel file: save it as CSV",
    b"SQLite format 3": "a database: write the candles as CSV",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a rar archive: unpack it first",
    b"%PDF": "a PDF",
}
_TAR_MAGIC, _TAR_AT = b"ustar", 257


def text_of(path: Path) -> str:
    """The text of the file at *path*."""
    if path.is_dir():
        raise ValueError("is a folder: name one file")
    if path.exists() and not path.is_file():  # a device never ends
        raise ValueError("is not a file")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(_too_large())
    data = path.read_bytes()
    for _ in range(DEEPEST):
        if (inner := _unpacked(data)) is None:
            return _text(data)
        data = inner
    raise ValueError("is packed more than three times over")


def _unpacked(data: bytes) -> bytes | None:
    """The contents of *data*; None when *data* is not packed."""
    for magic, opened in _STREAMS.items():
        if data.startswith(magic):
            with opened(io.BytesIO(data), "rb") as stream:
                return _bounded(stream)
    return _member(data) if data.startswith(b"PK\x03\x04") else None


def _bounded(stream: IO[bytes]) -> bytes:
    try:
        data = stream.read(MOST_BYTES + 1)
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise ValueError(f"is damaged or was cut short: {error}") from None
    if len(data) > MOST_BYTES:
        raise ValueError(_too_large())
    return data


def _too_large() -> str:
    return f"holds more than {MOST_BYTES // 1024**2} MiB: cut it into years"


def _member(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [info for info in archive.infolist() if not _is_aside(info)]
            if any(info.filename.startswith("xl/") for info in names):
                raise ValueError("an Excel file: save it as CSV")
            if len(names) != 1:
                raise ValueError(f"the zip holds {len(names)} files: it must hold one")
            with archive.open(names[0]) as stream:
                return _bounded(stream)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"is a damaged zip: {error}") from None
    except RuntimeError:  # zipfile's word for it
        raise ValueError("the zip is locked by a password") from None


def _is_aside(info: zipfile.ZipInfo) -> bool:
    """Folders, and what operating systems put beside the file."""
    name = info.filename.rsplit("/", 1)[-1]
    return info.is_dir() or info.filename.startswith("__MACOSX/") or name.startswith(".") or name == "Thumbs.db"


def _text(data: bytes) -> str:
    if data[:4] in (b"ARRO", b"FEA1", b"PAR1"):
        return _tabular(data)
    kind = next((kind for magic, kind in _REFUSED.items() if data.startswith(magic)), None)
    if data[_TAR_AT:].startswith(_TAR_MAGIC):
        kind = "a tar archive: take one file out of it"
    elif data[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        kind = "a web page, not the file it was to download"
    if kind:
        raise ValueError(f"is {kind}")
    text = _decoded(data)
    if "\0" in text:
        raise ValueError("is not text")
    return text


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp949", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("is not text")


def _tabular(data: bytes) -> str:
    """Feather or parquet as CSV; times become epoch counts of their own unit."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ValueError("is feather or parquet, which needs pyarrow to be read") from None
    try:
        names, columns = _columns(data)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"cannot be read as feather or parquet: {str(error).splitlines()[0][:120]}") from None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _columns(data: bytes) -> tuple[list[str], list[list[str]]]:
    """(names, cells by column), every cell as text."""
    import pyarrow as pa
    from pyarrow import feather, parquet

    if data.startswith(b"PAR1"):
        _refuse_many(parquet.ParquetFile(pa.BufferReader(data)).metadata.num_rows)
        table = parquet.read_table(pa.BufferReader(data))
    else:
        table = feather.read_table(pa.BufferReader(data), memory_map=False)
    _refuse_many(table.num_rows)
    names = [_index_name(name, kind) for name, kind in zip(table.column_names, table.schema.types, strict=True)]
    return names, [_cells(column) for column in table.columns]


def _refuse_many(rows: int) -> None:
    if rows > MOST_ROWS:
        raise ValueError(f"holds {rows:,} rows: at most {MOST_ROWS:,} can be read")


def _index_name(name: str, kind: Any) -> str:
    """Pandas writes an index without a name as `__index_level_0__`; of times it is the open time."""
    import pyarrow as pa

    return "open_time" if name.startswith("__index_level_") and pa.types.is_timestamp(kind) else name


def _cells(column: Any) -> list[str]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_floating(column.type):
        # the shortest text of a float32 too, which Python would print as a float64
        return ["" if isnan(value) else str(value) for value in column.to_numpy()]
    return ["" if value is None else str(value) for value in column.to_pylist()]
