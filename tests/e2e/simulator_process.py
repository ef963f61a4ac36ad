"""
A simulator as a process of its own, for tests that kill it: DATABASE PORT SHIFT_MS [FEED].

Its clock is the machine's, SHIFT_MS ahead; the port it got is the first line on standard output.
"""

import asyncio
import signal
import sys
from pathlib import Path

from lib.domain.errors import EXIT_CONFIG, Halt
from lib.simulator.server import SimulatorConfig, serve
from tests.simulator.running import ShiftedClock


def say(port: int) -> None:
    """Tell the parent where."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def run(database: str, port: str, shift_ms: str, feed: str = "synthetic") -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = SimulatorConfig(feed, Path(database), port=int(port))
    await serve(config, stop, clock=ShiftedClock(int(shift_ms)), on_ready=say)


if __name__ == "__main__":
    try:
        asyncio.run(run(*sys.argv[1:]))
    except Halt as halt:
        sys.stderr.write(f"simulator: {halt}\n")
        raise SystemExit(EXIT_CONFIG) from None
