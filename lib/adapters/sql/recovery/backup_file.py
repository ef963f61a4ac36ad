"""
The file of a backup: one line with the sha256 of all that follows, one line of JSON that says what is in it, then gzip.

The file is its owner's alone (0600) and appears under its name when it is whole. Reading it checks the hash first and
believes nothing before; a file that was cut, changed, or is none of ours is *Halt* with one line. No secret is in the
header. What the packed lines mean is `table_rows`' matter.
"""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from lib.adapters.private_files import FILE_MODE
from lib.domain.errors import Halt

MAGIC = "maemae-backup"
ARCHIVE = "maemae-archive"
"""What a file of another kind says of itself, so that neither is taken for the other."""
FORMAT = 1
_HEAD_BYTES = 1_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """What a backup holds: whose, of which schema revision, when (epoch ms), how many rows of each table."""

    installation: str
    revision: str
    made_ms: int
    version: str
    rows: dict[str, int] = field(default_factory=dict)
    kids: list[str] = field(default_factory=list)
    """Names of the key pairs its exchange keys are sealed for."""
    has_secrets: bool = False

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())


def write_backup(
    path: Path, header: Callable[[], BackupHeader], lines: Iterator[str], magic: str = MAGIC
) -> BackupHeader:
    """
    Write *lines* (none with a newline) to *path*; *header* is asked once they are all read.

    *Halt* when *path* is there already: a backup is never written over. OSError for a disk that cannot take it.
    """
    if path.exists():
        raise Halt(f"{path} is there already, and a backup is never written over: choose another name")
    body, whole = path.with_name(f"{path.name}.rows"), path.with_name(f"{path.name}.part")
    try:
        with _made(body) as out, gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=6) as packed:
            for line in lines:
                packed.write(line.encode() + b"\n")
        made = header()
        head = json.dumps({"format": FORMAT, **asdict(made)}, sort_keys=True).encode() + b"\n"
        with _made(whole) as out, body.open("rb") as packed_rows:
            out.write(f"{magic} {_digest(head, packed_rows)}\n".encode() + head)
            packed_rows.seek(0)
            shutil.copyfileobj(packed_rows, out, _BLOCK)
            out.flush()
            os.fsync(out.fileno())
        whole.rename(path)
    finally:
        for left in (body, whole):
            left.unlink(missing_ok=True)
    return made


@contextmanager
def opened_backup(path: Path, magic: str = MAGIC) -> Iterator[tuple[BackupHeader, Iterator[str]]]:
    """The header and the lines of the backup at *path*, which was checked to be whole; *Halt* when it is not."""
    with path.open("rb") as file:
        header = _checked(path, file, magic)
        with gzip.GzipFile(fileobj=cast("BinaryIO", file), mode="rb") as packed:
            yield header, (line.decode().rstrip("\n") for line in packed)


def _checked(path: Path, file: BufferedReader, magic: str) -> BackupHeader:
    found, _, said = file.readline(200).decode("ascii", "replace").strip().partition(" ")
    if found != magic:
        raise Halt(f"{path} is no {magic.partition('-')[2]} of this program")
    head = file.readline(_HEAD_BYTES)
    begins = file.tell()
    if _digest(head, file) != said:
        raise Halt(f"{path} is damaged: its content is not what was written (sha256); take another backup")
    file.seek(begins)
    told = json.loads(head)
    if told["format"] != FORMAT:
        raise Halt(f"{path} is of a later release: restore it with that one")
    return BackupHeader(**{one.name: told[one.name] for one in fields(BackupHeader)})


def _digest(head: bytes, body: BinaryIO) -> str:
    total = hashlib.sha256(head)
    while block := body.read(_BLOCK):
        total.update(block)
    return total.hexdigest()


@contextmanager
def _made(path: Path) -> Iterator[BinaryIO]:
    path.unlink(missing_ok=True)  # what an earlier try was killed over
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(handle, "wb") as out:
        yield out
