"""
The newest lines of the log files that `lib.log` keeps in a folder: `lib.ports.upkeep.LogFiles`.

Secrets were taken out of each line when it was written; what looks like one is taken out once more here, whoever wrote
the line. Only names that stand in the folder are opened, and only the end of a file is read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from lib import log
from lib.ports.upkeep import LogFiles

SUFFIX = ".log"
MOST_BYTES = 256 * 1024
LONGEST_LINE = 2_000


class FolderOfLogs(LogFiles):
    """`lib.ports.upkeep.LogFiles` of *folder*; None = nobody keeps any here."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        try:
            found = [] if self._folder is None else list(self._folder.iterdir())
        except OSError:
            return []
        return sorted(file.stem for file in found if file.suffix == SUFFIX and file.is_file())

    def newest(self, name: str, lines: int) -> Sequence[str]:
        if self._folder is None or name not in self.names():
            return ()
        try:
            text = _end_of(self._folder / f"{name}{SUFFIX}")
        except OSError:
            return ()
        return [_shown(line) for line in text.splitlines()[-lines:]]


def _end_of(file: Path) -> str:
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - MOST_BYTES))
        raw = opened.read()
    if size > MOST_BYTES:
        raw = raw.partition(b"\n")[2]
    return raw.decode("utf-8", "replace")


def _shown(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in log.redact(line))[:LONGEST_LINE]
