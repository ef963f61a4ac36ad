"""
The numbers everything here is judged by: what each decision of a version was worth, and the same by day.

A series has every decision of its version, those that entered nothing as well (0, minus what the call cost): who
leaves out what was declined flatters. Two versions are compared on the windows both were asked, decision by decision.
What overlaps is dependent, so the unit is never the decision but the *block*: a UTC day, or several.

These are floats, for statistics alone. Money is Decimal until it comes in here, and no order is made of what comes out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Scored:
    """One decision at T: *window* is the hash of what was sent, *net* a fraction of notional; *decided* unless hold."""

    t_ms: int
    window: str
    net: Decimal
    decided: bool


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Decisions in order of time, epoch ms and fractions of notional; *decided* of them were no hold."""

    t_ms: NDArray[np.int64]
    values: Floats
    decided: int


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """
    One value a block, in order; their mean is the mean per decision.

    A block's value is its sum where all blocks have equally many decisions; where they do not, what the block adds to
    the mean of all (the linear part of a ratio of sums), so that an hour's rest of a day weighs no whole day.
    """

    values: Floats
    decisions: int


def series(scored: Iterable[Scored]) -> Series:
    """All decisions of one version."""
    told = sorted(scored, key=lambda each: (each.t_ms, each.window))
    times = np.array([each.t_ms for each in told], dtype=np.int64)
    values = np.array([float(each.net) for each in told], dtype=np.float64)
    return Series(times, values, sum(each.decided for each in told))


def paired(mine: Iterable[Scored], other: Iterable[Scored]) -> Series:
    """What *mine* earned beyond *other* where both were asked the same window at T; decided where either did."""
    theirs = {(each.t_ms, each.window): each for each in other}
    both = [(each, theirs[each.t_ms, each.window]) for each in mine if (each.t_ms, each.window) in theirs]
    return series(Scored(a.t_ms, a.window, a.net - b.net, a.decided or b.decided) for a, b in both)


def blocks(given: Series, until_ms: int, days: int = 1) -> Blocks:
    """*given* by blocks of *days* UTC days (whole H); what is not over at *until_ms* is no block yet."""
    length = days * DAY_MS
    whole = given.t_ms < until_ms // length * length
    number, values = given.t_ms[whole] // length, given.values[whole]
    if not len(values):
        return Blocks(values, 0)
    _, where = np.unique(number, return_inverse=True)
    sums, counts = np.bincount(where, values), np.bincount(where)
    mean = values.mean()
    return Blocks(mean + (sums - mean * counts) / counts.mean(), len(values))
