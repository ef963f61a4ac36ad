"""
The notifier process, until SIGTERM: what people are told goes out to their channels, a silent trader is noticed, daily
reports are told, opinions are scored, and whoever watches from outside hears that trader and collector live.

Nothing but signals; the works are `lib.telling`.
"""

import asyncio
import signal

from lib import bootstrap
from lib.settings import Settings
from services.process import run_process


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    with bootstrap.measured("notifier", settings):
        asyncio.run(_notify(settings))


async def _notify(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with bootstrap.notifying(settings) as notifying:
        await notifying.run(stop)


if __name__ == "__main__":
    run_process("notifier", main)
