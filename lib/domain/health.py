"""
How the parts of the system were at one moment, as a word each, and a day of such moments as a strip. Pure.

What was not seen is "unknown", never "ok": a moment nobody looked at leaves its part of a strip empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lib.domain.candle import MINUTE_MS, interval_ms

State = Literal["ok", "late", "down", "unknown"]
STATES: tuple[State, ...] = ("ok", "late", "down", "unknown")
PARTS = ("collector", "stream", "candles", "trader", "analyst")
SAMPLE_MS = 30_000
"""Between two moments."""
KEPT = 2 * 24 * 60 + 60
"""Moments that are kept: a day, and a little."""
_WORST = {"unknown": 0, "ok": 1, "late": 2, "down": 3}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds up to which something is ok, and late; beyond, it is down."""

    ok: float
    late: float

    def state(self, age_s: float | None) -> State:
        """What *age_s* says; None = never seen."""
        if age_s is None:
            return "unknown"
        return "ok" if age_s <= self.ok else "late" if age_s <= self.late else "down"


HEARTBEAT = Limits(30, 120)
CANDLES = Limits(75, 150)
"""Age of the newest closed one-minute candle."""


def is_current(interval: str, age_s: float | None) -> bool:
    """Whether a list of *interval* is as new as it must be; *age_s* is its newest close's, None = it has none."""
    slack_s = CANDLES.late - MINUTE_MS / 1000
    return age_s is not None and age_s <= interval_ms(interval) / 1000 + slack_s


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """One moment (epoch ms): a state for each of `PARTS`."""

    at_ms: int
    states: tuple[State, ...]


def strip(points: Iterable[HealthPoint], part: str, *, until_ms: int, span_ms: int, cells: int) -> list[State]:
    """
    The last *span_ms* before *until_ms* in *cells* equal parts, oldest first: the worst state of each, or "unknown"
    where nobody looked.
    """
    number, found = PARTS.index(part), ["unknown"] * cells
    begin, width = until_ms - span_ms, span_ms / cells
    for point in points:
        if begin < point.at_ms <= until_ms:
            cell = min(cells - 1, int((point.at_ms - begin) / width))
            found[cell] = max(found[cell], point.states[number], key=_WORST.__getitem__)
    return [_read(state) for state in found]


def share_ok(states: Sequence[State]) -> float | None:
    """The share of *states*, those nobody looked at aside, in which all was well; None when there is none."""
    seen = [state for state in states if state != "unknown"]
    return None if not seen else sum(state == "ok" for state in seen) / len(seen)


def _read(text: str) -> State:
    return next((state for state in STATES if state == text), "unknown")
