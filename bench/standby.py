"""
A second trader and a second collector beside the first, on one Redis and one database: real processes, the simulator.

`python -m bench.standby`, some ten minutes from the next boundary of five on. The leader is killed (SIGKILL) in the
middle of a cycle, stopped for 40 s (SIGSTOP) and continued, and killed between cycles, each time while a standby lives
on "another machine" (a DATA_DIR of its own); then one of two collectors is killed. Printed: when the standby leads and
has decided the cycle it found, the longest silence of any guardian, how late a closed candle came (as shares of what is
allowed), orders doubled, and whether the list of candles is the exchange's, value by value.
"""

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.adapters.redis.connection import connect
from lib.adapters.sql.tables.trading import orders, trade_logs, trader_lease
from lib.domain.candle import MINUTE_MS
from lib.domain.order import CYCLE_MS
from lib.market.history import load_history
from lib.queries.market import moment
from tests.e2e.test_whole_system import ROOT, System, answers, deployed, position_at_the_exchange, register

LEAD_MS = 90_000
LEASE_S = 30.0
"""A lease: what a standby waits for at most before it may lead."""
BEAT_S = 10.0
"""How often it tries."""
GUARD_S = 30.0
"""Within so long every position is inspected again."""
STOPPED_S = 40.0
KEPT = 5_000
POLL_S = 0.5
LONG_S = 300.0


def say(line: str) -> None:
    """One line of the outcome."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def wait_until(what: str, holds: Callable[[], Any], seconds: float = LONG_S) -> Any:
    """What *holds* gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise SystemExit(f"never happened: {what}")


@dataclass
class Pair:
    """Processes of one service on several machines."""

    system: System
    service: str
    living: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, machine: str) -> None:
        """One on *machine*, whose disk no other has."""
        folder = self.system.folder / machine
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.e2e.shifted", self.service, str(self.system.shift_ms)]
        env = {**self.system.env, "DATA_DIR": str(folder)}
        with (folder / f"{self.service}.log").open("ab") as log:
            self.living[machine] = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)

    def kill(self, machine: str) -> None:
        """By SIGKILL."""
        process = self.living.pop(machine)
        process.kill()
        process.wait()

    def said(self, machine: str) -> str:
        """What the one on *machine* wrote."""
        return (self.system.folder / machine / f"{self.service}.log").read_text(errors="replace")

    def end(self) -> None:
        """All of them."""
        for process in self.living.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@dataclass(eq=False)
class Watch(threading.Thread):
    """Reads the status twice a second: the longest a guardian, and the newest candle, were behind, seconds."""

    system: System
    store: RedisCandleStore
    guardian_s: float = 0.0
    candle_s: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        while not self._done.wait(POLL_S):
            now, looked = self.system.now_ms, moment(self.store.status().get("guardian_heartbeat"))
            if looked is not None:
                self.guardian_s = max(self.guardian_s, (now - looked) / 1000)
            if newest := self.store.newest("BTCUSDT", "1m", 1):
                self.candle_s = max(self.candle_s, (now - newest[0].open_time - 2 * MINUTE_MS) / 1000)

    def afresh(self) -> None:
        """Forget what was the longest so far."""
        self.guardian_s = self.candle_s = 0.0

    def end(self) -> None:
        """Stop reading."""
        self._done.set()
        self.join()


def holder(system: System) -> tuple[str, int]:
    """Who leads, under which epoch."""
    with system.engine.connect() as connection:
        row = connection.execute(sa.select(trader_lease)).mappings().one()
    return row["holder"], row["epoch"]


def took_over(system: System, epoch: int, since: float) -> float:
    """Seconds from *since* until another leads than under *epoch*."""
    wait_until("the standby leads", lambda: holder(system)[1] > epoch)
    return time.monotonic() - since


def served(system: System, t_ms: int) -> sa.RowMapping | None:
    """The log row of T once it is decided."""
    with system.engine.connect() as connection:
        query = sa.select(trade_logs).where(trade_logs.c.t_ms == t_ms, trade_logs.c.status != "pending")
        return connection.execute(query).mappings().first()


def doubled(system: System) -> int:
    """Orders beyond one a T, leg and number; every order sent has a row, and every row one end."""
    with system.engine.connect() as connection:
        rows = connection.execute(sa.select(orders.c.t_ms, orders.c.leg, orders.c.seq)).all()
    return sum(count - 1 for count in Counter(map(tuple, rows)).values())


def leading(system: System, traders: Pair) -> str:
    """The machine whose trader leads: the only one whose start was told under the lease's holder."""
    name, _ = wait_until("somebody leads", lambda: holder(system) if holder(system)[0] else None)
    for machine in traders.living:
        if (system.folder / machine / "trader.seat").read_text().strip() == name:
            return machine
    raise SystemExit("nobody alive leads")


def other(traders: Pair, machine: str) -> str:
    """The one that does not."""
    return next(one for one in ("a", "b") if one != machine)


@contextmanager
def at_work() -> Iterator[tuple[System, Pair, Pair, Watch]]:
    """Two of each, a minute before T."""
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder), LEAD_MS) as system:
        system.shift_ms = 0  # the timetable goes by the machine's own clock
        client = connect(system.env["REDIS_URL"])
        traders, collectors = Pair(system, "trader"), Pair(system, "collector")
        watch = Watch(system, RedisCandleStore(client))
        system.start("simulator")
        wait_until("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
        try:
            for machine in ("a", "b"):
                collectors.start(machine)
            yield system, traders, collectors, watch
        finally:
            traders.end()
            collectors.end()
            client.close()


def main() -> None:
    """All of it, one after the other; about eight minutes."""
    with at_work() as (system, traders, collectors, watch):
        uid, key = register(system)
        traders.start("a")
        wait_until("somebody leads", lambda: holder(system)[0])
        traders.start("b")
        wait_until("the standby is ready", lambda: "trader.reconciled" in traders.said("b"))
        wait_until("T has come", lambda: system.now_ms > system.t_ms + 2_300)
        first, (_, epoch) = leading(system, traders), holder(system)
        traders.kill(first)
        began = time.monotonic()
        watch.start()
        lead_s = took_over(system, epoch, began)
        wait_until("the cycle is served", lambda: served(system, system.t_ms))
        say(f"killed in the middle of a cycle: another leads after {lead_s / LEASE_S:.2f} of the lease of 30 s")
        late_s = time.monotonic() - began
        say(f"  its cycle is decided {late_s / 90:.2f} of the 90 s an entry may take, doubled {doubled(system)}")
        traders.start(first)
        wait_until("it is ready again", lambda: traders.said(first).count("trader.reconciled") > 1)
        watch.afresh()

        stopped, (_, epoch) = leading(system, traders), holder(system)
        traders.living[stopped].send_signal(signal.SIGSTOP)
        began = time.monotonic()
        lead_s = took_over(system, epoch, began)
        time.sleep(max(0.0, STOPPED_S - (time.monotonic() - began)))
        traders.living[stopped].send_signal(signal.SIGCONT)
        say(f"stopped for 40 s and continued: another leads after {lead_s / LEASE_S:.2f} of the lease")
        say(f"  longest without a guardian's look {watch.guardian_s / GUARD_S:.2f} of 30 s, doubled {doubled(system)}")
        watch.afresh()

        now, (_, epoch) = leading(system, traders), holder(system)
        traders.kill(now)
        began = time.monotonic()
        lead_s = took_over(system, epoch, began)
        say(f"killed between cycles: another leads after {lead_s / LEASE_S:.2f} of the lease")
        say(f"  longest without a guardian's look {watch.guardian_s / GUARD_S:.2f} of 30 s, doubled {doubled(system)}")

        watch.afresh()
        collectors.kill("a")
        next_t = system.t_ms + CYCLE_MS * ((system.now_ms - system.t_ms) // CYCLE_MS + 1)
        wait_until("the next cycle is decided", lambda: served(system, next_t), 2 * LONG_S)
        position, placed = position_at_the_exchange(system, uid, key), doubled(system)
        late_s = watch.candle_s + POLL_S
        say(f"one of two collectors killed: a closed candle was at most {late_s:.1f} s late (20 s are allowed)")
        market = BybitMarketData(f"http://127.0.0.1:{system.env['SIMULATOR_PORT']}")
        held = watch.store.newest("BTCUSDT", "1m", KEPT)
        venue = {one.open_time: one for one in load_history(market, "BTCUSDT", "1m", count=KEPT).candles}
        same = sum(venue.get(one.open_time, one) == one for one in held)
        whole = all(b.open_time - a.open_time == MINUTE_MS for a, b in pairwise(held))
        say(f"  the list: {same} of {len(held)} candles as the exchange has them, without a hole: {whole}")
        with system.engine.connect() as connection:
            filled = connection.scalars(sa.select(orders.c.filled_qty).where(orders.c.leg == "e")).all()
        say(f"next cycle: orders doubled {placed}; position {abs(position.qty)}, filled by entries {sum(filled)}")
        watch.end()


if __name__ == "__main__":
    main()
