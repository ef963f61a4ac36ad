"""
An event loop whose time jumps to the next timer: hours pass in milliseconds, in the same order every time.

There are no sockets, threads or signals in it. Functions for an executor run at once, in line, so that a ledger over
SQLite is as deterministic as one in memory. A loop with nothing left to wait for stops instead of hanging. What asyncio
does for debugging, signals and selectors is left out: turning the loop is most of what a world costs.
"""

import asyncio
from asyncio.events import Handle
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from typing import Any

RESOLUTION = 1e-6
"""Timers this close (seconds) are due together."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Virtual seconds from 0 on."""

    _ready: deque[Any]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._timers: list[tuple[float, int, Any]] = []
        self._made = 0
        self.set_exception_handler(self._remember)
        self.troubles: list[str] = []

    def time(self) -> float:
        return self.now_s

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        handle = Handle(callback, args, self, context)
        self._made += 1
        heappush(self._timers, (when, self._made, handle))
        return handle

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits the future meets it, as with a real executor
            done.set_exception(error)
        return done

    def wind_down(self) -> None:
        """Cancel what still runs, each task in its own context; what will not end is forgotten."""
        self._timers.clear()
        for _ in range(3):
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.run_forever()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.close()

    def _run_once(self) -> None:
        """One turn, as asyncio's: jump when nothing is ready, collect what is due, run all of it."""
        ready, timers = self._ready, self._timers
        if not ready:
            self._jump()
        due = self.now_s + RESOLUTION
        while timers and timers[0][0] < due:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if timers:
            self.now_s = max(self.now_s, timers[0][0])
        else:
            self.stop()

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""

    def _remember(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")
