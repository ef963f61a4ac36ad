"""
An event loop whose time jumps to the next timer: hours pass in milliseconds, in the same order every time.

There are no sockets, threads or signals in it. Functions for an executor run at once, in line, so that a ledger over
SQLite is as deterministic as one in memory. A loop with nothing left to wait for stops instead of hanging. What asyncio
does for debugging, signals and selectors is left out: turning the loop is most of what a world costs.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import Any

RESOLUTION = 1e-6
"""Timers this close (seconds) are due together."""


class Call:
    """`asyncio.Handle` without what it keeps for debugging, at half its price."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback, self.args, self.context = callback, args, context or copy_context()
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled


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

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        call = Call(callback, args, context)
        self._ready.append(call)
        return call

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        call = Call(callback, args, context)
        self._made += 1
        heappush(self._timers, (when, self._made, call))
        return call

    def wake_later(self, delay: float, sleeper: "asyncio.Future[None]") -> None:
        """Have *sleeper* done in *delay* seconds: a sleep is most of what a world does."""
        self._made += 1
        heappush(self._timers, (self.now_s + delay, self._made, sleeper))

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
            call = heappop(timers)[2]
            if call.__class__ is Call:
                ready.append(call)
            elif not call.done():
                call.set_result(None)
        for _ in range(len(ready)):
            call = ready.popleft()
            if not call.is_cancelled:
                try:
                    call.context.run(call.callback, *call.args)
                except Exception as bug:  # noqa: BLE001 - as asyncio's own loop: whoever judges the world is told
                    self.call_exception_handler({"message": f"in {call.callback!r}", "exception": bug})

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if timers:
            self.now_s = max(self.now_s, timers[0][0])
        else:
            self.stop()

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""

    def _remember(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")
