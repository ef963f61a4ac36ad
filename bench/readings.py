"""
What pages, API and terminal read, on a database with a year of a hundred accounts in it (10.5 million log rows).

Each reading is timed over several people and its median held against 20 ms, a search for words against 50; beside it
stand the rows the server touched for it, which tell a step in an index from a walk through a table, whatever the
machine is doing meanwhile. The floor of the run is the answer to `SELECT 1`. Start: `python -m bench.readings` (a
private MariaDB, filled by `bench.year`; some twenty minutes and eight gigabytes), `--cycles 8760` for a month,
`--url mysql://…` for a server of one's own, filled when it is empty. Exit status 1 when a reading is over the limit or
walks.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy import event

from bench import year
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import trade_logs
from lib.clock import SteppedClock
from lib.domain.order import CYCLE_MS
from lib.queries import Cursor, LogFilter, Readings, Words
from lib.queries.log_search import LOOKED
from tests.fakes.market import MemoryCandleStore
from tests.servers import new_database_on, private_mariadb

LIMIT_S = 0.020
MOST_TOUCHED = 3_000
"""Rows a reading may touch, however many there are: a count stops at a thousand, and is counted twice."""
SEARCH_S, MOST_SOUGHT = 0.050, 5 * LOOKED
"""A search for words looks through a week: its rows by their index for its end, again for the words, and the calls."""
ROUNDS = 15
DAY_MS = 86_400_000
SERVER = ("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G", "--innodb-doublewrite=0")

OUTCOMES = ("held", "bought", "skipped", "failed", "unresolved")
NOWHERE = LogFilter(words=Words("nobody said this"))
REFUSED, TRADES = LogFilter(outcome="refused"), LogFilter(traded=True)
Read = Callable[[Readings, int], object]


def readings_of(first_ms: int, last_ms: int, traded: Mapping[int, int]) -> Mapping[str, Read]:
    """
    Every reading of a person in a database whose rows go from *first_ms* to *last_ms*, by name; *traded* is the id of
    a log row with orders, by person.
    """
    deep = Cursor(older=True, at_ms=first_ms + (last_ms - first_ms) // 20, row_id=10**17)
    back = Cursor(older=False, at_ms=deep.at_ms, row_id=0)
    return {
        "newest log rows": lambda r, user: r.logs(user, limit=10),
        "nothing new in the log": lambda r, user: r.logs(user, newer_than=r.logs(user, limit=1)[0].id, limit=5),
        "newest page": lambda r, user: r.logs_page(user, limit=20),
        "deep page": lambda r, user: r.logs_page(user, limit=20, cursor=deep),
        "deep page, back": lambda r, user: r.logs_page(user, limit=20, cursor=back),
        "page of a week": lambda r, user: r.logs_page(user, limit=20, only=LogFilter(since_ms=last_ms - 7 * DAY_MS)),
        **{
            f"page of {outcome}": _page_of(outcome) for outcome in ("held", "bought", "skipped", "failed", "unresolved")
        },
        "deep page of refused": lambda r, user: r.logs_page(user, limit=20, cursor=deep, only=REFUSED),
        "words nobody said": lambda r, user: r.logs_page(user, limit=20, only=NOWHERE),
        "words, deep": lambda r, user: r.logs_page(user, limit=20, cursor=deep, only=NOWHERE),
        "page of trades": lambda r, user: r.logs_page(user, limit=20, only=TRADES),
        "one decision": lambda r, user: r.log_detail(user, traded[user]),
        "tiles": lambda r, user: r.tiles(user),
        "newest equity": lambda r, user: r.equity(user, limit=1),
        "holding": lambda r, user: r.holding(user),
        "marks of two days": lambda r, user: r.markers(user, last_ms - 2 * DAY_MS),
        "settings": lambda r, user: r.settings(user),
        "key": lambda r, user: r.key_status(user),
        "newest command": lambda r, user: r.command(user),
        "standing": lambda r, user: r.standing(user),
        "pulse": lambda r, user: r.pulses([user]),
        "health": lambda r, user: r.health(last_ms),
    }


def _page_of(outcome: str) -> Read:
    only = LogFilter(outcome=outcome)
    return lambda r, user: r.logs_page(user, limit=20, only=only)


def touched(engine: sa.Engine, work: Callable[[], object]) -> int:
    """How many rows the server read for *work*, by its own count."""
    counts = [0]

    def before(connection: sa.Connection) -> None:
        connection.exec_driver_sql("FLUSH STATUS")

    def after(connection: sa.Connection) -> None:
        rows = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
        counts[0] += sum(int(count) for _, count in rows)

    event.listen(engine, "begin", before)
    event.listen(engine, "commit", after)
    try:
        work()
    finally:
        event.remove(engine, "begin", before)
        event.remove(engine, "commit", after)
    return counts[0]


def span_of(engine: sa.Engine) -> tuple[int, int, int]:
    """(people, first T, last T) of what is in the database."""
    with engine.connect() as connection:
        people = connection.scalar(sa.select(sa.func.count()).select_from(accounts)) or 0
        mine = trade_logs.c.account_id == 1
        ends = [connection.scalar(sa.select(f(trade_logs.c.t_ms)).where(mine)) or 0 for f in (sa.func.min, sa.func.max)]
    return people, ends[0], ends[1]


def traded_rows(engine: sa.Engine) -> dict[int, int]:
    """A log row with an order, by person."""
    ids = sa.select(trade_logs.c.user_id, sa.func.max(trade_logs.c.id)).where(trade_logs.c.outcome == "bought")
    with engine.connect() as connection:
        return {user: row_id for user, row_id in connection.execute(ids.group_by(trade_logs.c.user_id))}


def measure(engine: sa.Engine) -> bool:
    """Time and count every reading and print a line each; whether all of them are well."""
    people, first, last = span_of(engine)
    readings = Readings(engine, MemoryCandleStore(), SteppedClock(last + CYCLE_MS // 2))
    floor = _median(lambda _: _ask(engine), people)
    _say(f"{people * ((last - first) // CYCLE_MS + 1):,} log rows of {people} accounts; SELECT 1: {floor * 1e3:.2f} ms")
    well = True
    for name, read in readings_of(first, last, traded_rows(engine)).items():
        seconds = _median(lambda user, read=read: read(readings, user), people)  # type: ignore[misc]
        rows = max(touched(engine, lambda user=user, read=read: read(readings, user)) for user in (1, 8))  # type: ignore[misc]
        limit, most = (SEARCH_S, MOST_SOUGHT) if name.startswith("words") else (LIMIT_S, MOST_TOUCHED)
        fits = seconds <= limit and rows <= most
        well = well and fits
        over = "" if fits else "  OVER"
        _say(
            f"{name:24} {seconds * 1e3:7.2f} ms = {seconds / limit:5.2f} of {limit * 1e3:.0f} ms, {rows:6,} rows{over}"
        )
    return well


def _median(work: Callable[[int], object], people: int) -> float:
    taken = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        work(1 + number * 7 % people)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _ask(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Fill where nothing is, measure, and say it."""
    parser = argparse.ArgumentParser(prog="python -m bench.readings", description=__doc__)
    parser.add_argument("--url", default="", help="a server's database; empty = a private MariaDB, thrown away")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--cycles", type=int, default=105_120, help="five-minute cycles; 105,120 are a year")
    asked = parser.parse_args()
    if asked.url:
        return 0 if _run(asked.url, asked.people, asked.cycles) else 1
    with private_mariadb(*SERVER, in_memory=False) as root, new_database_on(root) as url:
        return 0 if _run(url, asked.people, asked.cycles) else 1


def _run(database: str, people: int, cycles: int) -> bool:
    engine = make_engine(database)
    try:
        if not sa.inspect(engine).has_table("trade_logs") or not span_of(engine)[0]:
            year.fill(engine, people, cycles, lambda made, of: _say(f"filled {made:,} of {of:,} cycles"))
        return measure(engine)
    finally:
        engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main())
