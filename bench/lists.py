"""
Fifty symbols, three intervals each: how soon their candles are there, and what a minute of them costs.

The real collector over a real Redis of its own, against the simulator in a process of its own, at the pace the order
path leaves to public readings. Measured: seconds to the first list (one that accounts trade, named last in SYMBOLS), to
all traded lists, and to all 150 of 1,000 candles, the last against the same calls made bare, one after the other, on a
simulator as fresh (most of it is the simulator making every minute); then the process's CPU over closed minutes,
against one core. Start: `python -m bench.lists`; exit status 1 over a limit.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib.adapters.bybit.limits.steps import Steps
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.stream.kline_stream import BybitKlineStream
from lib.adapters.redis import connection, embedded
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.clock import SystemClock
from lib.market.collector import Collector, CollectorPlan
from lib.market.history import load_history
from lib.market.status import TRADED
from lib.simulator.config import SimulatorConfig
from lib.simulator.server import serve

HOME = "127.0.0.1"
ODD = ("1000PEPEUSDT", "SHIB1000USDT", "10000SATSUSDT", "DOGEUSDT", "ETHUSDT", "BTCUSDT")
SYMBOLS = (*(f"COIN{number}USDT" for number in range(44)), *ODD)
INTERVALS = ("1m", "5m", "15m")
TRADED_SYMBOLS = ("BTCUSDT", "1000PEPEUSDT")
CAPACITY = 1_000
MOST_FIRST_S, MOST_OF_BARE, MOST_CPU = 3.0, 1.5, 0.1


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    Seconds from the start until the first, the traded and all lists were there, and for the bare calls; CPU a closed
    minute (s).
    """

    lists: int
    first_s: float
    traded_s: float
    all_s: float
    start_cpu_s: float
    minute_cpu_s: float
    bare_s: float

    @property
    def is_fine(self) -> bool:
        soon = self.first_s <= MOST_FIRST_S and self.all_s <= MOST_OF_BARE * self.bare_s
        return soon and self.minute_cpu_s / 60 <= MOST_CPU


async def serve_venue(folder: Path) -> None:
    """Serve until told to end; the port goes to standard output."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = SimulatorConfig("synthetic", folder / "simulator.db", port=0, symbols=SYMBOLS)
    await serve(config, stop, on_ready=lambda port: print(port, flush=True))


@contextmanager
def venue(folder: Path) -> Iterator[int]:
    """The simulator in a process of its own; its port."""
    command = [sys.executable, "-m", "bench.lists", "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def bare(folder: Path) -> float:
    """Seconds for the candles of all lists alone."""
    with venue(folder) as port:
        market, began = BybitMarketData(f"http://{HOME}:{port}", steps=Steps()), time.monotonic()
        for interval in INTERVALS:
            for symbol in SYMBOLS:
                load_history(market, symbol, interval, count=CAPACITY)
        return time.monotonic() - began


def measure(folder: Path, minutes: int) -> Loaded:
    """One start from nothing, and *minutes* after it."""
    (folder / "bare").mkdir()
    bare_s = bare(folder / "bare")
    server = embedded.ensure(folder / "redis")
    try:
        with venue(folder) as port:
            store = RedisCandleStore(connection.connect(server.url), capacity=CAPACITY)
            store.set_status({TRADED: ",".join(TRADED_SYMBOLS)})
            plan = CollectorPlan("synthetic", SYMBOLS, INTERVALS, CAPACITY)
            market = BybitMarketData(f"http://{HOME}:{port}", steps=Steps())
            stream = BybitKlineStream(f"ws://{HOME}:{port}/v5/public/linear", plan.streamed)
            collector = Collector(plan, store, market, stream, SystemClock())
            return watched(collector, store, minutes, bare_s)
    finally:
        server.stop()


def watched(collector: Collector, store: RedisCandleStore, minutes: int, bare_s: float) -> Loaded:
    """Run *collector* and see when its lists are there."""
    lists = {(symbol, interval) for symbol in SYMBOLS for interval in INTERVALS}
    traded = {(symbol, "1m") for symbol in TRADED_SYMBOLS}
    began, cpu, seen = time.monotonic(), time.process_time(), dict[tuple[str, str], float]()
    runner = threading.Thread(target=collector.run)
    runner.start()
    try:
        while len(seen) < len(lists):
            for series in lists - seen.keys():
                if store.count(*series):
                    seen[series] = time.monotonic() - began
            time.sleep(0.1)
        start_cpu = time.process_time() - cpu
        cpu = time.process_time()
        time.sleep(60 * minutes)
        minute_cpu = (time.process_time() - cpu) / max(minutes, 1)
    finally:
        collector.stop()
        runner.join()
    last = max(seen.values())
    first, wanted = min(seen.values()), max(seen[one] for one in traded)
    return Loaded(len(lists), first, wanted, last, start_cpu, minute_cpu, bare_s)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=3, help="closed minutes to watch after the start")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_venue(options.serve))
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        found = measure(Path(name), options.minutes)
    print(
        f"{found.lists} lists: the first after {found.first_s:.1f} s, all traded after {found.traded_s:.1f} s, all "
        f"after {found.all_s:.1f} s, {found.all_s / found.bare_s:.2f} of the bare calls ({found.bare_s:.0f} s); "
        f"CPU {found.start_cpu_s:.1f} s for the start, {found.minute_cpu_s:.2f} s a minute, "
        f"{found.minute_cpu_s / 60:.3f} of a core"
    )
    sys.exit(0 if found.is_fine else 1)


if __name__ == "__main__":
    main()
