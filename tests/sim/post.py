"""
The broker between a leader and its workers: calls get lost, doubled and late, and reach only who runs.

Its dice are its own, so that worlds without workers stay what they were.
"""

import random
from collections.abc import Callable, Collection

from lib.ports.workers import WorkerCalls
from tests.sim.ports import Border
from tests.sim.process import Process
from tests.sim.temper import Trouble

LOST, DOUBLED, LATE = "call lost", "call doubled", "call late"
CALL_FAULTS = (LOST, DOUBLED, LATE)
ODDS = 0.15
"""Of each of them, while the world is bad."""


class Post:
    """Where workers are called: by name, the process and what it does when called."""

    def __init__(self, trouble: Trouble, later: Callable[[float, Callable[[], object]], None], seed: int) -> None:
        self.boxes: dict[str, tuple[Process, Callable[[int], None]]] = {}
        self._trouble, self._later = trouble, later
        self._rng = random.Random(f"calls of {seed}")

    def desk(self, border: Border) -> WorkerCalls:
        """How the process behind *border* calls others."""
        return _Desk(self, border)

    def send(self, holder: str, t_ms: int) -> None:
        """One call on its way."""
        delays = [self._rng.random() * 0.05]
        if not self._trouble.healing and self._rng.random() < 3 * ODDS:
            fate = self._rng.choice(CALL_FAULTS)
            self._trouble.note(fate)
            delays = {LOST: [], DOUBLED: [*delays, self._rng.uniform(0, 90)], LATE: [self._rng.uniform(1, 90)]}[fate]
        for delay in delays:
            self._later(delay, lambda: self._arrive(holder, t_ms))

    def _arrive(self, holder: str, t_ms: int) -> None:
        process, called = self.boxes[holder]
        if not process.stopped:
            called(t_ms)


class _Desk(WorkerCalls):
    def __init__(self, post: Post, border: Border) -> None:
        self._post, self._border = post, border

    async def call(self, holders: Collection[str], t_ms: int) -> None:
        for holder in holders:
            if self._border.process.stopped:
                await self._border.process.halt()
            if holder in self._post.boxes:
                self._post.send(holder, t_ms)
