"""
What everybody says, on one terminal: each line with its time and who said it, in a colour of its own.

A terminal that is paused, a pipe nobody reads, a full disk behind `>`: none of them may hold up a process that trades.
Lines are written by a thread of their own from a queue that is bounded; what does not fit is counted and said later.
"""

import io
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

from lib.clock import SystemClock

COLOURS = ("36", "33", "32", "35", "34", "31", "96", "93")
MOST_WAITING = 5_000
MOST_CHARS = 16_000
"""A longer line is cut."""


class Screen:
    """The lines of *names* on *out*; colours where *out* is a terminal, unless *plain*."""

    def __init__(self, names: tuple[str, ...], out: TextIO | None = None, *, plain: bool = False) -> None:
        self._out = out or sys.stdout
        self._width = max(map(len, names), default=0)
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._lost = 0
        coloured = self._out.isatty() and not plain
        self._colours = dict(zip(names, COLOURS * 9, strict=False)) if coloured else {}
        self._writer = threading.Thread(target=self._write, name="screen", daemon=True)
        self._writer.start()

    def say(self, name: str, line: str) -> None:
        """Show *line* as said by *name*; never waits."""
        head = f"{_now():%H:%M:%S} {name:<{self._width}} | "
        if colour := self._colours.get(name):
            head = f"\x1b[{colour}m{head}\x1b[0m"
        try:
            self._waiting.put_nowait(f"{head}{line[:MOST_CHARS]}\n")
        except queue.Full:
            self._lost += 1

    def close(self, wait_s: float = 2.0) -> None:
        """Write what waits, for *wait_s* at most."""
        try:
            self._waiting.put(None, timeout=wait_s)
        except queue.Full:
            return
        self._writer.join(wait_s)

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            if lost := self._lost:
                self._lost = 0
                line = f"({lost} lines could not be shown)\n{line}"
            try:
                self._out.write(line)
                if self._waiting.empty():
                    self._out.flush()
            except (OSError, ValueError):
                self._lost += 1  # nobody reads any more, or there is no room: the processes work on


def _now() -> datetime:
    """The reader's time of day."""
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).astimezone()


class Sentences(io.TextIOBase):
    """A stream whose lines *screen* shows as said by *name*: for what the supervisor itself writes."""

    def __init__(self, screen: Screen, name: str) -> None:
        super().__init__()
        self._screen = screen
        self._name = name
        self._begun = ""

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._screen.say(self._name, line)
        return len(text)
