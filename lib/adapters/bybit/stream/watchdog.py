"""
When patience with one WebSocket connection ends: the rules of every stream of ours, threaded or not.

A connection that stays open is not a living one: it must come up, answer pings, and bring data. Pure: it is told the
time (monotonic seconds) and what was heard; it sends nothing and closes nothing.
"""

import math
from dataclasses import dataclass

from lib.domain.backoff import Backoff

NEVER = math.inf
_BACKOFF = Backoff(1.0, 30.0, jitter=1 / 3)
PING = '{"req_id":"ping","op":"ping"}'


class Lost(Exception):
    """This connection is over; *args[0]* says why, without anything that a log should not hold."""


@dataclass(frozen=True, slots=True)
class StreamTimings:
    """How long a stream waits for what; all in seconds."""

    connect: float = 10.0
    up_within: float = 10.0
    """From the connection to the acknowledged subscription."""
    ping_every: float = 20.0
    pong_within: float = 10.0
    stale_after: float = NEVER
    """Without any data for this long, a connection is given up."""
    ask_again: float = 600.0
    """After this long a connection that lacks a refused symbol makes room for one that asks for it again."""
    grace: float = 0.5
    """After a frame that took long to use, the next one has this long to be read: it was waiting, not late."""
    steady_after: float = 60.0
    """A connection that held this long was a success: the next pause is the first one again."""
    backoff: Backoff = _BACKOFF

    def failures_after(self, failures: int, held_s: float) -> int:
        """Failures in a row, once a connection that followed *failures* of them was lost after *held_s*."""
        return 1 if held_s > self.steady_after else failures + 1


class Watchdog:
    """The deadlines of one connection that was made at *now*."""

    def __init__(self, timings: StreamTimings, now: float) -> None:
        self._timings = timings
        self._up_by = now + timings.up_within
        self._ping_at = now + timings.ping_every
        self._pong_by = self._again_at = NEVER
        self._data_by = now + timings.stale_after

    def why_lost(self, now: float) -> str:
        """Which patience has ended, "" while none has."""
        reached = (
            (self._up_by, "it does not come up"),
            (self._pong_by, "nothing is said, not even a pong"),
            (self._again_at, "asking again for what was refused"),
            (self._data_by, f"no data for {self._timings.stale_after:g} s"),
        )
        return next((why for due, why in reached if now >= due), "")

    def is_ping_due(self, now: float) -> bool:
        """Whether to ping now; then an answer is awaited and the next ping is later."""
        if now < self._ping_at:
            return False
        self._ping_at = now + self._timings.ping_every
        self._pong_by = min(self._pong_by, now + self._timings.pong_within)
        return True

    def next_s(self, now: float) -> float:
        """Seconds until something is due, at least 0."""
        return max(min(self._up_by, self._ping_at, self._pong_by, self._again_at, self._data_by) - now, 0.0)

    def came_up(self) -> None:
        """The subscription stands."""
        self._up_by = NEVER

    def answered(self) -> None:
        """A sign of life."""
        self._pong_by = NEVER

    def data_arrived(self, now: float) -> None:
        """The feed is alive."""
        self._data_by = now + self._timings.stale_after

    def lacks_something(self, now: float) -> None:
        """A part was refused: this connection shall make room for one that asks for it again."""
        self._again_at = now + self._timings.ask_again

    def caught_up(self, now: float) -> None:
        """What was heard has been used, which may have taken long: frames were waiting, so nobody was late."""
        self._data_by = max(self._data_by, now + self._timings.grace)
        self._pong_by = max(self._pong_by, now + self._timings.grace)
