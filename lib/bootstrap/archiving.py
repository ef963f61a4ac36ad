"""
Archive and retention, wired: old texts of analyst calls go into files, what has expired goes for good.

The file comes first: it is written whole and closed before the first text leaves its row, and only when all have left
does the cursor move on. Cut off anywhere, the next pass finds that file and carries it out; a file that fits no rows
here (a restored database has another history) is left alone and another one is written. Between two steps the pass
sleeps several times as long as the step took, so that whoever trades finds the database free.
"""

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from lib import log
from lib.adapters.private_files import private_folder
from lib.adapters.sql.archive import expired, texts
from lib.adapters.sql.archive.texts import CallTexts, from_line
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.schema import check_schema, revisions
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import setting_rows
from lib.adapters.sql.recovery.backup_file import ARCHIVE, BackupHeader, opened_backup, write_backup
from lib.clock import SystemClock
from lib.domain.errors import Halt
from lib.domain.platform_settings import keep_texts_days
from lib.settings import VERSION, Settings
from lib.unsafe_settings import disk_forgets

LOG = log.get("archive")
A_FILE = 5_000
"""Calls a file holds at most: about 20 MB of text, 2 MB packed."""
A_STEP = 20
"""
Rows a transaction changes. On SQLite nobody else writes meanwhile, so such a process is not to be a nice one either:
put aside in the middle of a step it would hold everybody up.
"""
IDLE = 4
"""How many times as long as a step the pass then sleeps."""
DAY_MS = 86_400_000
FOLDER = "archive"


@dataclass(slots=True)
class Passed:
    """What a pass did: texts archived, files written, rows deleted by table; *is_whole* = nothing is left to do."""

    archived: int = 0
    files: int = 0
    deleted: dict[str, int] = field(default_factory=dict)
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in the archive: files, calls in them, the first and last T (epoch ms; 0 = none)."""

    files: int
    calls: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Archivist:
    """
    One deployment's archive: its database, folder and installation. *keeps* = files outlive a restart here; *rest*
    sleeps so many seconds.
    """

    engine: sa.Engine
    folder: Path
    installation: str
    keeps: bool = True
    rest: Callable[[float], None] = time.sleep

    def run(self, now_ms: int, budget_s: float = 3_600) -> Passed:
        """One pass over everything that is due at *now_ms* (epoch ms), for about *budget_s* seconds."""
        done, until = Passed(), time.monotonic() + budget_s
        days = keep_texts_days(transact(self.engine, setting_rows, readonly=True))
        with self._alone():
            transact(self.engine, expired.free_uids_of_leavers)
            for name in expired.ENDED:
                done.deleted[name] = self._drop(name, now_ms, until)
            if days and self.keeps:
                self._archive(now_ms - days * DAY_MS, until, done)
        done.is_whole = time.monotonic() < until
        return done

    def bring_back(self, since_ms: int, until_ms: int) -> int:
        """Put the texts of calls from *since_ms* until before *until_ms* back into their rows; how many."""
        return self._each_step(since_ms, until_ms, texts.put_back)

    def send_away(self, since_ms: int, until_ms: int) -> int:
        """Take texts that were brought back, and lie in a file, out of their rows again; how many."""
        return self._each_step(since_ms, until_ms, texts.take_out)

    def shelf(self) -> Shelf:
        """What lies in the archive; *Halt* for a damaged file."""
        times, calls = [], 0
        for path in self._files():
            for call in self._read(path):
                calls += 1
                times.append(call.t_ms)
            times = [min(times), max(times)] if times else []
        return Shelf(len(self._files()), calls, times[0] if times else 0, times[-1] if times else 0)

    # --- a pass ---------------------------------------------------------------------------------------------------

    def _drop(self, name: str, now_ms: int, until: float) -> int:
        total = 0
        while time.monotonic() < until:
            began = time.monotonic()
            gone = expired.drop_ended(self.engine, name, now_ms, A_STEP)
            total += gone
            if gone < A_STEP:
                break
            self._rest(began)
        return total

    def _archive(self, before_ms: int, until: float, done: Passed) -> None:
        after = texts.cursor(self.engine)
        while time.monotonic() < until:
            path = self._begun(after) or self._written(after, before_ms)
            if path is None:
                return
            done.archived += self._carry_out(path)
            done.files += 1
            after = _last_id(path)
            texts.move_cursor(self.engine, after)

    def _begun(self, after: int) -> Path | None:
        """A file beyond the cursor, of a pass that was cut off, if it is of these very rows."""
        for path in self._files():
            if _last_id(path) <= after:
                continue
            if all(texts.all_stand(self.engine, step) for step in _steps(self._read(path))):
                return path
            LOG.warning("archive.of_another_history", file=path.name)
        return None

    def _written(self, after: int, before_ms: int) -> Path | None:
        calls = list(texts.due(self.engine, after, before_ms, A_FILE))
        if not calls:
            return None
        made_ms = SystemClock().now_ms()
        header = BackupHeader(self.installation, revisions()[-1], made_ms, VERSION, {"cycles": len(calls)})
        path = self.folder / f"calls-{calls[0].id:012d}-{calls[-1].id:012d}-{made_ms}.archive"
        write_backup(path, lambda: header, (call.line for call in calls), magic=ARCHIVE)
        return path

    def _carry_out(self, path: Path) -> int:
        taken = 0
        for step in _steps(self._read(path)):
            began = time.monotonic()
            taken += texts.take_out(self.engine, step)
            self._rest(began)
        return taken

    def _rest(self, began: float) -> None:
        self.rest(IDLE * (time.monotonic() - began))

    # --- files ----------------------------------------------------------------------------------------------------

    def _each_step(self, since_ms: int, until_ms: int, do: Callable[[sa.Engine, list[CallTexts]], int]) -> int:
        total = 0
        with self._alone():
            for path in self._files():
                wanted = (call for call in self._read(path) if since_ms <= call.t_ms < until_ms)
                for step in _steps(wanted):
                    began = time.monotonic()
                    total += do(self.engine, step)
                    self._rest(began)
        return total

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("calls-*.archive"))

    def _read(self, path: Path) -> Iterator[CallTexts]:
        with opened_backup(path, magic=ARCHIVE) as (header, lines):
            if header.installation != self.installation:
                raise Halt(f"{path} is of installation {header.installation!r}, this is {self.installation!r}")
            yield from map(from_line, lines)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (private_folder(self.folder) / "archive.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Halt("the archive is being worked on already") from None
            yield


def _steps(calls: Iterable[CallTexts]) -> Iterator[list[CallTexts]]:
    coming = iter(calls)
    while step := list(islice(coming, A_STEP)):
        yield step


def _last_id(path: Path) -> int:
    return int(path.stem.split("-")[2])


@contextmanager
def archivist(settings: Settings) -> Iterator[Archivist]:
    """The archive of this deployment, in DATA_DIR/archive; nothing goes there where a restart forgets it."""
    settings.require("DATABASE_URL", "INSTALLATION")
    engine = make_engine(settings.database_url)
    try:
        check_schema(engine)
        keeps = not disk_forgets(settings.platform, settings.data_dir)
        yield Archivist(engine, settings.data_dir / FOLDER, settings.installation, keeps)
    finally:
        engine.dispose()
