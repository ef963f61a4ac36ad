"""
What the best of many tries is worth: nothing that is found by searching is told without how often was tried.

The deflated Sharpe ratio asks whether the best is better than the best of as many tries that are worth nothing (Bailey
and López de Prado 2014); the probability of backtest overfitting, how often the best of one half of the time is in the
worse half of the tries in the other (CSCV: Bailey, Borwein, López de Prado and Zhu 2017). Walk-forward chooses on what
came before and is judged on what came after, with a gap as long as an outcome takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import e, sqrt

import numpy as np
from numpy.typing import NDArray

from lib.evidence.series import Floats

PARTS = 10
"""Parts of the time for CSCV: 252 ways to halve them."""
EULER = 0.5772156649015329
LEAST_PART = 5
"""Blocks a part must have at least."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best of *tries*: its Sharpe of a block, how sure it is no luck, and how overfitted the choosing is."""

    tries: int
    best: int
    sharpe: float
    deflated: float
    """The probability that the true Sharpe is above what the best of as many worthless tries has."""
    overfitted: float | None
    """PBO; None where the time is too short to be halved."""
    walked_forward: float | None
    """Mean block value of what each choice made afterwards; None likewise."""


def found(values: Floats, tries: int) -> Found:
    """
    The best column of *values* (a row a block, a column a try).

    *tries* counts all that person ever made on the span, columns or more; ValueError for fewer.
    """
    if tries < values.shape[1]:
        raise ValueError("a search counts every try it shows")
    sharpes = sharpe(values)
    best = int(sharpes.argmax())
    least = expected_best(float(sharpes.var(ddof=1)) if len(sharpes) > 1 else 0.0, tries)
    sure = probabilistic_sharpe(values[:, best], least)
    return Found(tries, best, float(sharpes[best]), sure, overfitting(values), _walked(values))


def sharpe(values: Floats) -> Floats:
    """Mean over deviation of each column, not annualised; 0 where nothing moves."""
    spread = values.std(axis=0, ddof=1)
    return np.asarray(np.where(spread > 0, values.mean(axis=0) / np.where(spread > 0, spread, 1.0), 0.0))


def expected_best(variance: float, tries: int) -> float:
    """The Sharpe the best of *tries* worthless ones is expected to have, where theirs vary by *variance*."""
    from scipy.special import ndtri

    if tries < 2:
        return 0.0
    return float(sqrt(variance) * ((1 - EULER) * ndtri(1 - 1 / tries) + EULER * ndtri(1 - 1 / (tries * e))))


def probabilistic_sharpe(values: Floats, least: float) -> float:
    """How sure it is that the true Sharpe of *values* is above *least*, with their skew and tails."""
    spread = float(values.std())
    if not spread:
        return 0.0
    around = (values - values.mean()) / spread
    return _probability(float(sharpe(values)), least, len(values), float((around**3).mean()), float((around**4).mean()))


def _probability(observed: float, least: float, blocks: int, skew: float, kurtosis: float) -> float:
    from scipy.special import ndtr

    bend = 1 - skew * observed + (kurtosis - 1) / 4 * observed**2
    return float(ndtr((observed - least) * sqrt(blocks - 1) / sqrt(max(bend, 1e-12))))


def overfitting(values: Floats) -> float | None:
    """
    PBO: the share of halvings in which the best of one half is in the worse half of the tries in the other.

    None for one try, or for parts too short.
    """
    blocks, tries = values.shape
    if tries < 2 or blocks < PARTS * LEAST_PART:
        return None
    parts = np.array_split(np.arange(blocks), PARTS)
    bad = [_fell(values, parts, chosen) for chosen in combinations(range(PARTS), PARTS // 2)]
    return sum(bad) / len(bad)


def _fell(values: Floats, parts: list[NDArray[np.int64]], chosen: tuple[int, ...]) -> bool:
    inside = np.concatenate([parts[each] for each in chosen])
    outside = np.concatenate([parts[each] for each in range(PARTS) if each not in chosen])
    after = sharpe(values[outside])
    best = after[int(sharpe(values[inside]).argmax())]
    # a rank among n+1, as CSCV has it, so that neither end is certain
    return float((after <= best).sum()) / (len(after) + 1) <= 0.5


def walk_forward(blocks: int, gap: int = 1, folds: int = 5) -> Iterator[tuple[range, range]]:
    """What is chosen on and what is judged, *folds* times: the past up to a *gap* of blocks before the next stretch."""
    step = blocks // (folds + 1)
    for fold in range(1, folds + 1):
        end = blocks if fold == folds else (fold + 1) * step
        yield range(max(0, fold * step - gap)), range(fold * step, end)


def _walked(values: Floats) -> float | None:
    if len(values) < PARTS * LEAST_PART:
        return None
    judged = []
    for past, ahead in walk_forward(len(values)):
        chosen = int(sharpe(values[past.start : past.stop]).argmax())
        judged.append(values[ahead.start : ahead.stop, chosen])
    return float(np.concatenate(judged).mean())
