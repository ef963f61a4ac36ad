"""
What the results page reads of a year of one account on MariaDB: 105,120 equity points, 4,204 orders, 8,408 executions.

The first reading of a process walks all executions and sums all costs; later ones read what is new. Both are timed, in
wall time and in this process's own, beside the answer to `SELECT 1`: on a busy machine only the ratio means something.
Start: `python -m bench.results` (a private MariaDB, filled by `bench.year`), `--url mysql://…` for one that is filled.
Exit status 1 when the median of the later readings of a year is over the limit.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC

import sqlalchemy as sa

from app.ui.spans import period
from bench import year
from bench.readings import SERVER, span_of
from lib.adapters.sql.database.engine import make_engine
from lib.clock import SteppedClock
from lib.queries import Readings
from tests.fakes.market import MemoryCandleStore
from tests.servers import new_database_on, private_mariadb

LIMIT_S = 0.300
ROUNDS = 15
CYCLES = 105_120


def measure(engine: sa.Engine) -> bool:
    """Time the first and the later readings and print a line each; whether a year is within the limit."""
    _, _, last = span_of(engine)
    readings = Readings(engine, MemoryCandleStore(), SteppedClock(last))
    _say("SELECT 1", [_timed(lambda: _ask(engine)) for _ in range(ROUNDS)])
    well = True
    for span in ("1y", "30d"):
        asked = period(span, last, UTC)

        def read(since_ms: int = asked.since_ms, bounds: tuple[int, ...] = asked.bounds) -> None:
            readings.results(1, since_ms=since_ms, bounds=bounds)

        _say(f"{span}, first", [_timed(read)])
        later = [_timed(read) for _ in range(ROUNDS)]
        _say(f"{span}, later", later)
        well = well and statistics.median(wall for wall, _ in later) <= LIMIT_S
    return well


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, own = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - own


def _ask(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _say(name: str, taken: list[tuple[float, float]]) -> None:
    wall, own = (statistics.median(column) * 1e3 for column in zip(*taken, strict=True))
    sys.stdout.write(f"{name:12} {wall:8.1f} ms, {own:7.1f} ms of this process\n")
    sys.stdout.flush()


def main() -> int:
    """Fill where nothing is, measure, and say it."""
    parser = argparse.ArgumentParser(prog="python -m bench.results", description=__doc__)
    parser.add_argument("--url", default="", help="a filled database; empty = a private MariaDB, thrown away")
    asked = parser.parse_args()
    if asked.url:
        return _run(asked.url, fill=False)
    with private_mariadb(*SERVER, in_memory=False) as root, new_database_on(root) as url:
        return _run(url, fill=True)


def _run(url: str, *, fill: bool) -> int:
    engine = make_engine(url)
    try:
        if fill:
            year.fill(engine, 2, CYCLES, lambda made, of: None)
        return 0 if measure(engine) else 1
    finally:
        engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main())
