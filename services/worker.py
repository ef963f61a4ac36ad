"""
A worker process: the trader's timetable over a share of the accounts, from an address of its own.

It never leads: what is the platform's stays with the trader, which calls it when a cycle begins. Without WORKERS=true
there are no workers, and it waits, so that a Procfile may name it.
"""

import asyncio
import signal

from lib import bootstrap, log
from lib.settings import Settings
from services.process import run_process
from services.trader import run

LOG = log.get("worker")


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if not settings.workers.are_wanted:
        LOG.info("worker.none")
        await stop.wait()
        return
    LOG.info("worker.starting", feed=settings.feed_name, address=settings.workers.address)
    with bootstrap.measured("worker", settings) as metrics:
        async with bootstrap.worker(settings, metrics) as trader:
            await run(trader, stop)


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    asyncio.run(_main(settings))


if __name__ == "__main__":
    run_process("worker", main)
