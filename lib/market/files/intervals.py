"""What interval candles have, in words, when it is longer than the minute."""

import re
from collections.abc import Sequence
from itertools import pairwise

from lib.domain.candle import MINUTE_MS

MINUTES = (3, 5, 10, 15, 30, 45, 60, 120, 180, 240, 360, 480, 720, 1440, 4320, 10080)
"""Intervals that venues and tools offer; a month is told apart by itself."""
USUAL = (5, 15, 30, 60, 240, 1440)
"""Of which two candles are already proof enough; two candles three minutes apart may as well be a gap."""
MONTH = (28 * 1440, 31 * 1440)
_PERIOD = re.compile(r"(\d{1,5})\s*(m|min|mins|minute|minutes|t|h|hr|hour|hours|d|day|days|w|week|weeks)?", re.I)
_FACTORS = {"h": 60, "d": 1440, "w": 10080}


def longer_interval(times: Sequence[int]) -> str | None:
    """The interval of candles opened at *times* (epoch ms, ascending), in words; None = the minute, or only gaps."""
    steps = [(newer - older) // MINUTE_MS for older, newer in pairwise(times)]
    if not steps or min(steps) == 1:
        return None
    least = min(steps)
    if MONTH[0] <= least <= MONTH[1] and len(steps) > 1:
        return words(least)
    known = MINUTES if len(steps) > 1 else USUAL
    return words(least) if least in known and not any(step % least for step in steps) else None


def longer_span(open_time: int, close_time: int) -> str | None:
    """The interval from *open_time* to *close_time* (epoch ms, the last moment or the next open)."""
    minutes = -(-(close_time - open_time) // MINUTE_MS)
    return words(minutes) if minutes > 1 else None


def longer_period(text: str) -> str | None:
    """The interval that a column names, such as 5, 5m or 1h; a bare 60 may be seconds and says nothing."""
    found = _PERIOD.fullmatch(text.strip())
    if not found or text.strip() == "60":
        return None
    minutes = int(found[1]) * _FACTORS.get((found[2] or "m")[0].lower(), 1)
    return words(minutes) if minutes > 1 else None


def words(minutes: int) -> str:
    """5 is "5-minute", 60 is "1-hour"."""
    if MONTH[0] <= minutes <= MONTH[1]:
        return "1-month"
    for name, factor in (("week", 10080), ("day", 1440), ("hour", 60)):
        if minutes % factor == 0:
            return f"{minutes // factor}-{name}"
    return f"{minutes}-minute"
