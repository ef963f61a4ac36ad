"""
Backup and restore, wired: one file from the database while everything runs, and the database from one file.

A restore is refused before anything is touched: for a damaged file, another installation's, a newer schema, and while
a trader lives. What stood in the database is kept in a backup of its own first. Exchange keys are in the file sealed as
they are; what opens them is not, unless it is asked for.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.private_files import FILE_MODE, private_folder
from lib.adapters.sql.database import schema
from lib.adapters.sql.database.engine import describe, make_engine
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.recovery.backup_file import BackupHeader, opened_backup, write_backup
from lib.adapters.sql.recovery.refilling import refill, refuse_trader
from lib.adapters.sql.recovery.seals import kids_in_use
from lib.adapters.sql.recovery.table_rows import dumped, put_back, snapshot
from lib.adapters.vault import kid_of
from lib.clock import SystemClock
from lib.domain.errors import Halt
from lib.settings import VERSION, Settings

SECRETS_FILE = "secrets.json"
"""Where `make run` keeps this installation's own secrets, under DATA_DIR."""
SECRET_NAMES = (
    "INSTALLATION",
    "ENCRYPTION_KEY",
    "ENCRYPTION_PUBLIC_KEY",
    "ENCRYPTION_KEYS_OLD",
    "WEB_SECRET",
    "WEB_SECRETS_OLD",
    "NOTIFIER_KEY",
    "NOTIFIER_PUBLIC_KEY",
    "SIMULATOR_TOKEN",
)
"""
All that a backup may hold beside rows. What stands in that file becomes processes' environment, so a backup somebody
else wrote must name nothing more.
"""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written or found: where, what, and its size in bytes."""

    path: Path
    header: BackupHeader
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. *before* keeps what stood there; *unopened* names key pairs this environment lacks."""

    header: BackupHeader
    before: Backup | None
    unopened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestoreWishes:
    """What a person may insist on: a backup of another installation, and that what stands there is thrown away."""

    foreign: bool = False
    discard: bool = False


def backup(settings: Settings, path: Path | None = None, *, with_secrets: bool = False) -> Backup:
    """
    Write the database to *path* (None: a name of today under DATA_DIR/backups) while everything runs.

    *Halt* for a database that cannot be read or a file that is there already.
    """
    settings.require("DATABASE_URL", "INSTALLATION")
    engine = make_engine(settings.database_url)
    try:
        return _write(settings, engine, path or _fresh_name(settings, "maemae"), with_secrets=with_secrets)
    finally:
        engine.dispose()


def _write(settings: Settings, engine: sa.Engine, path: Path, *, with_secrets: bool = False) -> Backup:
    counts: Counter[str] = Counter()
    secrets = _secret_lines(settings) if with_secrets else []
    schema.reach(engine)
    with snapshot(engine) as connection:
        if not (revision := schema.found_revision(connection)):
            raise Halt(f"{describe(engine)} holds no schema yet: there is nothing to back up")
        kids = kids_in_use(connection)
        made_ms = SystemClock().now_ms()

        def header() -> BackupHeader:
            named = settings.installation
            return BackupHeader(named, revision, made_ms, VERSION, dict(counts), kids, has_secrets=with_secrets)

        made = write_backup(path, header, chain(secrets, dumped(connection, counts)))
    return Backup(path, made, path.stat().st_size)


def restore(settings: Settings, path: Path, wishes: RestoreWishes) -> Restored:
    """
    Fill the database from *path* and leave trading off, with its reason. *Halt*, with nothing touched, when it may not
    be.
    """
    settings.require("DATABASE_URL", "INSTALLATION")
    engine = make_engine(settings.database_url)
    try:
        schema.reach(engine)
        with opened_backup(path) as (header, lines):
            _refuse_unfit(settings, header, wishes)
            _refuse_while_traded(engine)
            before = None if wishes.discard else _kept_before(settings, engine)
            _fill(engine, header, _apart(header, lines)[1])
        return Restored(header, before, _unopened(settings, header))
    finally:
        engine.dispose()


def _refuse_unfit(settings: Settings, header: BackupHeader, wishes: RestoreWishes) -> None:
    if header.revision not in schema.revisions():
        raise Halt(
            f"the backup is of schema {header.revision}, which is newer than this release: deploy that one first"
        )
    if header.installation != settings.installation and not wishes.foreign:
        raise Halt(
            f"the backup is of installation {header.installation!r}, this is {settings.installation!r}: set "
            "INSTALLATION to the backup's, or our own orders would look like a stranger's (--foreign insists)"
        )


def _refuse_while_traded(engine: sa.Engine) -> None:
    now = ledger_clock(engine, None)
    with engine.connect() as connection:
        refuse_trader(connection, now(connection))


def _kept_before(settings: Settings, engine: sa.Engine) -> Backup | None:
    """What stands in the database now, as a backup; None when there is nothing, or half of a restore."""
    with engine.connect() as connection:
        has = schema.found_revision(connection) and not sa.inspect(connection).has_table(schema.HALF_RESTORED)
    if not has:
        return None
    try:
        return _write(settings, engine, _fresh_name(settings, "before-restore"))
    except (sa.exc.SQLAlchemyError, OSError) as trouble:
        raise Halt(
            f"what stands in the database cannot be kept first ({type(trouble).__name__}); --discard restores over it"
        ) from None


def _fill(engine: sa.Engine, header: BackupHeader, rows: Iterator[str]) -> None:
    def fill(connection: sa.Connection) -> None:
        counts = put_back(connection, rows)
        if dict(counts) != header.rows:
            raise Halt("the backup's rows are not as many as its header says: nothing was restored")

    refill(engine, header.revision, fill, ledger_clock(engine, None), header.made_ms)


def _unopened(settings: Settings, header: BackupHeader) -> tuple[str, ...]:
    ours = {kid_of(private) for private in settings.key_ring}
    return tuple(kid for kid in header.kids if kid not in ours)


# --- names and secrets ------------------------------------------------------------------------------------------------


def _fresh_name(settings: Settings, kind: str) -> Path:
    folder = private_folder(settings.data_dir / "backups")
    stamp = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return folder / f"{kind}-{settings.installation}-{stamp}.backup"


def _secret_lines(settings: Settings) -> list[str]:
    file = settings.data_dir / SECRETS_FILE
    if not file.exists():
        raise Halt(f"there is no {file}: this deployment's secrets come from its environment; keep them there")
    known = json.loads(file.read_text(encoding="utf-8"))
    return [json.dumps({"secrets": {name: known[name] for name in SECRET_NAMES if name in known}})]


def _apart(header: BackupHeader, lines: Iterator[str]) -> tuple[dict[str, str], Iterator[str]]:
    return (json.loads(next(lines))["secrets"], lines) if header.has_secrets else ({}, lines)


def take_secrets(path: Path, data_dir: Path) -> Path:
    """
    Put the secrets of the backup at *path* where `make run` looks for them, before it makes others; the file.

    *Halt* when the backup has none, or where other secrets are there: those lock what this machine made.
    """
    with opened_backup(path) as (header, lines):
        secrets, _ = _apart(header, lines)
    if strange := sorted(set(secrets) - set(SECRET_NAMES)):
        raise Halt(f"the backup names {strange[0][:40]!r} among its secrets, which is none: who made it?")
    if not secrets:
        raise Halt("the backup holds no secrets: it was made without --with-secrets")
    file = private_folder(data_dir) / SECRETS_FILE
    if file.exists():
        if json.loads(file.read_text(encoding="utf-8")) == secrets:
            return file
        raise Halt(f"{file} holds other secrets: move it away first, for those lock what this machine made")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w") as out:
        json.dump(secrets, out, indent=1)
    return file
