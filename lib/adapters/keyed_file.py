"""
Rows that are never made twice: a file of JSON lines, each under its key, that grows while they are made.

The first line says what the file is about. Each batch is on the disk before `add` returns, so whoever is killed finds
everything that was made; a last line that was cut off is taken away when the file is next opened, and its row made
again. One process writes at a time.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lib.adapters.private_files import private_folder
from lib.domain.errors import Halt

Row = Mapping[str, object]


class KeyedFile:
    """An open file: its *head*, and its *rows* by key."""

    def __init__(self, file: BinaryIO, head: Row) -> None:
        self._file = file
        self.rows: dict[str, Row] = {}
        told, rows, end = _read(file)
        file.truncate(end)
        file.seek(end)
        if told is None:
            self._write([json.dumps(dict(head))])
        elif told != json.loads(json.dumps(dict(head))):
            raise Halt(f"{file.name} is about something else")
        self.rows.update(rows)

    def add(self, rows: Mapping[str, Row]) -> None:
        """Keep *rows*, by key; the disk has them when this returns."""
        self._write(json.dumps({"key": key, **row}) for key, row in rows.items())
        self.rows.update(rows)

    def _write(self, lines: Iterable[str]) -> None:
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def keyed_file(path: Path, head: Row) -> Iterator[KeyedFile]:
    """Open or begin the file at *path*; *Halt* when another process has it, or it has another head."""
    private_folder(path.parent)
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Halt(f"another process writes to {path}") from None
        yield KeyedFile(file, head)


def read_keyed(path: Path) -> tuple[Row, dict[str, Row]]:
    """The head and the rows of the file at *path*, whoever writes to it; an empty head for none."""
    with path.open("rb") as file:
        head, rows, _ = _read(file)
    return head or {}, rows


def _read(file: BinaryIO) -> tuple[Row | None, dict[str, Row], int]:
    """Head, rows, and where the last whole line ends (bytes). A line that cannot be read is no row."""
    file.seek(0)
    head: Row | None = None
    rows: dict[str, Row] = {}
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if head is None:
            head = told
        elif isinstance(told, dict) and (key := told.pop("key", None)):
            rows[str(key)] = told
    return head, rows, end
