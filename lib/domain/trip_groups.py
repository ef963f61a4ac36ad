"""Groups that round trips are compared in: side, hour of entry, confidence, how they ended. Pure."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from lib.domain.performance import Performance, confidence_step, split
from lib.domain.round_trips import RoundTrip

HOUR_S = 3_600
Trips = Sequence[RoundTrip]


def by_side(trips: Trips) -> dict[str, Performance]:
    """ "long" and "short"."""
    return split(trips, lambda trip: "long" if trip.is_long else "short")


def by_hour(trips: Trips, offset_s: int) -> dict[int, Performance]:
    """The hour of the entry, 0 to 23, on a clock *offset_s* ahead of UTC."""
    found = split(trips, lambda trip: (trip.opened_ms // 1000 + offset_s) // HOUR_S % 24)
    return {hour: found[hour] for hour in sorted(found)}


def by_confidence(trips: Trips) -> dict[Decimal, Performance]:
    """The tenth that the confidence of the decision to enter lies in; trips without one are in none."""
    return split(trips, _confidence)


def _confidence(trip: RoundTrip) -> Decimal | None:
    known = trip.entry.confidence if trip.entry else None
    return None if known is None else confidence_step(known)


def by_end(trips: Trips) -> dict[str, Performance]:
    """How they ended (`TripEnd`)."""
    return split(trips, lambda trip: trip.ended)


GROUPS: Mapping[str, Callable[[Trips, int], Mapping[Any, Performance]]] = {
    "side": lambda trips, _: by_side(trips),
    "hour": by_hour,
    "confidence": lambda trips, _: by_confidence(trips),
    "end": lambda trips, _: by_end(trips),
}
"""Every grouping by its name, for a clock so many seconds ahead of UTC."""
