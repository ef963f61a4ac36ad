"""
The simulator's memory: accounts, open orders and history in one SQLite file.

A change is on disk before the reply that acknowledges it leaves, and only changes are written: changed accounts are
rewritten, history lines are only ever added. WAL with synchronous=NORMAL survives a killed process (not a pulled
plug). One process owns a file at a time, and a file belongs to one feed for ever. The store knows no matching, no wire.
"""

import errno
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib.adapters.private_files import FOLDER_MODE, private_database
from lib.domain.errors import Halt
from lib.simulator.engine.orders import Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (uid INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    place INTEGER PRIMARY KEY, uid INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (uid, kind, seq)
);
"""
KEEP_LINE = (
    "INSERT INTO history (uid, kind, seq, body) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
)
VERSION = "1"


class NotSaved(Exception):
    """The file takes nothing now: its disk is full or may only be read. It may be tried again."""


class Store:
    """An open file; every method blocks for the disk, well under a millisecond a save."""

    def __init__(self, path: Path, identity: str) -> None:
        """Open or create the file at *path* for the feed *identity*; *Halt* when it is not ours to write."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            private_database(path)  # it holds the accounts' secrets
            self._connection = self._open(path)
            self._claim(identity)
        except OSError as error:
            raise (
                error if error.errno == errno.ENOSPC else Halt(f"cannot use the simulator database {path}: {error}")
            ) from None
        except sqlite3.Error as error:
            if "disk is full" in str(error):
                raise OSError(errno.ENOSPC, "the disk is full", str(path)) from None
            raise Halt(f"cannot use the simulator database {path}: {error}") from None

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(SCHEMA)
        return connection

    def _claim(self, identity: str) -> None:
        for name, ours in (("version", VERSION), ("feed", identity)):
            theirs = self.fact(name)
            if theirs is None:
                self.keep_fact(name, ours)
            elif theirs != ours:
                self.close()
                raise Halt(
                    f"the simulator database {self._path} belongs to {name} {theirs!r}, not to {ours!r}: "
                    "choose another database file or delete this one"
                )

    def fact(self, name: str) -> str | None:
        """The value kept under *name*, or None."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def keep_fact(self, name: str, value: str) -> None:
        """Keep *value* under *name*."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def accounts(self) -> list[dict[str, Any]]:
        """Every account as exported, by uid."""
        return [json.loads(body) for (body,) in self._connection.execute("SELECT body FROM accounts ORDER BY uid")]

    def history(self) -> Iterator[Row]:
        """Every history line, in the order they were first saved."""
        rows = self._connection.execute("SELECT uid, kind, seq, body FROM history ORDER BY place")
        return (Row(uid, kind, seq, json.loads(body)) for uid, kind, seq, body in rows)

    def save(self, accounts: Mapping[int, dict[str, Any]], rows: Iterable[Row], advanced_ms: int) -> None:
        """
        Write the changes up to *advanced_ms* (epoch ms, the engine's time) in one transaction.

        *NotSaved* for a file that takes nothing now; then none of it is there.
        """
        lines = [(row.uid, row.kind, row.seq, _text(row.data)) for row in rows]
        bodies = [(uid, _text(body)) for uid, body in accounts.items()]
        run = self._connection
        try:
            run.execute("BEGIN IMMEDIATE")
            run.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", bodies)
            run.executemany(KEEP_LINE, lines)
            self.keep_fact("advanced_ms", str(advanced_ms))
            run.execute("COMMIT")
        except BaseException as trouble:
            if run.in_transaction:
                run.execute("ROLLBACK")
            if isinstance(trouble, sqlite3.Error):
                raise NotSaved(str(trouble)) from None
            raise

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


def _text(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
