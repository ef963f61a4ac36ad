"""
Files that hold other people's money matters are their owner's alone: 0600, in folders of our making 0700.

A database is made private before the first byte is in it, and one that an older release left open to others is closed,
its write-ahead log with it. An existing database is never opened to do so: closing it would let go of every lock this
process holds on it. Folders that were there before us are whoever's they are. Where a file system knows no modes,
nothing is changed.
"""

import os
from contextlib import suppress
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_OTHERS = 0o077
_BESIDE = ("", "-wal", "-shm", "-journal")


def private_database(path: Path) -> None:
    """Make the SQLite file at *path* if there is none, and close it and its log files to others."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    for ending in _BESIDE:
        _close_to_others(path.with_name(path.name + ending), FILE_MODE)


def private_folder(path: Path) -> Path:
    """Make the folder *path*, of our own naming, and close it to others; OSError when that cannot be."""
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _close_to_others(path, FOLDER_MODE)
    return path


def _close_to_others(path: Path, mode: int) -> None:
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
            path.chmod(mode)
