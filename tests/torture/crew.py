"""
A trader and workers as real processes over one world, each with an address and a disk of its own.

Time is skipped in steps, after each of which all who are awake renew what they own; from T on it is the machine's:
a second skipped between a signature and its claim is a refusal, and one skipped while an order is under way makes it
too old.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from lib.adapters.sql.tables.trading import orders, trade_logs
from lib.adapters.sql.tables.workers import account_leases, workers
from tests.torture import trader
from tests.torture.failpoints import Trap
from tests.torture.forks import fork
from tests.torture.ground import eventually
from tests.worlds.killed import World

RENEW_MS = 3_000
"""How often each renews, and so the step in which time is skipped."""
LONG_S = 90.0
"""No entry is made later, however slow the machine: what has not happened by then does not."""
Service = Literal["trader", "worker"]


class Crew:
    """Processes over one world; *asleep* are those that a trap has frozen."""

    def __init__(self, world: World) -> None:
        self.world, self.warp = world, world.ground.warp
        self.processes: list[BaseProcess] = []
        self.asleep: set[int] = set()

    def start(self, service: Service, trap: Trap | None = None, seat: int | None = None) -> int:
        """Start one more, on the disk and at the address of number *seat* (None = its own); its number."""
        number = len(self.processes)
        where = number if seat is None else seat
        own = {"WORKER_ADDRESS": f"127.0.0.{10 + where}", "DATA_DIR": str(self.world.ground.folder / f"disk-{where}")}
        plan = self.world.plan(trap)
        plan = replace(plan, service=service, env={**plan.env, "WORKERS": "true", **own})
        self.processes.append(fork(trader.run, plan))
        return number

    async def until(self, what: str, holds: Callable[[], Any]) -> None:
        """Wait until *holds*; a failure says what became of each account."""
        try:
            await eventually(what, holds, LONG_S)
        except AssertionError as never:
            raise AssertionError(f"{never}\n{self.fates()}") from None

    async def skip_to(self, at_ms: int, holds: Callable[[], object] | None = None) -> None:
        """Let time pass until *at_ms*, or until *holds*, in steps; after each, whoever is awake renews its own."""
        while self.warp.now_ms() < at_ms and not (holds is not None and holds()):
            self.warp.jump(min(RENEW_MS, at_ms - self.warp.now_ms()))
            if self.warp.now_ms() < at_ms:
                await self.until("all who live are heard of", partial(self.are_heard_since, self.warp.now_ms()))

    def awake(self) -> int:
        """How many live and are not frozen."""
        return sum(one.is_alive() for number, one in enumerate(self.processes) if number not in self.asleep)

    def are_heard_since(self, at_ms: int) -> bool:
        """Whether all who are awake have renewed what they own since *at_ms*."""
        heard = sum(bool(row["holder"] and row["seen_ms"] >= at_ms) for row in self.world.rows(workers))
        return heard >= self.awake()

    def shares(self) -> Counter[str]:
        """How many accounts each process owns by leases that hold."""
        rows = self.world.rows(account_leases)
        return Counter(row["holder"] for row in rows if row["holder"] and row["until_ms"] > self.warp.now_ms())

    def is_shared(self, *parts: int) -> bool:
        return sorted(self.shares().values()) == list(parts)

    def fates(self) -> str:
        """What became of each account, who owns it, and the last of what the processes wrote."""
        world, told = self.world, []
        for row in world.rows(account_leases):
            told.append(f"account {row['account_id']}: {row['holder']}, epoch {row['epoch']}")
        for row in world.rows(trade_logs):
            why = f"{row['status']}, {row['planned_outcome']} -> {row['outcome']}: {row['error_message']}"
            told.append(f"account {row['account_id']} logged {row['t_ms'] - world.t_ms:+} ms of T: {why}")
        for row in world.rows(orders):
            sent = f"{row['attempts']} sent, signed {(row['signed_ts'] or 0) - world.t_ms} ms after T"
            told.append(
                f"account {row['account_id']} ordered {row['order_link_id']}: {row['state']}, {sent}: {row['why']}"
            )
        return "\n".join([f"{self.warp.now_ms() - world.t_ms} ms after T", *told, world.said()[-6000:]])
