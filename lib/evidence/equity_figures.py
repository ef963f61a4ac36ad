"""
What an account's equity did over a span: returns, falls, ratios, and what it cost.

Figures of money are Decimal, from equity with transfers taken out; ratios of daily returns are floats with intervals of
the stationary bootstrap, without which none of them is told. A year's rate is told of a year or more alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

import numpy as np

from lib.domain.position import ZERO
from lib.evidence.resampling import drawn, mean_block
from lib.evidence.series import Floats
from lib.evidence.spread import ALPHA, LEAST_BLOCKS, standard_errors

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class EquityDay:
    """One UTC day that is over: equity at its start and end, USDT, the day's transfers taken out of the end."""

    day_ms: int
    start: Decimal
    end: Decimal

    @property
    def growth(self) -> Decimal:
        """The end for one USDT of the start."""
        return self.end / self.start if self.start > 0 else Decimal(1)


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done over the span: ms with a position, USDT traded, fees paid, funding paid, gains before costs."""

    exposed_ms: int
    traded: Decimal
    fees: Decimal
    funding: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest fall of equity, a fraction of the peak, from the end of one day to the end of another (epoch ms)."""

    share: Decimal
    peak_ms: int
    trough_ms: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """An annualised ratio of daily returns and where it lies with 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EquityFigures:
    """Fractions, unless said otherwise; None where a figure has no meaning yet."""

    days: int
    total: Decimal
    yearly: Decimal | None
    """CAGR, from a year on."""
    fall: Fall
    worst_day: Decimal
    worst_day_ms: int
    sharpe: Ratio | None
    sortino: Ratio | None
    exposed: Decimal
    """Of the time."""
    turnover: Decimal
    """Traded a day, in multiples of mean equity."""
    fees_of_gross: Decimal | None
    funding_of_gross: Decimal | None


def equity_figures(days: Sequence[EquityDay], activity: Activity) -> EquityFigures:
    """The figures of *days* in order; ValueError for none."""
    if not days:
        raise ValueError("no day is over yet")
    total = Decimal(1)
    for day in days:
        total *= day.growth
    worst = min(days, key=lambda day: day.growth)
    returns = np.array([float(day.growth) - 1 for day in days])
    mean_equity = sum((day.start for day in days), ZERO) / len(days)
    return EquityFigures(
        days=len(days),
        total=total - 1,
        yearly=total ** (Decimal(YEAR_DAYS) / len(days)) - 1 if len(days) >= YEAR_DAYS and total > 0 else None,
        fall=deepest(days),
        worst_day=worst.growth - 1,
        worst_day_ms=worst.day_ms,
        sharpe=_ratio(returns, _sharpe),
        sortino=_ratio(returns, _sortino),
        exposed=Decimal(activity.exposed_ms) / (len(days) * 86_400_000),
        turnover=activity.traded / len(days) / mean_equity if mean_equity > 0 else ZERO,
        fees_of_gross=activity.fees / activity.gross if activity.gross > 0 else None,
        funding_of_gross=activity.funding / activity.gross if activity.gross > 0 else None,
    )


def deepest(days: Sequence[EquityDay]) -> Fall:
    """The deepest fall, with its days; of 0 at the start where equity never fell."""
    height = peak = Decimal(1)
    peak_ms, found = days[0].day_ms, Fall(ZERO, days[0].day_ms, days[0].day_ms)
    for day in days:
        height *= day.growth
        if height >= peak:
            peak, peak_ms = height, day.day_ms
        elif (share := 1 - height / peak) > found.share:
            found = Fall(share, peak_ms, day.day_ms)
    return found


def _sharpe(weights: Floats, returns: Floats) -> Floats:
    means = weights @ returns
    return np.asarray(means / np.sqrt(np.maximum(weights @ returns**2 - means**2, 1e-18)) * sqrt(YEAR_DAYS))


def _sortino(weights: Floats, returns: Floats) -> Floats:
    below = np.sqrt(np.maximum(weights @ np.minimum(returns, 0) ** 2, 1e-18))
    return np.asarray((weights @ returns) / below * sqrt(YEAR_DAYS))


def _ratio(returns: Floats, of: Callable[[Floats, Floats], Floats]) -> Ratio | None:
    """The ratio with its interval; None for too few days, or where nothing ever fell or moved."""
    if len(returns) < LEAST_BLOCKS or not (returns < 0).any():
        return None
    length = mean_block(returns)
    value = float(of(np.full((1, len(returns)), 1 / len(returns)), returns)[0])
    draws = of(drawn(len(returns), length), returns)
    low, high = np.quantile(draws, (ALPHA / 2, 1 - ALPHA / 2)) - value
    wider = standard_errors(len(returns), length) / standard_errors(10**9, length)
    return Ratio(value, float(value + low * wider), float(value + high * wider))
