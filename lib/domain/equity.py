"""
Equity over time: the start of a day, the peak, the drawdown. Pure; gates and pages use the same figures.

A deposit is no gain and a withdrawal no loss: an equity measured earlier is moved by the transfers since. Each figure
needs a few values that are kept as they come (the sums, the peak, three points), never the whole curve.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate

from lib.domain.books import EquityPoint, RunningBooks, Transfer, paid_in
from lib.domain.day import midnight_before
from lib.domain.order import CYCLE_MS
from lib.domain.position import ZERO

YOUNG_POINT_MS = 3_600_000
"""The last equity point before midnight is where the day starts if it is no older than this."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The equity of one point, and the transfers the books had *counted* when the point's wallet was read."""

    t_ms: int
    equity: Decimal
    counted: Decimal

    def moved(self, transfers: Decimal) -> Decimal:
        """The point's equity, moved by the transfers since: the books count *transfers* now."""
        return self.equity + transfers - self.counted


def day_start(t_ms: int, before: Mark | None, first: Mark | None, start: Decimal, transfers: Decimal) -> Decimal:
    """
    The equity the UTC day of *t_ms* is measured from, USDT.

    The last point *before* midnight; an old point only when the day has no *first* point. Without any point, the
    balance the books started with. Each is moved by *transfers*, the books' sum of transfers until now.
    """
    is_young = before is not None and before.t_ms >= midnight_before(t_ms) - YOUNG_POINT_MS
    mark = before if is_young else first or before
    return mark.moved(transfers) if mark else paid_in(start, transfers)


def fall(before: Decimal, now: Decimal) -> Decimal:
    """How far equity fell from *before* to *now*, as a fraction of *before*; below 0 when it rose, 0 of nothing."""
    return (before - now) / before if before > 0 else ZERO


def fell_by(share: Decimal, before: Decimal, now: Decimal) -> bool:
    """Whether equity fell from *before* to *now* by that *share* or more; exact, where `fall` rounds."""
    return before > 0 and before - now >= before * share


def drawdown(peak: Decimal, equity: Decimal) -> Decimal:
    """How far *equity* lies below the *peak*, as a fraction; never below 0: a new high is the peak."""
    return fall(max(peak, equity), equity)


def book_point(before: RunningBooks, point: EquityPoint) -> RunningBooks:
    """
    The books once *point* stands: their peak, and the difference of wallet and books if no newer point is known.

    An unexplained surplus is no new peak: booked later, it would count twice.
    """
    known = replace(before, peak_equity=max(before.peak_equity, point.equity - max(point.difference, ZERO)))
    if point.t_ms <= before.checked_ms:
        return known
    return replace(known, difference=point.difference, checked_ms=point.t_ms)


def explained(before: RunningBooks, held: Mapping[int, Decimal]) -> RunningBooks:
    """The books once it is known which transfers the wallets of points *held* (`held_late`): these differ no more."""
    return replace(before, difference=before.difference - held.get(before.checked_ms, ZERO))


def held_late(points: Iterable[EquityPoint], new: Sequence[Transfer]) -> dict[int, Decimal]:
    """
    T of each of *points* (oldest first) → the sum of those *new* transfers that the point's wallet held already, before
    any list told of them.

    That sum is the one that best explains how much the point's difference grew since the last point before the new
    transfers: the first transfer, or the first two, and so on. Moving a point by a transfer its wallet held would count
    the transfer twice. A wallet is read within the cycle of its point.
    """
    since, grown_from, held = min(transfer.at_ms for transfer in new) - CYCLE_MS, ZERO, dict[int, Decimal]()
    for point in points:
        if point.t_ms <= since:
            grown_from = point.difference
            continue
        by_then = sorted((row.at_ms, row.amount) for row in new if row.at_ms < point.t_ms + CYCLE_MS)
        sums = accumulate((amount for _, amount in by_then), initial=ZERO)
        grown = point.difference - grown_from
        held[point.t_ms] = min(sums, key=lambda known: abs(grown - known))
    return held
