"""What the notifier does again and again beside telling people: it may fail, and begins anew."""

import asyncio
from collections.abc import Callable

from lib.domain.errors import Retry
from lib.log import Log


async def rounds(work: Callable[[], object], stop: asyncio.Event, every_s: float, to: Log, name: str) -> None:
    """Do *work* in a thread, *every_s* seconds after it ended, until *stop*; what goes wrong is logged under *name*."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(work)
        except Retry as away:
            to.warning(f"{name}.waits", why=str(away))
        except Exception as mistake:  # noqa: BLE001 - nothing a process that tells people should end for
            to.error(f"{name}.failed", mistake)
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            continue
