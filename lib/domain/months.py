"""
The UTC month, by which candles are kept. Pure; times in epoch ms, a month by its name ("2024-01").
"""

import re
from datetime import UTC, datetime

_NAME = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")


def month_of(at_ms: int) -> str:
    """The month of *at_ms*."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def month_span(month: str) -> tuple[int, int]:
    """From when until before when *month* is; ValueError for what names none."""
    if not _NAME.fullmatch(month):
        raise ValueError(f"not a month: {month[:20]!r}")
    year, number = int(month[:4]), int(month[5:])
    return _begin(year, number), _begin(year + number // 12, number % 12 + 1)


def months_in(from_ms: int, until_ms: int) -> list[str]:
    """Every month that has a moment of [*from_ms*, *until_ms*), in order."""
    found: list[str] = []
    while from_ms < until_ms:
        found.append(month_of(from_ms))
        from_ms = month_span(found[-1])[1]
    return found


def _begin(year: int, number: int) -> int:
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp()) * 1000
