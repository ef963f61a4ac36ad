"""
The simulator as a process on a warped clock; the rest is what `services.simulator` serves.

The port it listens on is a free one, written to a file the driver waits for.
"""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.simulator import server
from lib.simulator.exchange import LocalExchange
from lib.simulator.server import SimulatorConfig, serve
from tests.torture.stops import note
from tests.torture.trader import speak_into
from tests.torture.warp import Warp, WarpedClock


@dataclass(frozen=True, slots=True)
class VenuePlan:
    """Where the books are, which clock, which port (0 = any), where to say it, and where to write accepted stops."""

    database: str
    warp: str
    log: str
    told: str
    stops: str
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

    built = server.build

    def noting(*asked: Any) -> LocalExchange:
        exchange = built(*asked)
        note(exchange.engine, Path(plan.stops))
        return exchange

    server.build = noting  # type: ignore[assignment]
    config = SimulatorConfig("synthetic", Path(plan.database), port=plan.port)
    await serve(config, stop, clock=WarpedClock(Warp(Path(plan.warp))), on_ready=tell)
