"""
Keep the database small: old texts of analyst calls go into files, what has expired goes for good. Once a day is enough.

    python -m services.archive                              one pass, for --minutes at most (60)
    python -m services.archive status                       what lies in the archive
    python -m services.archive back --from D --until D      the texts of these UTC days into their rows again
    python -m services.archive away --from D --until D      and out of them

Of DATABASE_URL, or else of what `make run` runs on this machine; files lie under DATA_DIR/archive, which a backup of
the database does not hold. How long texts stay is the platform setting keep_texts_days (90; 0 = for ever). Orders,
executions, transfers, equity and decisions are never touched. It may run while everything runs.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime

from lib import bootstrap, log
from lib.bootstrap import Archivist
from lib.clock import SystemClock
from services.local import deployment
from services.process import last_line

DAY_MS = 86_400_000


def main(words: list[str] | None = None) -> None:
    """Do one act and say what came of it."""
    parser = argparse.ArgumentParser(prog="archive", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("act", nargs="?", choices=sorted(ACTS), default="run")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--from", type=date.fromisoformat, dest="first", default=date(2000, 1, 1))
    parser.add_argument("--until", type=date.fromisoformat, dest="last", default=date(2999, 12, 31))
    asked = parser.parse_args(words)
    log.setup("archive", "text", "WARNING")
    with bootstrap.archivist(deployment()) as archive:
        sys.stdout.write(f"{ACTS[asked.act](archive, asked)}\n")


def _run(archive: Archivist, asked: argparse.Namespace) -> str:
    done = archive.run(SystemClock().now_ms(), asked.minutes * 60)
    gone = ", ".join(f"{count} of {name}" for name, count in done.deleted.items() if count) or "nothing"
    end = "" if done.is_whole else "; the time was over, the next pass goes on"
    end += "" if archive.keeps else "; texts stay, for this platform's disk forgets files: mount a volume"
    return f"archived the texts of {done.archived} calls in {done.files} files; deleted {gone}{end}"


def _status(archive: Archivist, asked: argparse.Namespace) -> str:
    shelf = archive.shelf()
    span = f", of {_day(shelf.first_ms)} to {_day(shelf.last_ms)}" if shelf.calls else ""
    return f"{archive.folder}: {shelf.files} files with the texts of {shelf.calls} calls{span}"


def _back(archive: Archivist, asked: argparse.Namespace) -> str:
    return f"brought back the texts of {archive.bring_back(*_span(asked))} calls"


def _away(archive: Archivist, asked: argparse.Namespace) -> str:
    return f"took the texts of {archive.send_away(*_span(asked))} calls out again"


ACTS: dict[str, Callable[[Archivist, argparse.Namespace], str]] = {
    "run": _run,
    "status": _status,
    "back": _back,
    "away": _away,
}


def _span(asked: argparse.Namespace) -> tuple[int, int]:
    return _ms(asked.first), _ms(asked.last) + DAY_MS


def _ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


if __name__ == "__main__":
    with last_line("archive"):
        main()
