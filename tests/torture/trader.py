"""
The trader, or a worker, as it is deployed, on a warped clock and with failpoints around its ports:
`python -m tests.torture.trader`.

It takes one argument, the path of a JSON file with the fields of `TraderPlan`. The driver starts the same `run` in a
process forked from one that has imported everything, which is a process like any other but ready at once.
"""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import services.trader
import services.worker
from lib import bootstrap
from lib.ports.metrics import Metrics
from lib.settings import Settings
from lib.trading.trader import Trader
from services.process import run_process
from tests.torture.failpoints import Failpoints, Trap, watch, watch_dividing
from tests.torture.warp import Warp


@dataclass(frozen=True, slots=True)
class TraderPlan:
    """Everything such a process is told: its environment, the clock's file, where to write, and what goes wrong."""

    env: dict[str, str]
    warp: str
    log: str
    hits: str
    trap: Trap | None = None
    service: Literal["trader", "worker"] = "trader"

    def written(self, path: Path) -> Path:
        """*path*, with this plan as JSON in it."""
        path.write_text(json.dumps(asdict(self)))
        return path


def read(path: Path) -> TraderPlan:
    """The plan written at *path*."""
    said = json.loads(path.read_text())
    return TraderPlan(**{**said, "trap": Trap(**said["trap"]) if said["trap"] else None})


def run(plan: TraderPlan) -> None:
    """Be that trader or worker, to the end of the process."""
    os.environ.clear()
    os.environ.update(plan.env)
    speak_into(Path(plan.log))
    Warp(Path(plan.warp)).install()
    points = Failpoints(plan.trap, Path(plan.hits))
    plain = {"trader": bootstrap.trader, "worker": bootstrap.worker}[plan.service]

    @asynccontextmanager
    async def watched(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Trader]:
        async with plain(settings, metrics) as trader:
            watch(trader.context, points)
            if trader.share is not None:
                watch_dividing(trader, points)
            yield trader

    setattr(bootstrap, plan.service, watched)
    services.trader.ask_first = unasked
    run_process(plan.service, {"trader": services.trader, "worker": services.worker}[plan.service].main)


async def unasked(settings: Settings) -> None:
    """The question at the start is nobody's order; unasked, the scenarios count the cycles' questions alone."""


def speak_into(path: Path) -> None:
    """Append what this process writes to *path*, line by line: a killed process loses nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - it lives as long as the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    run(read(Path(sys.argv[1])))
