"""
Worlds whose truth is known: block values of mean 0 whose days lean on each other, and coin-flippers in one market.

All values are in percent of notional, all of unit or measured deviation; a row is a run, a column a day. Same seed,
same world.
"""

from collections.abc import Callable

import numpy as np

from lib.evidence.chance import Moments
from lib.evidence.series import DAY_MS, Floats

TRADE_SD = 1.03
"""Percent a trade, measured on a month of the bundled analyst's answers."""
COST = 0.11
"""Percent a round trip."""
A_DAY = 12
WARM = 60
Dice = np.random.Generator


def independent(dice: Dice, runs: int, days: int) -> Floats:
    """Days that know nothing of each other."""
    return np.asarray(dice.standard_normal((runs, days)))


def autoregressive(dice: Dice, runs: int, days: int) -> Floats:
    """Three tenths of each day come back in the next."""
    shocks = dice.standard_normal((runs, days + WARM))
    for day in range(1, days + WARM):
        shocks[:, day] += 0.3 * shocks[:, day - 1]
    return np.asarray(shocks[:, WARM:])


def overlapping(dice: Dice, runs: int, days: int) -> Floats:
    """A decision an hour, each open for 24 hours: the next day's market is in this day's outcomes."""
    path = np.cumsum(dice.standard_normal((runs, (days + 1) * 24)), axis=1)
    return np.asarray((path[:, 24:] - path[:, :-24]).reshape(runs, days, 24).mean(axis=2))


def clustered(dice: Dice, runs: int, days: int) -> Floats:
    """Wild days follow wild days (GARCH(1,1)), with fat tails (Student's t of 5)."""
    tails = dice.standard_t(5, (runs, days + WARM)) / np.sqrt(5 / 3)
    variance = np.ones(runs)
    for day in range(days + WARM):
        tails[:, day] *= np.sqrt(variance)
        variance = 0.05 + 0.15 * tails[:, day] ** 2 + 0.8 * variance
    return np.asarray(tails[:, WARM:])


def regimes(dice: Dice, runs: int, days: int) -> Floats:
    """A good and a bad time take turns, for four days on average, and calm and wild ones for fifteen."""
    good, wild = dice.integers(0, 2, runs) * 2 - 1, dice.integers(0, 2, runs)
    values = np.empty((runs, days))
    for day in range(days):
        good = np.where(dice.random(runs) < 1 / 4, -good, good)
        wild = np.where(dice.random(runs) < 1 / 15, 1 - wild, wild)
        values[:, day] = (0.4 * good + dice.standard_normal(runs)) * np.where(wild == 1, 1.5, 0.7)
    return values


WORLDS: dict[str, Callable[[Dice, int, int], Floats]] = {
    "independent days": independent,
    "autoregressive days": autoregressive,
    "overlapping outcomes": overlapping,
    "clustered volatility": clustered,
    "regimes": regimes,
}


def trade_days(dice: Dice, runs: int, days: int, edge: float) -> Floats:
    """Day means of `A_DAY` trades with a mean of *edge*, of one shared wildness a day."""
    wild = np.exp(0.4 * dice.standard_normal((runs, days)) - 0.16)
    return np.asarray(edge + TRADE_SD * wild * dice.standard_normal((runs, days)) / np.sqrt(A_DAY))


def coin_flippers(dice: Dice, people: int, days: int, cost: float) -> Floats:
    """A row a day, a column a person: each tosses a coin for every trade of one market with clustered volatility."""
    wild = np.sqrt(np.abs(clustered(dice, 1, days)[0]) + 0.3)
    moves = TRADE_SD * dice.standard_normal((days, A_DAY)) * (wild / np.sqrt((wild**2).mean()))[:, None]
    sides = dice.integers(0, 2, (people, days, A_DAY)) * 2 - 1
    return np.asarray(np.einsum("pda,da->dp", sides, moves) / A_DAY - cost)


def stubborn(dice: Dice, days: int) -> Moments:
    """Somebody without any skill who stays on a side for about a day."""
    count = days * A_DAY
    moves = TRADE_SD * dice.standard_normal(count)
    turns = np.where(dice.random(count) < 1 / A_DAY, -1, 1)
    side = np.cumprod(turns) * (dice.integers(0, 2) * 2 - 1)
    return Moments(np.arange(count) * (DAY_MS // A_DAY), moves - COST, -moves - COST, side)
