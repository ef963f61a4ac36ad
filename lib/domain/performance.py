"""
How an account did: figures of its round trips, the deepest fall of its equity, what doing nothing and holding the coin
would have made, and the result of each day. Pure.

A figure of trips counts closed ones only, after all fees and funding. A trip that brought exactly nothing is neither
won nor lost. Equity is compared with transfers taken out (`lib.domain.equity`): a deposit is no gain. A figure that
would divide by nothing is None.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from lib.domain.books import paid_in
from lib.domain.equity import Mark, drawdown
from lib.domain.position import ZERO
from lib.domain.round_trips import RoundTrip

K = TypeVar("K", bound=Hashable)
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Performance:
    """Sums and counts of closed trips, USDT; *fees* are positive when paid, *funding* when received."""

    trips: int = 0
    won: int = 0
    lost: int = 0
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    won_sum: Decimal = ZERO
    lost_sum: Decimal = ZERO
    """Below 0."""
    best: Decimal = ZERO
    worst: Decimal = ZERO
    losing_run: int = 0
    """The most lost trips in a row."""
    held_ms: int = 0
    r_sum: Decimal = ZERO
    r_trips: int = 0

    @property
    def net(self) -> Decimal:
        """What all of them brought after fees and funding."""
        return self.gross - self.fees + self.funding

    @property
    def hit_rate(self) -> Decimal | None:
        """Won of those that were won or lost."""
        return _by(Decimal(self.won), self.won + self.lost)

    @property
    def profit_factor(self) -> Decimal | None:
        """Won USDT for each lost one."""
        return self.won_sum / -self.lost_sum if self.lost_sum else None

    @property
    def expectancy(self) -> Decimal | None:
        """USDT a trip brings on average."""
        return _by(self.net, self.trips)

    @property
    def average_win(self) -> Decimal | None:
        return _by(self.won_sum, self.won)

    @property
    def average_loss(self) -> Decimal | None:
        return _by(self.lost_sum, self.lost)

    @property
    def average_held_ms(self) -> int | None:
        return self.held_ms // self.trips if self.trips else None

    @property
    def average_r(self) -> Decimal | None:
        """In units of what each trip risked, of those that had a stop."""
        return _by(self.r_sum, self.r_trips)

    @property
    def fees_of_gross(self) -> Decimal | None:
        """Fees as a fraction of what was realised before costs; None unless that was a gain."""
        return self.fees / self.gross if self.gross > 0 else None

    @property
    def funding_of_gross(self) -> Decimal | None:
        """Funding paid (below 0: received) as a fraction of what was realised before costs; None unless a gain."""
        return -self.funding / self.gross if self.gross > 0 else None


def _by(total: Decimal, count: int) -> Decimal | None:
    return total / count if count else None


def performance(trips: Iterable[RoundTrip]) -> Performance:
    """The figures of the closed ones among *trips*, which come in the order they ended."""
    closed = [trip for trip in trips if trip.closed_ms is not None]
    nets = [trip.net for trip in closed]
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    multiples = [r for trip in closed if (r := trip.r_multiple) is not None]
    return Performance(
        trips=len(closed),
        won=len(won),
        lost=len(lost),
        gross=sum((trip.gross for trip in closed), ZERO),
        fees=sum((trip.fees for trip in closed), ZERO),
        funding=sum((trip.funding for trip in closed), ZERO),
        won_sum=sum(won, ZERO),
        lost_sum=sum(lost, ZERO),
        best=max(nets, default=ZERO),
        worst=min(nets, default=ZERO),
        losing_run=longest_losing_run(nets),
        held_ms=sum(trip.duration_ms or 0 for trip in closed),
        r_sum=sum(multiples, ZERO),
        r_trips=len(multiples),
    )


def longest_losing_run(nets: Iterable[Decimal]) -> int:
    """The most results below 0 in a row; one of exactly 0 neither ends nor lengthens a run."""
    longest = run = 0
    for net in nets:
        run = run + 1 if net < 0 else 0 if net > 0 else run
        longest = max(longest, run)
    return longest


def split(trips: Iterable[RoundTrip], by: Callable[[RoundTrip], K | None]) -> dict[K, Performance]:
    """The figures of *trips* in groups, by key in order; a trip whose key is None is in no group."""
    groups: dict[K, list[RoundTrip]] = {}
    for trip in trips:
        if (key := by(trip)) is not None:
            groups.setdefault(key, []).append(trip)
    return {key: performance(groups[key]) for key in sorted(groups, key=str)}


def confidence_step(confidence: Decimal) -> Decimal:
    """The tenth that *confidence* (0 to 1) lies in: 0.78 is of 0.7; 1 is of 0.9."""
    return min(confidence // TENTH, Decimal(9)) * TENTH


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest fall of a curve: from the *top* to the *bottom*, as a *fraction* of the top."""

    fraction: Decimal
    top: Mark
    bottom: Mark


def deepest_fall(marks: Sequence[Mark]) -> Fall | None:
    """The deepest fall among *marks*, oldest first, with transfers taken out; None where equity never fell."""
    found: Fall | None = None
    top: Mark | None = None
    for mark in marks:
        if top is None or mark.equity >= top.moved(mark.counted):
            top = mark
            continue
        fraction = drawdown(top.moved(mark.counted), mark.equity)
        if found is None or fraction > found.fraction:
            found = Fall(fraction, top, mark)
    return found


def falls(marks: Sequence[Mark]) -> list[Decimal]:
    """How far each of *marks* lies below the highest before it, as a fraction of that, transfers taken out."""
    found: list[Decimal] = []
    top: Mark | None = None
    for mark in marks:
        if top is None or mark.equity >= top.moved(mark.counted):
            top = mark
        found.append(drawdown(top.moved(mark.counted), mark.equity))
    return found


def do_nothing(marks: Sequence[Mark]) -> list[Decimal]:
    """What the account would hold at each of *marks* had it only been paid into and out of since the first."""
    return [marks[0].moved(mark.counted) for mark in marks]


def buy_and_hold(marks: Sequence[Mark], prices: Mapping[int, Decimal]) -> list[Decimal | None]:
    """
    What holding the coin once over (1×, no fee, no funding) would be worth at each of *marks*.

    The equity of the first mark with a price buys the coin there; what is paid in later buys at that mark's price, and
    what is paid out sells. *prices* are by the T of a mark; a mark without one has the last before it, and None before
    the first.
    """
    worth: list[Decimal | None] = []
    coins, price, counted = ZERO, ZERO, ZERO
    for mark in marks:
        before, price = price, prices.get(mark.t_ms, price)
        if price <= 0:
            worth.append(None)
            continue
        coins += (mark.equity if before <= 0 else mark.counted - counted) / price
        counted = mark.counted
        worth.append(coins * price)
    return worth


@dataclass(frozen=True, slots=True)
class DayResult:
    """What one day of the person's calendar brought: *result* in USDT, *share* as a fraction of the equity before."""

    begins_ms: int
    result: Decimal
    share: Decimal | None


def day_results(bounds: Sequence[int], at: Sequence[Mark | None], start: Decimal) -> list[DayResult]:
    """
    The result of each day between two neighbours of *bounds* (epoch ms): equity at its end less at its start, transfers
    taken out. *at* is the last mark before each bound; before the first mark of all stands *start*, the balance the
    account began with. A day without a mark of its own has no result.
    """
    days: list[DayResult] = []
    for (begins, _), (before, after) in zip(pairwise(bounds), pairwise(at), strict=True):
        if after is None or after == before:
            continue
        base = before.moved(after.counted) if before else paid_in(start, after.counted)
        days.append(DayResult(begins, after.equity - base, (after.equity - base) / base if base > 0 else None))
    return days
