"""
Where the mean of a decision lies, with 95 %: one interval for reports, another for pages.

A report is made once, of a span chosen beforehand: `ReportInterval`, by the stationary bootstrap. A page is looked at
every day until something shows, and an interval for one look would then show something sooner or later: pages have
the `AnytimeInterval` of an asymptotic confidence sequence, which holds at all looks together. They are two types, so
that no function takes the one for the other. Both are rather too wide than too narrow: `make evidence-proof`.
"""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from lib.evidence.resampling import DRAWS, drawn, mean_block
from lib.evidence.series import Floats
from lib.evidence.spread import ALPHA, LEAST_BLOCKS, anytime_half, long_run_sd, standard_errors


@dataclass(frozen=True, slots=True)
class ReportInterval:
    """For one look at a span chosen beforehand: mean per decision and its bounds, fractions of notional."""

    name: ClassVar[str] = "stationary_bootstrap"
    mean: float
    low: float
    high: float
    blocks: int
    mean_block: float
    draws: int


@dataclass(frozen=True, slots=True)
class AnytimeInterval:
    """For any number of looks: mean per decision and its bounds, fractions of notional."""

    name: ClassVar[str] = "asymptotic_confidence_sequence"
    mean: float
    low: float
    high: float
    blocks: int


def report_interval(values: Floats) -> ReportInterval | None:
    """The interval of the mean of block *values*; None for too few."""
    blocks = len(values)
    if blocks < LEAST_BLOCKS:
        return None
    length, mean = mean_block(values), float(values.mean())
    means = drawn(blocks, length) @ values
    low, high = np.quantile(means, (ALPHA / 2, 1 - ALPHA / 2)) - mean
    wider = stretch(float(means.std()), float(long_run_sd(values)) / sqrt(blocks), blocks, length)
    return ReportInterval(mean, float(mean + low * wider), float(mean + high * wider), blocks, length, DRAWS)


def stretch(drawn_sd: float, estimated_sd: float, blocks: int, length: float) -> float:
    """By how much a bootstrap's bounds are moved out: draws of few blocks vary less than the truth does."""
    from scipy.special import ndtri

    floor = max(1.0, estimated_sd / drawn_sd) if drawn_sd else 1.0
    return floor * standard_errors(blocks, length) / float(-ndtri(ALPHA / 2))


def anytime_interval(values: Floats, tries: int = 1) -> AnytimeInterval | None:
    """The interval of the mean of block *values*, valid at every look and for *tries* together; None for too few."""
    blocks = len(values)
    if blocks < LEAST_BLOCKS:
        return None
    mean = float(values.mean())
    half = float(anytime_half(values, tries))
    return AnytimeInterval(mean, mean - half, mean + half, blocks)
