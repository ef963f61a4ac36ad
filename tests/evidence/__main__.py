"""
`python -m tests.evidence --file FILE`: the real system over a whole candle file, and the event engine beside it.

Twenty accounts of mixed settings (`--users`), `--days` of the file; exit status 1 when an account is told otherwise in
any order, execution, fee, lock or equity. `--database` compares a replay that was made before (SQLite, its own file).
When most of many accounts trade in one second, the last of them stand in line for the venue's request limit and read
their equity some seconds later than the engine does: another latency, told as a difference of that T's equity alone.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.replay.replay import ReplayPlan, replay
from lib.simulator.feeds import instrument_of
from lib.simulator.market.candle_files import read_candles
from tests.evidence.differential import counts, differences


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--days", type=int, default=9999)
    parser.add_argument("--database", type=Path)
    asked = parser.parse_args()
    if asked.database:
        return compared(asked, make_engine(f"sqlite:///{asked.database}"))
    with tempfile.TemporaryDirectory(prefix="maemae-evidence-") as folder:
        url = f"sqlite:///{folder}/replay.db"
        plan = ReplayPlan(asked.file, asked.users, asked.days, asked.symbol, url, "")
        asyncio.run(replay(plan, progress))
        return compared(asked, make_engine(url))


def progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done}/{total} cycles")


def compared(asked: argparse.Namespace, engine: sa.Engine) -> int:
    candles = read_candles(asked.file, instrument_of(asked.symbol)).candles
    begun = time.process_time()
    found, accounts = differences(engine, candles, asked.symbol)
    took = time.process_time() - begun
    print("\n".join(found))
    print(f"{accounts} accounts, {len(found)} told otherwise: {counts(engine)}; compared in {took:.1f} s of CPU")
    engine.dispose()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
