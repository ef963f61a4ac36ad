"""
What chance would have made at the same moments, with the same stops and targets.

For each decision both sides are known: what a long and what a short of its stop and target would have been worth. The
coin takes either; what it earns on average is the mean of the two, which is what a version is paired with. How lucky a
version would have to be is a share of a thousand seeded coins. A coin a decision forgets that real analysts stay on a
side for hours; so there is a second coin a day, which turns the version's own directions all together, and the greater
share of the two is told.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.evidence.series import DAY_MS, Floats

COINS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """
    Decisions at *t_ms*: what *long* and *short* would have been worth, and the *side* taken: 1, -1, or 0 for a hold.

    Worths are fractions of notional, net of fees and funding. *call* is what each answer cost (None: nothing): the
    version's own, for no baseline asks anybody.
    """

    t_ms: NDArray[np.int64]
    long: Floats
    short: Floats
    side: NDArray[np.int64]
    call: Floats | None = None

    def taken(self) -> Floats:
        """What the decisions were worth: the side taken, 0 for a hold, less the call."""
        return self.sides() if self.call is None else self.sides() - self.call

    def sides(self) -> Floats:
        """What the sides taken were worth before the call; 0 for a hold."""
        return np.where(self.side > 0, self.long, np.where(self.side < 0, self.short, 0.0))

    def turned(self) -> Floats:
        """What the other sides would have been worth."""
        return np.where(self.side > 0, self.short, np.where(self.side < 0, self.long, 0.0))

    def coin(self) -> Floats:
        """What a coin earns on average where a side was taken."""
        return np.where(self.side != 0, (self.long + self.short) / 2, 0.0)

    def random_moments(self) -> Floats:
        """What a coin earns on average at moments chosen blindly, as many of them as were taken."""
        return (self.long + self.short) / 2 * self.rate()

    def always(self, side: int) -> Floats:
        """
        What one side earns on average at moments chosen blindly, as many of them as were taken: 1 is long.

        Who is in the market at every moment earns and loses many times as much as who enters at a tenth of them: beside
        that noise nothing of a version could ever be seen.
        """
        return (self.long if side > 0 else self.short) * self.rate()

    def rate(self) -> float:
        """The share of moments at which a side was taken."""
        return float((self.side != 0).mean()) if len(self.side) else 0.0


def coin_share(moments: Moments, seed: int = 0, coins: int = COINS) -> float:
    """
    The share of coins that did as well as the version or better (its p); 1 where nothing was entered.
    """
    taken, turned = moments.taken(), moments.turned()
    entered = moments.side != 0
    if not entered.any():
        return 1.0
    dice = np.random.default_rng(seed)
    _, day = np.unique(moments.t_ms // DAY_MS, return_inverse=True)
    more = moments.sides() - turned
    by_decision = _heads(dice, coins, len(more)) @ more
    by_day = _heads(dice, coins, int(day.max()) + 1) @ np.bincount(day, more)
    gains = [turned.sum() + won for won in (by_decision, by_day)]
    return max(float((1 + (gain >= taken.sum() - 1e-12).sum()) / (coins + 1)) for gain in gains)


def random_share(moments: Moments, seed: int = 0, coins: int = COINS) -> float:
    """The share of as many blind entries, each at any of the moments and of either side, that did as well or better."""
    entries = int((moments.side != 0).sum())
    if not entries:
        return 1.0
    dice = np.random.default_rng(seed)
    either = np.concatenate([moments.long, moments.short])
    worth = either[dice.integers(0, len(either), (coins, entries))].sum(axis=1)
    return float((1 + (worth >= moments.taken().sum() - 1e-12).sum()) / (coins + 1))


def _heads(dice: np.random.Generator, coins: int, tosses: int) -> Floats:
    """1 or 0 for each toss of each coin."""
    return dice.integers(0, 2, (coins, tosses), dtype=np.int8).astype(np.float64)
