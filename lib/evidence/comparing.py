"""
Several versions on the same windows: which of them may be called the winner, if any.

Who looks at two hundred coins finds a lucky one. A version is the winner only where all of this holds: its lower bound
against every baseline is above 0, where the bound is as far out as the luckiest of all versions together would need
(the greatest studentised deviation of each draw, all versions drawn on the same days); and the model confidence set of
Hansen, Lunde and Nason has it alone. SPA and StepM say beside it whether any version, and which, beats the best
baseline. The number of versions is always in the result. `arch` is loaded when somebody compares, not before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.evidence.resampling import DRAWS, drawn, mean_block
from lib.evidence.series import Floats
from lib.evidence.spread import ALPHA, LEAST_BLOCKS, freedom, long_run_sd, widened
from lib.evidence.verdict import share

MOST_PAIRED = 60


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """*versions* and *baselines* on the same days: block values, a row a day and a column each, by names."""

    names: Sequence[str]
    versions: Floats
    baselines: Floats

    def best_baseline(self) -> Floats:
        """The baseline that earned most."""
        return self.baselines[:, int(self.baselines.mean(axis=0).argmax())]


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    *winner*, or None; *best* of *tries* versions and its lower bound corrected for all of them, fractions of notional.
    """

    tries: int
    best: str
    low: float
    winner: str | None
    left: tuple[str, ...]
    """The model confidence set: who cannot be told from the best; everybody where it was not asked."""

    @property
    def reason(self) -> Reason:
        """The comparison as a sentence."""
        if self.winner is None:
            return codes.EVIDENCE_NO_WINNER(tries=self.tries, left=len(self.left))
        return codes.EVIDENCE_WINNER(version=self.winner, tries=self.tries, low=share(self.low))


def compared(field: Field) -> Comparison:
    """Who wins; nobody does in fewer than `LEAST_BLOCKS` days."""
    tries, best = len(field.names), int(field.versions.mean(axis=0).argmax())
    name = field.names[best]
    if len(field.versions) < LEAST_BLOCKS:
        return Comparison(tries, name, -np.inf, None, tuple(field.names))
    low = float(corrected_lows(field)[best])
    if low <= 0:
        return Comparison(tries, name, low, None, tuple(field.names))
    left = confidence_set(field)
    return Comparison(tries, name, low, name if left == (name,) else None, left)


def corrected_lows(field: Field) -> Floats:
    """For each version the lower bound of what it earned beyond its hardest baseline, all of them true together."""
    lows = [_lows(field.versions - each[:, None]) for each in field.baselines.T]
    return np.asarray(np.min(lows, axis=0))


def _lows(beyond: Floats) -> Floats:
    blocks, means = len(beyond), beyond.mean(axis=0)
    length = mean_block(beyond[:, int(means.argmax())])
    around = drawn(blocks, length) @ (beyond - means)
    spread = around.std(axis=0)
    greatest = (around / np.where(spread > 0, spread, 1.0)).max(axis=1)
    # two-sided 5 % for one version, as its interval has: each side has half
    luckiest = max(float(np.quantile(greatest, 1 - ALPHA / 2)), 0.1)
    error = np.maximum(spread, long_run_sd(beyond.T) / sqrt(blocks))
    return np.asarray(means - widened(luckiest, freedom(blocks, length)) * error)


def confidence_set(field: Field) -> tuple[str, ...]:
    """
    The versions that cannot be told from the best with 95 %.

    By the range of all pairs; that of more than `MOST_PAIRED` does not fit into memory, and the maximum of deviations
    from the mean, which sees less, stands in for it.
    """
    from arch.bootstrap import MCS

    # twins cannot be told apart, and arch divides by how far they are from each other
    apart, twin = np.unique(field.versions, axis=1, return_inverse=True)
    if apart.shape[1] == 1:
        return tuple(field.names)
    method: Literal["R", "max"] = "R" if apart.shape[1] <= MOST_PAIRED else "max"
    length = round(mean_block(field.versions.mean(axis=1)))
    asked = MCS(-apart, ALPHA, reps=DRAWS, block_size=length, method=method, bootstrap="stationary", seed=0)
    asked.compute()
    left = {int(str(column)) for column in asked.included}
    return tuple(name for name, column in zip(field.names, twin.ravel(), strict=True) if int(column) in left)


def spa_p(field: Field) -> float:
    """How likely the best version beats the best baseline by luck: the consistent p of Hansen's SPA."""
    from arch.bootstrap import SPA

    base, length = field.best_baseline(), round(mean_block(field.versions.mean(axis=1)))
    asked = SPA(-base, -field.versions, block_size=length, reps=DRAWS, bootstrap="stationary", seed=0)
    asked.compute()
    return float(asked.pvalues["consistent"])


def superior(field: Field) -> tuple[str, ...]:
    """Every version that beats the best baseline, with 95 % for all of them together: StepM of Romano and Wolf."""
    from arch.bootstrap import StepM

    base, length = field.best_baseline(), round(mean_block(field.versions.mean(axis=1)))
    asked = StepM(-base, -field.versions, ALPHA, block_size=length, reps=DRAWS, bootstrap="stationary", seed=0)
    asked.compute()
    return tuple(field.names[int(str(column))] for column in asked.superior_models)
