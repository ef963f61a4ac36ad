"""
The stationary bootstrap of Politis and Romano, for many series at once.

A draw is how often each block is taken, so that the means of a thousand draws of two hundred series are one product of
matrices, and series that are compared are drawn on the same days. What a mean block is, `arch` says (Politis and
White); that the draws are those of `arch` too, a test says.
"""

from functools import lru_cache
from math import ceil, isfinite

import numpy as np

from lib.evidence.series import Floats

DRAWS = 2_000
LEAST_MEAN_BLOCK = 2.0
"""An outcome reaches into the next day: a day is never drawn without its neighbour more often than with it."""


def mean_block(values: Floats) -> float:
    """The mean length of resampled blocks for *values*, by the selector of `arch`, up to the next half."""
    if len(values) < 8 or np.ptp(values) == 0:
        return LEAST_MEAN_BLOCK
    from arch.bootstrap import optimal_block_length

    chosen = float(optimal_block_length(values)["stationary"].iloc[0])
    return ceil(2 * min(max(chosen, LEAST_MEAN_BLOCK), len(values) / 4)) / 2 if isfinite(chosen) else LEAST_MEAN_BLOCK


@lru_cache(maxsize=16)
def drawn(blocks: int, mean_length: float, draws: int = DRAWS, seed: int = 0) -> Floats:
    """
    *draws* rows with the weight each of *blocks* has in a resampled mean; a row's weights add up to 1.

    The same question has the same draws: a report made twice says the same.
    """
    dice = np.random.default_rng(seed)
    begins = dice.random((draws, blocks)) < 1 / mean_length
    begins[:, 0] = True
    place = np.arange(blocks)
    begun = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    first = np.take_along_axis(dice.integers(0, blocks, (draws, blocks)), begun, axis=1)
    taken = (first + place - begun) % blocks + blocks * np.arange(draws)[:, None]
    weights = np.bincount(taken.ravel(), minlength=draws * blocks).reshape(draws, blocks) / blocks
    weights.setflags(write=False)
    return np.asarray(weights)
