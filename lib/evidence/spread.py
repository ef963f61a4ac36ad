"""
How far a mean may be from the truth: its long-run deviation, and how much wider a bound is with few blocks.

A decision ends within a block's length, so a block's value may lean on the next one's and on no other: the long-run
variance has the first autocovariance and never falls under the plain variance. It is an estimate itself, and a poor
one while blocks are few: every bound is as wide as Student's t says for half as many blocks as there are (a third for
the bootstrap, whose blocks are several days), not as the normal law would have it.
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from lib.evidence.series import Floats

LEAST_BLOCKS = 14
"""Under so many nothing is said: no estimate of the deviation is worth anything."""
ALPHA = 0.05


def long_run_sd(values: Floats) -> Floats:
    """The deviation a mean of blocks has for its root of n, along the last axis: 0 for fewer than two blocks."""
    n = values.shape[-1]
    if n < 2:
        return np.zeros(values.shape[:-1])
    around = values - values.mean(axis=-1, keepdims=True)
    plain = (around * around).sum(axis=-1) / (n - 1)
    lagged = (around[..., 1:] * around[..., :-1]).sum(axis=-1) / (n - 1)
    return np.asarray(np.sqrt(plain + 2 * np.maximum(lagged, 0)))


def widened(normal: float, freedom: float) -> float:
    """How many standard errors say with *freedom* degrees what *normal* of them say with endlessly many."""
    from scipy.special import log_ndtr, stdtrit

    tail = float(np.exp(log_ndtr(-normal)))
    return float(-stdtrit(max(1.0, freedom), tail))


@lru_cache(maxsize=4096)
def standard_errors(blocks: int, mean_block: float = 0) -> float:
    """
    Half of a report's interval in standard errors; for a bootstrap whose resampled blocks have *mean_block* of ours.
    """
    from scipy.special import ndtri

    return widened(float(-ndtri(ALPHA / 2)), freedom(blocks, mean_block))


def freedom(blocks: int, mean_block: float) -> float:
    """Degrees of freedom of a deviation estimated from so many."""
    return blocks / (3 * max(mean_block, 2.0)) - 1


PLANNED_BLOCKS = 60
"""Where the sequence is narrowest against a bound for one look alone; it holds at every other number too."""


@lru_cache(maxsize=4096)
def anytime_errors(blocks: int, tries: int = 1) -> float:
    """
    Half of the anytime-valid interval after *blocks* of them, in standard errors: looked at every day, all of them
    hold together. Robbins' mixture boundary with an estimated deviation (Waudby-Smith et al. 2024), widened by t.

    Of *tries* that are looked at together each has its part of the 5 %, so that all hold together whatever they share.
    """
    alpha = ALPHA / tries
    log = -2 * np.log(alpha)
    rho = (log + np.log(log) + 1) / PLANNED_BLOCKS
    inside = blocks * rho + 1
    return widened(sqrt(2 * inside / (blocks * rho) * np.log(sqrt(inside) / alpha)), blocks / 2 - 1)


def anytime_half(values: Floats, tries: int = 1) -> Floats:
    """Half of the anytime-valid interval of the mean of *values*, along the last axis: blocks in order."""
    blocks = values.shape[-1]
    return anytime_errors(blocks, tries) * long_run_sd(values) / sqrt(blocks)
