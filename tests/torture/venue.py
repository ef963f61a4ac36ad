"""
The simulator as a process on a warped clock; the rest is what `services.simulator` serves.

The port it listens on is a free one, written to a file the driver waits for.
"""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from lib.simulator.server import SimulatorConfig, serve
from tests.torture.trader import speak_into
from tests.torture.warp import Warp, WarpedClock


@dataclass(frozen=True, slots=True)
class VenuePlan:
    """Where the books are, which clock, which port (0 = any) and where to say it."""

    database: str
    warp: str
    log: str
    told: str
    port: int = 0


def run(plan: VenuePlan) -> None:
    """Serve until SIGTERM."""
    speak_into(Path(plan.log))
    asyncio.run(_serve(plan))


async def _serve(plan: VenuePlan) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def tell(port: int) -> None:
        draft = Path(f"{plan.told}.draft")
        draft.write_text(str(port))
        draft.rename(plan.told)

    config = SimulatorConfig("synthetic", Path(plan.database), port=plan.port)
    await serve(config, stop, clock=WarpedClock(Warp(Path(plan.warp))), on_ready=tell)
