"""
Periods of results and the days in them, as a person's clock has days. Pure.

A period of n days is today and the n - 1 days before it, from midnight on; "all" has no beginning, and days of a year.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

SPANS: dict[str, int | None] = {"7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
USUAL = "30d"
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Period:
    """From *since_ms* (epoch ms) on; *bounds* are the beginnings of its days, and the end of the last."""

    since_ms: int
    bounds: tuple[int, ...]


def period(span: str, now_ms: int, zone: tzinfo) -> Period:
    """The period *span* (a name of SPANS) that ends with the day of *now_ms* in *zone*."""
    days = SPANS[span]
    today = datetime.fromtimestamp(now_ms / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    shown = MOST_DAYS if days is None else days
    bounds = tuple(_ms(today - timedelta(days=back)) for back in range(shown - 1, -2, -1))
    return Period(0 if days is None else bounds[0], bounds)


def _ms(midnight: datetime) -> int:
    # a day's length is not always 24 hours: the wall clock decides, not the seconds between
    return round(midnight.timestamp() * 1000)
