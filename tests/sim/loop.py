"""
An event loop whose time jumps to the next timer: hours pass in milliseconds, in the same order every time.

There are no sockets, threads or signals in it. Functions for an executor run at once, in line, so that a ledger over
SQLite is as deterministic as one in memory. A loop with nothing left to wait for stops instead of hanging.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class _Jump:
    """What stands in for a selector: waiting is moving the clock."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            self._loop.stop()
        elif timeout > 0:
            self._loop.now_s += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Virtual seconds from 0 on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._selector = _Jump(self)
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._remember)
        self.troubles: list[str] = []

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits the future meets it, as with a real executor
            done.set_exception(error)
        return done

    def wind_down(self) -> None:
        """Cancel what still runs, each task in its own context; what will not end is forgotten."""
        self._scheduled.clear()  # type: ignore[attr-defined]
        for _ in range(3):
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.run_forever()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.close()

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""

    def _remember(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")
