"""
`python -m tests.evidence --file FILE`: the real system over a whole candle file, and the event engine beside it.

Twenty accounts of mixed settings (`--users`), `--days` of the file, from `--first` on (a UTC date, with half a day
before it that is past by then); exit status 1 when an account is told otherwise in any order, execution, fee, lock or
equity. `--database` compares a replay that was made before (SQLite, its own file).
When most of many accounts trade in one second, the last of them stand in line for the venue's request limit and read
their equity some seconds later than the engine does: another latency, told as a difference of that T's equity alone.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.day import DAY_MS
from lib.replay.replay import ReplayPlan, replay
from lib.simulator.feeds import instrument_of
from lib.simulator.market.candle_files import read_candles
from tests.evidence.differential import counts, differences
from tests.evidence.walks import file_of

BEFORE_MS = 12 * 60 * MINUTE_MS
"""What of the file is past when the first day of `--first` begins."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--days", type=int, default=9999)
    parser.add_argument("--first", type=date.fromisoformat)
    parser.add_argument("--database", type=Path)
    asked = parser.parse_args()
    candles = read_candles(asked.file, instrument_of(asked.symbol)).candles
    if asked.database:
        return compared(asked, candles, make_engine(f"sqlite:///{asked.database}"))
    with tempfile.TemporaryDirectory(prefix="maemae-evidence-") as folder:
        url = f"sqlite:///{folder}/replay.db"
        if asked.first:
            candles = days_of(candles, asked.first, asked.days)
            asked.file = file_of(candles, Path(folder))
        plan = ReplayPlan(asked.file, asked.users, asked.days, asked.symbol, url, "")
        asyncio.run(replay(plan, progress))
        return compared(asked, candles, make_engine(url))


def days_of(candles: Sequence[Candle], first: date, days: int) -> list[Candle]:
    """*days* UTC days of *candles* from *first* on, what is past before them, and a cycle after them."""
    begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    until = begin + days * DAY_MS + 5 * MINUTE_MS
    return [one for one in candles if begin - BEFORE_MS <= one.open_time < until]


def progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done}/{total} cycles")


def compared(asked: argparse.Namespace, candles: Sequence[Candle], engine: sa.Engine) -> int:
    begun = time.process_time()
    found, accounts = differences(engine, candles, asked.symbol)
    took = time.process_time() - begun
    print("\n".join(found))
    print(f"{accounts} accounts, {len(found)} told otherwise: {counts(engine)}; compared in {took:.1f} s of CPU")
    engine.dispose()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
