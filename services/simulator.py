"""
The simulator process: a local Bybit v5 and a local OpenAI-compatible analyst on one port, until SIGTERM.

Nothing but signals and one call; what is simulated is `lib.simulator.server`.
"""

import asyncio
import signal

from lib import bootstrap
from lib.settings import Settings
from services.process import run_process


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await bootstrap.simulator(settings, stop)


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    with bootstrap.measured("simulator", settings):
        asyncio.run(_main(settings))


if __name__ == "__main__":
    run_process("simulator", main)
