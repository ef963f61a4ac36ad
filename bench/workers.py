"""
Accounts divided among three workers on three addresses in one cycle, everybody buying; one is killed in it.

Real processes (`services.trader`, which owns a share, and two `services.worker`) over MariaDB and Redis; the venue is
the simulator in a process of its own with Bybit's limits on for each loopback address. The analyst answers at once.
Printed: when the last entry was signed, as a share of 60 s and beside what 80 % of the limits allow; the most calls of
an address in any 5 s; how long the dead worker's accounts were nobody's; the CPU of each process for an account it
served, and how many accounts a core of its own would bear within 60 s. The exchange's own books judge, by the judge of
`make torture`. Only the start is skipped by moving the clock: from then on, time is the machine's, and everything
shares its cores. Start: `python -m bench.workers`, two to four minutes.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from lib.adapters.bybit.limits.limiter import IP_CALLS, IP_WINDOW_MS, SHARE
from lib.adapters.sql.tables.trading import orders, trade_logs
from lib.adapters.sql.tables.workers import account_leases
from lib.domain.order import CYCLE_MS
from lib.simulator.venue import venue as simulated
from lib.simulator.venue.limits import AddressLimits
from tests.torture import stores, trader, venue
from tests.torture.forks import fork
from tests.torture.ground import Ground, ended, opened
from tests.torture.judge import Judge
from tests.worlds.killed import TERMINAL_WORDS, World, built, register

PARTS = 3
START_MS, AN_ACCOUNT_MS, LONGEST_MS = 120_000, 60, 235_000
"""How long before T the processes start, what each account adds (it is swept, and may change hands), and the most."""
ALL_S = 300.0
LAST_S = 60.0
CALLS_AN_ACCOUNT = 5
"""Wallet, position, margin mode (a day's first), position again before signing, create: as `bench.thousand`."""
PER_SECOND = IP_CALLS * SHARE / (IP_WINDOW_MS / 1000)
KILL_AFTER_S = 8.0
AN_ADDRESS = 50
"""Accounts opened, and judged, from one address: as many calls as it may make at once."""
POLL_S = 0.25
TICKS = os.sysconf("SC_CLK_TCK")


class Listening(AddressLimits):
    """The venue's own gate, which also writes down when each address called."""

    seen: tuple[dict[str, list[int]], ...] = (defaultdict(list),)

    def admits(self, remote: str, now: int) -> bool:
        self.seen[0][remote].append(now)
        return super().admits(remote, now)


_plain = venue.run


def serve(plan: venue.VenuePlan) -> None:
    """The simulator; the calls it saw are written beside its books when it ends."""
    simulated.AddressLimits = Listening  # type: ignore[attr-defined]
    _plain(plan)
    Path(f"{plan.database}.seen").write_text(json.dumps(Listening.seen[0]))


async def wait(what: str, holds: Callable[[], Any], seconds: float) -> bool:
    """Whether *holds* came to hold within *seconds*; asked seldom, because asking costs what is measured."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            print(f"never happened: {what}", flush=True)
            return False
        await asyncio.sleep(POLL_S)
    return True


@dataclass
class Member:
    """One process: how it is named, the address it calls from, its CPU seconds at T and when last looked at."""

    name: str
    address: str
    pid: int
    process: BaseProcess | None = None
    began_s: float = 0.0
    cpu_s: float = 0.0

    def look(self) -> float:
        """The CPU seconds it has used since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        self.cpu_s = (int(fields[11]) + int(fields[12])) / TICKS
        return self.cpu_s


@dataclass
class Bench:
    """The run under way."""

    world: World
    count: int
    members: list[Member] = field(default_factory=list)
    servers: list[Member] = field(default_factory=list)
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)
    nobodys_s: float = 0.0

    @property
    def ground(self) -> Ground:
        return self.world.ground

    async def enlist(self) -> None:
        """The people, each group of them from an address that nobody else calls from."""
        ground, own = self.ground, self.ground.session
        for number in range(self.count):
            if number % AN_ADDRESS == 0:
                address = f"127.0.1.{number // AN_ADDRESS + 1}"
                ground.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0)))
                self.sessions.append(ground.session)
            self.world.people.append(await register(self.world, self.world.env["ENCRYPTION_PUBLIC_KEY"]))
        ground.session = own

    def start(self) -> None:
        """The trader and two workers, each with room for half of the accounts, past every cable."""
        port, socket, name = self.ground.net_cable.target, self.ground.database.socket, self.world.name
        straight = {"PAPER_API_URL": f"http://127.0.0.1:{port}", "DATABASE_URL": stores.address(socket, name)}
        room = {"WORKERS": "true", "WORKER_CAPACITY": str(-(-self.count // 2))}
        limits = {"PLATFORM_MAX_EXPOSURE_USDT": "1000000000", "PLATFORM_ENTRIES_PER_DAY": "100000"}
        for number in range(PARTS):
            address, plan = f"127.0.0.{10 + number}", self.world.plan()
            own = {"WORKER_ADDRESS": address, "DATA_DIR": str(self.ground.folder / f"disk-{number}")}
            env = {**plan.env, **straight, **room, **limits, **own}
            process = fork(trader.run, replace(plan, env=env, service="worker" if number else "trader"))
            named = f"worker {number}" if number else "trader"
            self.members.append(Member(named, address, process.pid or 0, process))
        database, venue_process = self.ground.database.process, self.ground._venue
        assert database is not None
        assert venue_process is not None
        self.servers = [Member("database", "", database.pid), Member("venue", "", venue_process.pid or 0)]

    def shares(self) -> dict[str, int]:
        """Accounts by who owns them now."""
        row = account_leases.c
        counted = sa.select(row.holder, sa.func.count()).where(row.holder != "", row.until_ms > self.now_ms())
        with self.world.engine.connect() as connection:
            return {holder: count for holder, count in connection.execute(counted.group_by(row.holder))}

    def now_ms(self) -> int:
        return self.ground.warp.now_ms()

    def is_divided(self, parts: int) -> bool:
        shares = self.shares().values()
        return sum(shares) == self.count and len(shares) == parts and max(shares) <= -(-self.count // parts)

    def is_decided(self) -> bool:
        """Whether every account has its log row of T and no order of it is open."""
        of_t = sa.select(sa.func.count()).select_from(trade_logs).where(trade_logs.c.t_ms == self.world.t_ms)
        pending = of_t.where(trade_logs.c.status == "pending")
        still = sa.select(sa.func.count()).select_from(orders).where(orders.c.state.not_in(TERMINAL_WORDS))
        with self.world.engine.connect() as connection:
            logged, *left = (connection.scalar(query) for query in (of_t, pending, still))
        return logged == self.count and not any(left)

    async def at(self, at_ms: int) -> None:
        await self.ground.warp.sleep((at_ms - self.now_ms()) / 1000)

    async def kill_last(self) -> None:
        """Kill the last worker, and wait until its accounts are the others'."""
        last = self.members[-1]
        last.look()
        began = time.monotonic()
        assert last.process is not None
        await ended(last.process, signal.SIGKILL)
        last.process = None
        await wait("the others own everything", lambda: self.is_divided(PARTS - 1), 60)
        self.nobodys_s = time.monotonic() - began

    async def close(self) -> None:
        for member in self.members:
            if member.process is not None:
                await ended(member.process, signal.SIGKILL)
        for session in self.sessions:
            await session.close()
        await self.world.end()


async def measure(count: int, *, kill: bool) -> bool:
    """One cycle of *count* accounts; whether everything was as it should be."""
    async with opened() as ground:
        await ground.stop_venue(signal.SIGTERM)
        venue.run = serve
        await ground.start_venue()
        bench = Bench(await built(ground, people=0), count)
        try:
            return await _measured(bench, kill=kill)
        finally:
            await bench.close()


async def _measured(bench: Bench, *, kill: bool) -> bool:
    world = bench.world
    await bench.enlist()
    before_ms = min(START_MS + bench.count * AN_ACCOUNT_MS, LONGEST_MS)
    world.t_ms = (bench.now_ms() + before_ms) // CYCLE_MS * CYCLE_MS + CYCLE_MS
    bench.ground.warp.jump_to(world.t_ms - before_ms)
    bench.start()
    if not await wait("accounts are divided", lambda: bench.is_divided(PARTS), before_ms / 1000):
        print(bench.shares(), world.said()[-4000:])
        return False
    print(f"{bench.count} accounts divided {(world.t_ms - bench.now_ms()) / 1000:.0f} s before T", flush=True)
    await bench.at(world.t_ms)
    await world.store_candles(world.t_ms)
    for member in bench.members + bench.servers:
        member.began_s = member.look()
    if kill:
        await bench.at(world.t_ms + round(KILL_AFTER_S * 1000))
        await bench.kill_last()
    decided = await wait("all are decided", bench.is_decided, ALL_S)
    for member in bench.members + bench.servers:
        if not member.address or member.process is not None:
            member.look()
    judge = Judge(world)
    problems = await judge.look()
    await bench.ground.stop_venue(signal.SIGTERM)
    show(bench, kill=kill)
    print(f"the exchange's books: {judge.entries} entries, {len(problems)} promises broken {problems[:5]}", flush=True)
    return decided and not problems


def show(bench: Bench, *, kill: bool) -> None:
    """Print the figures."""
    t_ms, rows = bench.world.t_ms, bench.world.rows(orders)
    signed = sorted((row["signed_ts"] - t_ms) / 1000 for row in rows if row["attempts"])
    states = dict(Counter(row["state"] for row in rows))
    outcomes = dict(Counter(row["outcome"] for row in bench.world.rows(trade_logs)))
    whys = Counter(row["error_message"].code for row in bench.world.rows(trade_logs) if row["error_message"])
    print(f"{bench.count} accounts decided {outcomes}, rows {states}, {dict(whys)}")
    if signed:
        allowed = bench.count * CALLS_AN_ACCOUNT / (PARTS * PER_SECOND)
        print(
            f"entries signed: median T + {signed[len(signed) // 2]:.1f} s, last T + {signed[-1]:.1f} s "
            f"({signed[-1] / LAST_S:.2f} of {LAST_S:.0f} s), {sum(at <= LAST_S for at in signed)} within it; "
            f"80 % of {PARTS} limits allow {allowed:.1f} s"
        )
    if kill:
        print(f"one killed at T + {KILL_AFTER_S:.0f} s: its accounts were nobody's for {bench.nobodys_s:.1f} s")
    _show_processes(bench, signed[-1] if signed else LAST_S)


def _show_processes(bench: Bench, last_s: float) -> None:
    seen = json.loads(Path(f"{bench.ground._books}.seen").read_text())
    served = Counter(row["holder"] for row in bench.world.rows(account_leases))
    for member in bench.members:
        times = sorted(at for at in seen.get(member.address, []) if at >= bench.world.t_ms)
        peak = max((bisect_left(times, at + IP_WINDOW_MS) - number for number, at in enumerate(times)), default=0)
        print(f"{member.name}: {len(times)} calls, at most {peak / (IP_CALLS * SHARE):.2f} of 80 % of a limit")
    living = [member for member in bench.members if member.process is not None]
    share = sum(served.values()) / max(len(living), 1)
    for member in living:
        ms = (member.cpu_s - member.began_s) * 1000 / share
        print(f"{member.name}: CPU {ms:.1f} ms an account it owned: a core bears {LAST_S * 1000 / ms:.0f} in a minute")
    for member in bench.servers:
        used = member.cpu_s - member.began_s
        print(f"{member.name}: CPU {used * 1000 / bench.count:.1f} ms an account, {used / last_s:.2f} of a core")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--spare", action="store_true", help="kill nobody")
    options = parser.parse_args()
    began = time.monotonic()
    is_fine = asyncio.run(measure(options.accounts, kill=not options.spare))
    print(f"{time.monotonic() - began:.0f} s in all")
    sys.exit(0 if is_fine else 1)


if __name__ == "__main__":
    main()
