"""
The time zone a person's pages are written in: an IANA name, "" for the one of the language. Pure.
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

LONGEST = 64


@cache
def time_zones() -> frozenset[str]:
    """Every name a person may choose: those of places, UTC, and none of the machine's own aliases."""
    return frozenset(name for name in available_timezones() if ("/" in name or name == "UTC") and len(name) <= LONGEST)


def time_zone(name: str) -> ZoneInfo | None:
    """The zone *name*, or None for a name nobody may choose (any more)."""
    return ZoneInfo(name) if name in time_zones() else None
