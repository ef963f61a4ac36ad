"""
A thread that lasts as long as its process, for what may take long to start and must not outlive it.

The kernel ends a tied program when the *thread* that started it is gone (see `lifeline`). Work of a pool's thread would
lose its program with the pool; work on the loop's thread would hold up everybody the loop keeps.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class LastingThread:
    """Does one work after the other; a process ends without waiting for it."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def do(self, work: Callable[[], T]) -> T:
        """What *work* gives, or raises, done on this thread. Cancelled while it waits it is not done."""
        done: Future[T] = Future()
        self._waiting.put(lambda: _do(work, done))
        return await asyncio.wrap_future(done)

    def _serve(self) -> None:
        while True:
            self._waiting.get()()


def _do(work: Callable[[], T], done: "Future[T]") -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as trouble:  # noqa: BLE001 - whoever waits for it is told, whatever it is
        done.set_exception(trouble)
