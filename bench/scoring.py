"""
What a trader's write costs while opinions are scored at the same database, beside the same write on a quiet one.

Scoring never runs while a cycle is near: this is what closing by hand or the guardian would meet between two cycles.
The write is the ledger's `record_cycle`, every 20 ms. The scorer is the real one, in a process of its own, over
opinions that have all ended, with a clock on which no cycle ever comes; it waits between two steps while a round is to
be quiet. Rounds of two seconds alternate and are compared as `bench.archiving` compares them. Start: `python -m
bench.scoring`, on SQLite and on a private MariaDB. Exit status 1 when the writes in the middle take more than ten
milliseconds longer beside it, or a server's ratio of the slowest of twenty is over the limit.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bench.archiving import LIMIT, Pass, Rounds, written
from bench.readings import SERVER
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.forms.score_book import SqlScoreBook
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.scores import scores
from lib.adapters.sql.tables.trading import cycles
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS
from lib.evidence.scorer import Scorer
from lib.market.status import rules_text
from lib.simulator.feeds import instrument_of
from tests.evidence.walks import wandering
from tests.fakes.market import MemoryCandleStore, SetClock
from tests.servers import new_database_on, private_mariadb

MOST_MS = 10.0
FEED, SYMBOL = "synthetic", "BTCUSDT"
MINUTES, BEFORE, APART_MS = 4_900, 1_500, 10_000
NOW_MS = 1_789_999_800_000 + 2 * MINUTE_MS
BEGIN_MS = NOW_MS - MINUTES * MINUTE_MS


def fill(engine: sa.Engine) -> None:
    """Migrate and make an opinion every ten seconds, all of which have ended by now."""
    migrate(engine)
    times = range(BEGIN_MS, NOW_MS - BEFORE * MINUTE_MS, APART_MS)
    with engine.begin() as connection:
        for first in range(0, len(times), 1_000):
            connection.execute(sa.insert(cycles), [_call(t_ms) for t_ms in times[first : first + 1_000]])


def _call(t_ms: int) -> dict[str, object]:
    action = "buy" if t_ms // APART_MS % 2 else "sell"
    said = {"action": action, "confidence": "0.7", "leverage": 5, "reason": "bench", "stop_loss": "0.004"}
    of = {"feed": FEED, "symbol": SYMBOL, "interval_s": 300, "prompt_group": "bench", "t_ms": t_ms}
    rest = {"state": "decided", "model": "rules", "prompt_tokens": 900, "completion_tokens": 60, "latency_ms": 40}
    texts = {"prompt": "", "candles": "[]", "raw_answer": ""}
    return of | rest | texts | {"decision": said | {"take_profit": "0.006"}}


def score_when_told(url: str) -> None:
    """The child: rounds of scoring, which go on while told "go", and say "held" between two steps otherwise."""
    going, store = threading.Event(), MemoryCandleStore()
    store.rebuild(SYMBOL, "1m", wandering(7, MINUTES, begin_ms=BEGIN_MS))
    store.set_status({f"rules:{SYMBOL}": rules_text(instrument_of(SYMBOL))})

    def rest(seconds: float) -> None:
        time.sleep(seconds)
        if not going.is_set():
            print("held", flush=True)
            going.wait()

    def listen() -> None:
        for line in sys.stdin:
            (going.set if line == "go\n" else going.clear)()

    threading.Thread(target=listen, daemon=True).start()
    Scorer(SqlScoreBook(make_engine(url)), store, FEED, SetClock(NOW_MS), rest).go_on()
    print("over", flush=True)


@contextmanager
def a_scorer(url: str) -> Iterator[Pass]:
    """A scorer that is held already; killed at the end, as it may be."""
    command = [sys.executable, "-m", "bench.scoring", "--beside", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        made = Pass(child.stdin, child.stdout)
        if made.said.readline() != "held\n":
            raise SystemExit("the scorer found nothing to do")
        yield made
        child.kill()


def measure(name: str, url: str, rounds: int) -> tuple[float, float]:
    """Print how long writes took; how much longer in the middle (ms), and the ratio of the slowest of twenty."""
    engine = make_engine(url)
    fill(engine)
    ledger = SqlLedger(engine, installation="bench")
    asyncio.run(written(ledger))
    seen = Rounds([], [])
    with a_scorer(url) as scorer:
        before, spent = kept(engine), 0.0
        seen.quiet.append(asyncio.run(written(ledger)))
        for _ in range(rounds):
            scorer.go()
            at = time.monotonic()
            seen.beside.append(asyncio.run(written(ledger)))
            is_left = scorer.hold()
            spent += time.monotonic() - at
            seen.quiet.append(asyncio.run(written(ledger)))
            if not is_left:
                raise SystemExit(f"{name}: everything was scored before the end: fewer --rounds")
        made = kept(engine) - before
    ledger.close()
    engine.dispose()
    quiet, beside = (statistics.median(map(statistics.median, many)) * 1000 for many in (seen.quiet, seen.beside))
    slow = statistics.median(seen.ratios(95))
    print(f"{name}: {rounds} rounds beside a scorer of {made / spent:.0f} opinions/s: quiet {quiet:.1f} ms, "
          f"beside {beside:.1f} ms; slowest of twenty {slow:.2f} times, quiet against quiet "
          f"{statistics.median(seen.noise(95)):.2f}")  # fmt: skip
    return beside - quiet, slow


def kept(engine: sa.Engine) -> int:
    """How many scores there are."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(scores)) or 0


def main() -> int:
    """Measure on both kinds of database."""
    parser = argparse.ArgumentParser(prog="python -m bench.scoring")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--beside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.beside:
        score_when_told(asked.beside)
        return 0
    assert NOW_MS % CYCLE_MS == 2 * MINUTE_MS
    with tempfile.TemporaryDirectory() as folder:
        longer, _ = measure("SQLite", f"sqlite:///{folder}/bench.db", asked.rounds)
    with private_mariadb(*SERVER, in_memory=False) as root, new_database_on(root) as url:
        served, ratio = measure("MariaDB", url, asked.rounds)
    return int(max(longer, served) > MOST_MS or ratio > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
