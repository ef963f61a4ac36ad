"""
What a trader's write costs while a year's old texts leave the database, beside the same write on a quiet one.

The write is the ledger's `record_cycle`, a transaction of the trader's own, every 20 ms. The archive's pass is the real
command in a process of its own, as it runs beside a trader. Rounds alternate: quiet, with the pass, quiet, with the
pass; medians and the slowest of a hundred are compared. Start: `python -m bench.archiving`, on SQLite and on a private
MariaDB, with `--calls N` old calls (a year of one prompt group is 105,120; of 100 people with instructions of their own
a hundred times as many). Exit status 1 when the median ratio on a server is over the limit.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from bench.readings import SERVER
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.schema import migrate
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.trading import cycles
from lib.clock import SystemClock
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.decision import Abstained
from tests.servers import new_database_on, private_mariadb

LIMIT = 2.0
CYCLE_MS, DAY_MS = 300_000, 86_400_000
EVERY_S, ROUND_S, ROUNDS = 0.02, 10, 3
PROMPT, CANDLES, ANSWER = "prompt " * 200, "[" + ",".join(["[1,2,3,4]"] * 200) + "]", "answer " * 40
_numbers = count(1)


def fill(engine: sa.Engine, calls: int) -> None:
    """Migrate and make *calls* old analyst calls, one a cycle, the newest a year old."""
    migrate(engine)
    last = SystemClock().now_ms() - 365 * DAY_MS
    with engine.begin() as connection:
        for first in range(0, calls, 1_000):
            span = range(first, min(first + 1_000, calls))
            connection.execute(sa.insert(cycles), [_call(last - (calls - n) * CYCLE_MS) for n in span])


def _call(t_ms: int) -> dict[str, object]:
    of = {"feed": "synthetic", "symbol": "BTCUSDT", "interval_s": 300, "prompt_group": "group", "t_ms": t_ms}
    rest = {"state": "decided", "decision": {}, "model": "rules", "prompt_tokens": 900, "completion_tokens": 60}
    return of | rest | {"latency_ms": 40, "prompt": PROMPT, "candles": CANDLES, "raw_answer": ANSWER}


async def written(ledger: SqlLedger) -> list[float]:
    """Seconds each write took, for one round."""
    took, until = [], time.monotonic() + ROUND_S
    answer = AnalystAnswer(Abstained(codes.ANALYST_FAILURES(cycles=1)), ANSWER, "rules", 900, 60, 40, failed=False)
    while time.monotonic() < until:
        key = CycleKey("bench", "BTCUSDT", 300, next(_numbers) * CYCLE_MS, "group")
        began = time.perf_counter()
        await ledger.record_cycle(CycleRecord(key, PROMPT, CANDLES, answer))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(EVERY_S)
    return took


@contextmanager
def passing(engine: sa.Engine, url: str, folder: Path) -> Iterator[None]:
    """The archive's own pass goes on beside the block; killed at its end, as a pass may be."""
    env = dict(os.environ) | {"DATABASE_URL": url, "INSTALLATION": "bench", "DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "services.archive"]
    before = gone(engine)
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as child:
        while gone(engine) == before and child.poll() is None:
            time.sleep(0.05)
        yield
        child.send_signal(signal.SIGKILL)


def gone(engine: sa.Engine) -> int:
    """How many calls have their texts in a file."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(cycles.c.archived)) or 0


def measure(name: str, url: str, calls: int) -> float:
    """Print how long writes took, quiet and beside a pass; the ratio of the medians."""
    engine = make_engine(url)
    fill(engine, calls)
    ledger = SqlLedger(engine, installation="bench")
    quiet: list[float] = []
    beside: list[float] = []
    moved = 0
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(written(ledger))
        for _ in range(ROUNDS):
            quiet += asyncio.run(written(ledger))
            with passing(engine, url, Path(folder)):
                before = gone(engine)
                beside += asyncio.run(written(ledger))
                moved += gone(engine) - before
    ledger.close()
    engine.dispose()
    ratio = statistics.median(beside) / statistics.median(quiet)
    pace = moved / (ROUNDS * ROUND_S)
    print(f"{name:<8} quiet {_said(quiet)} · beside a pass {_said(beside)} · ratio {ratio:.2f} · {pace:.0f} calls/s")
    return ratio


def _said(took: list[float]) -> str:
    slow = statistics.quantiles(took, n=100)[98]
    return f"median {statistics.median(took) * 1000:.1f} ms, p99 {slow * 1000:.1f} ms of {len(took)}"


def main() -> int:
    """Measure on both kinds of database."""
    parser = argparse.ArgumentParser(prog="python -m bench.archiving")
    parser.add_argument("--calls", type=int, default=105_120)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{folder}/bench.db", calls)
    with private_mariadb(*SERVER, in_memory=False) as root, new_database_on(root) as url:
        return int(measure("MariaDB", url, calls) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
