"""
How fast a grid is: processor time of an account run by Dask, beside the engine called alone, in the same run.

The accounts are the bundled rules' over a month of wandering candles. Alone are two plain processes that run the same
batches, two as the workers are two: cores that share a cache or are one core's threads are slower together. Counted is
the processor's time of every process that took part. What starting a grid takes (its workers, the file, packing) is
measured by one of four accounts, told by itself and taken off. The aim: an account takes at most two tenths more than
alone. Beside it how long 10,000 of them take on two free cores. Start: `python -m bench.grid` (`--accounts 400`). Exit
status 1 when the aim is missed.
"""

import argparse
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from lib.bootstrap.backtesting import BacktestPlan
from lib.bootstrap.grid_worker import Batch, Past, batches, code_digest, worked
from lib.bootstrap.gridding import GridPlan, grid
from lib.domain.account import AccountSettings, RiskLevel
from lib.evidence.grid import Grid
from tests.evidence.walks import file_of, wandering

MOST = 1.2
"""Times the processor's time of the engine alone."""
MONTH = 30 * 1440
TEN_THOUSAND, CORES = 10_000, 2
START = Decimal(10_000)


def accounts(count: int) -> Grid:
    """*count* accounts, a multiple of four: two thresholds, two paces, and steps of risk."""
    risks = tuple(Decimal(number) / 50_000 for number in range(5, 5 + count // 4))
    return Grid((RiskLevel.HIGH,), risks, confidences=(Decimal("0.6"), Decimal("0.7")), cadences=(5, 15))


def main() -> int:
    """Measure both and say how they compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.grid", description=__doc__)
    parser.add_argument("--accounts", type=int, default=400)
    many = accounts(parser.parse_args().accounts)
    few = accounts(4)
    with tempfile.TemporaryDirectory() as folder:
        candles = wandering(5, MONTH, wild=0.0004)
        plan = BacktestPlan(AccountSettings(), START, "BTCUSDT", file_of(candles, Path(folder)))
        packed = zlib.compress(pickle.dumps(Past("BTCUSDT", tuple(candles), None, START)))
        alone = spent_s(lambda: side_by_side(packed, many))
        start = spent_s(lambda: grid(GridPlan(plan, few, Path(folder) / "few", workers=CORES)))
        at = time.monotonic()
        whole = spent_s(lambda: grid(GridPlan(plan, many, Path(folder) / "many", workers=CORES)))
        took = time.monotonic() - at
    own, each = alone / len(many), (whole - start) / (len(many) - len(few))
    print(f"{len(many)} accounts of {len(candles)} candles, in {took:.0f} s by the clock; starting takes {start:.1f} s")
    print(f"alone   {own * 1000:7.1f} ms an account, {1 / own:6.1f} a second and core")
    print(f"by Dask {each * 1000:7.1f} ms an account, {1 / each:6.1f} a second and core: {each / own:.2f} times")
    minutes = (start + TEN_THOUSAND * each) / CORES / 60
    print(f"{TEN_THOUSAND:,} on {CORES} free cores: {minutes:.1f} minutes")
    return int(each / own > MOST)


def spent_s(work: Callable[[], object]) -> float:
    """Processor seconds of *work*, those of its children too, which must have ended."""
    begun = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - begun


def side_by_side(packed: bytes, many: Grid) -> None:
    """The batches of *many* by plain processes, which is all that a worker does with them."""
    made = batches(list(many.accounts().values()), code_digest())
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=run_all, args=(packed, made[first::CORES])) for first in range(CORES)]
    for child in children:
        child.start()
    for child in children:
        child.join()


def run_all(packed: bytes, some: list[Batch]) -> None:
    """Every batch of *some*."""
    for batch in some:
        worked(batch, packed)


if __name__ == "__main__":
    sys.exit(main())
