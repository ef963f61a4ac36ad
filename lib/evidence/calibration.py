"""
Whether a version's confidence means anything: of the opinions it was 70 % sure of, how many came true.

What is learnt and what is shown are never the same data: the base rate and the threshold come from the first half in
time, skill and the threshold's worth from the second. Under a hundred decided opinions there is nothing to show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

import numpy as np

from lib.evidence.series import DAY_MS, Floats
from lib.evidence.spread import LEAST_BLOCKS, long_run_sd, standard_errors
from lib.evidence.verdict import LEAST_DECIDED

BINS = 10
WILSON = 1.959963984540054
"""The normal quantile of 97.5 %."""
THRESHOLDS = tuple(round(step / 20, 2) for step in range(20))
"""Least confidences that are tried: 0 is everybody's."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One opinion that was no hold and has ended: its *confidence* of 0 to 1, and its *net*, a fraction of notional."""

    t_ms: int
    confidence: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Bin:
    """Opinions of about one confidence: *came_true* of *count*, and where that share lies with 95 %."""

    count: int
    confidence: float
    came_true: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """A least confidence, with the lower bound it had where it was chosen and what it was worth where it was not."""

    least: float
    low_where_chosen: float
    mean_after: float | None
    """None where no later opinion was that sure."""
    count_after: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """*brier* of all; *skill* of the second half against always saying the first half's base rate (0: none)."""

    decided: int
    brier: float
    base_rate: float
    skill: float
    bins: tuple[Bin, ...]
    threshold: Threshold | None


def calibration(decided: Sequence[Decided]) -> Calibration | None:
    """How far confidences can be believed; None under `LEAST_DECIDED` opinions."""
    if len(decided) < LEAST_DECIDED:
        return None
    told = sorted(decided, key=lambda each: each.t_ms)
    says = np.array([float(each.confidence) for each in told])
    net = np.array([float(each.net) for each in told])
    came, half = (net > 0).astype(np.float64), len(told) // 2
    base = float(came[:half].mean())
    reference = brier(np.full(len(told) - half, base), came[half:])
    skill = 1 - brier(says[half:], came[half:]) / reference if reference else 0.0
    days = np.array([each.t_ms // DAY_MS for each in told])
    chosen = _threshold((says[:half], net[:half], days[:half]), (says[half:], net[half:]))
    return Calibration(len(told), brier(says, came), base, skill, _bins(says, came), chosen)


def brier(says: Floats, came: Floats) -> float:
    """The mean squared distance of what was said from what came: 0 is a prophet, 0.25 who always says one half."""
    return float(((says - came) ** 2).mean())


def wilson(came: int, count: int) -> tuple[float, float]:
    """Where a share lies with 95 % after *came* of *count*: Wilson's score interval."""
    if not count:
        return 0.0, 1.0
    rate, square = came / count, WILSON**2
    middle = (rate + square / (2 * count)) / (1 + square / count)
    half = WILSON / (1 + square / count) * sqrt(rate * (1 - rate) / count + square / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _bins(says: Floats, came: Floats) -> tuple[Bin, ...]:
    number = np.minimum((says * BINS).astype(int), BINS - 1)
    made = []
    for each in range(BINS):
        inside = number == each
        count, true = int(inside.sum()), int(came[inside].sum())
        made.append(
            Bin(count, float(says[inside].mean()) if count else (each + 0.5) / BINS, true, *wilson(true, count))
        )
    return tuple(made)


def _threshold(chosen_on: tuple[Floats, Floats, Floats], after: tuple[Floats, Floats]) -> Threshold | None:
    """The least confidence with the highest lower bound per decision of the first half, and its worth in the second."""
    says, net, days = chosen_on
    lows = {least: _low(np.where(says >= least, net, 0.0), days) for least in THRESHOLDS if (says >= least).any()}
    known = {least: low for least, low in lows.items() if low is not None}
    if not known:
        return None
    best = max(known, key=lambda least: known[least])
    later = after[1][after[0] >= best]
    return Threshold(best, known[best], float(later.mean()) if len(later) else None, len(later))


def _low(net: Floats, days: Floats) -> float | None:
    """The lower bound of a decision's mean, by days; None for too few of them."""
    _, where = np.unique(days, return_inverse=True)
    counts = np.bincount(where)
    if len(counts) < LEAST_BLOCKS:
        return None
    mean = float(net.mean())
    values = (np.bincount(where, net) - mean * counts) / counts.mean()
    return mean - standard_errors(len(counts)) * float(long_run_sd(values)) / sqrt(len(counts))
