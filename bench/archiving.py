"""
What a trader's write costs while a year's old texts leave the database, beside the same write on a quiet one.

The write is the ledger's `record_cycle`, a transaction of the trader's own into the very table the archive works on,
every 20 ms. The archive's pass is the real one, in a process of its own, and waits between two of its steps while a
round is to be quiet. Rounds of two seconds alternate, quiet and beside the pass; each is compared with the quiet ones
before and after it, so what else the machine does is on both sides. Quiet rounds compared with each other in the same
way say what a ratio is worth: one between their quarters says nothing. Start: `python -m bench.archiving`, on SQLite
and on a private MariaDB, with `--calls N` old calls (a year of one prompt group is 105,120; of 100 people with
instructions of their own a hundred times as many). Exit status 1 when a server's ratio is over the limit.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import IO

import sqlalchemy as sa

from bench.readings import SERVER
from lib import bootstrap, settings
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.trading import cycles
from lib.clock import SystemClock
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.decision import Abstained
from tests.servers import new_database_on, private_mariadb

LIMIT = 2.0
CYCLE_MS, DAY_MS = 300_000, 86_400_000
EVERY_S, ROUND_S = 0.02, 2.0
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


# --- the pass, in a process of its own --------------------------------------------------------------------------------


def work_when_told(url: str, folder: str) -> None:
    """The child: one pass, which goes on while it is told "go" and says "held" between two steps of it otherwise."""
    going = threading.Event()

    def rest(seconds: float) -> None:
        time.sleep(seconds)
        if not going.is_set():
            print("held", flush=True)
            going.wait()

    def listen() -> None:
        for line in sys.stdin:
            (going.set if line == "go\n" else going.clear)()

    loaded = settings.load({"DATABASE_URL": url, "INSTALLATION": "bench", "DATA_DIR": folder})
    with bootstrap.archivist(loaded) as archive:
        threading.Thread(target=listen, daemon=True).start()
        replace(archive, rest=rest).run(SystemClock().now_ms())
    print("over", flush=True)


@dataclass(frozen=True, slots=True)
class Pass:
    """That child, as its starter sees it."""

    told: IO[str]
    said: IO[str]

    def go(self) -> None:
        self._tell("go")

    def hold(self) -> bool:
        """Wait until it touches nothing; False when there is nothing left to do."""
        self._tell("hold")
        return self.said.readline() == "held\n"

    def _tell(self, word: str) -> None:
        self.told.write(f"{word}\n")
        self.told.flush()


@contextmanager
def a_pass(url: str, folder: str) -> Iterator[Pass]:
    """A pass that is held already; killed at the end, as a pass may be."""
    command = [sys.executable, "-m", "bench.archiving", "--pass", url, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        made = Pass(child.stdin, child.stdout)
        if made.said.readline() != "held\n":
            raise SystemExit("the pass found nothing to do")
        yield made
        child.kill()


def gone(engine: sa.Engine) -> int:
    """How many calls have their texts in a file."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(cycles.c.archived)) or 0


# --- compared ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds of each write, by round: *quiet* has one round more than *beside*, around each of its rounds one."""

    quiet: list[list[float]]
    beside: list[list[float]]

    def ratios(self, q: int) -> list[float]:
        """Each round beside the pass against the two around it, at their *q* % slowest write."""
        around = zip(self.quiet, self.quiet[1:], self.beside, strict=False)
        return [_at(round_, q) / statistics.mean((_at(before, q), _at(after, q))) for before, after, round_ in around]

    def noise(self, q: int) -> list[float]:
        """Each quiet round against the two around it: what the same comparison says of nothing."""
        around = zip(self.quiet, self.quiet[1:], self.quiet[2:], strict=False)
        return [_at(round_, q) / statistics.mean((_at(before, q), _at(after, q))) for before, round_, after in around]


def _at(took: Sequence[float], q: int) -> float:
    return statistics.quantiles(took, n=100)[q - 1]


def measure(name: str, url: str, calls: int, rounds: int) -> float:
    """Print how long writes took, quiet and beside a pass; the ratio of the slowest of twenty."""
    engine = make_engine(url)
    fill(engine, calls)
    ledger = SqlLedger(engine, installation="bench")
    asyncio.run(written(ledger))
    seen = Rounds([], [])
    with tempfile.TemporaryDirectory() as folder, a_pass(url, folder) as archive:
        before, began = gone(engine), 0.0
        seen.quiet.append(asyncio.run(written(ledger)))
        for _ in range(rounds):
            archive.go()
            at = time.monotonic()
            seen.beside.append(asyncio.run(written(ledger)))
            is_left = archive.hold()
            began += time.monotonic() - at
            seen.quiet.append(asyncio.run(written(ledger)))
            if not is_left:
                raise SystemExit(f"{name}: everything was archived before the end: more --calls")
        moved = gone(engine) - before
    ledger.close()
    engine.dispose()
    print(f"{name}: {rounds} rounds beside a pass of {moved / began:.0f} calls/s")
    for q in (50, 95):
        quiet, beside = (statistics.median(_at(one, q) for one in many) * 1000 for many in (seen.quiet, seen.beside))
        print(f"  {q:>3} %: quiet {quiet:.1f} ms, beside {beside:.1f} ms; ratio {_middle(seen.ratios(q))}, "
              f"quiet against quiet {_middle(seen.noise(q))}")  # fmt: skip
    return statistics.median(seen.ratios(95))


def _middle(ratios: Sequence[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def main() -> int:
    """Measure on both kinds of database."""
    parser = argparse.ArgumentParser(prog="python -m bench.archiving")
    parser.add_argument("--calls", type=int, default=105_120)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--pass", nargs=2, dest="of", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.of:
        work_when_told(*asked.of)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{folder}/bench.db", asked.calls, asked.rounds)
    with private_mariadb(*SERVER, in_memory=False) as root, new_database_on(root) as url:
        return int(measure("MariaDB", url, asked.calls, asked.rounds) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
