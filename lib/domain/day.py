"""
The UTC day, by which limits, daily loss and "today" are counted. Pure; times in epoch ms.
"""

DAY_MS = 86_400_000


def utc_day(at_ms: int) -> int:
    """Days since 1970-01-01, UTC."""
    return at_ms // DAY_MS


def midnight_before(at_ms: int) -> int:
    """The UTC midnight that begins the day of *at_ms*."""
    return at_ms - at_ms % DAY_MS


def midnight_after(at_ms: int) -> int:
    """The UTC midnight that ends the day of *at_ms*."""
    return midnight_before(at_ms) + DAY_MS
