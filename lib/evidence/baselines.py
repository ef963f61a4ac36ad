"""
Decisions beside what needs no analyst, at the same moments with the same stops and targets.

Every buy and sell is scored by itself (`lib.evidence.scoring`), and once more the other way round: always long, always
short and the coin flips are means of the same numbers. *p* is the share of coin-flippers that did as well: a small one
says that the directions hold more than luck. Net fractions of the notional; floats, for no money is among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from lib.domain.decision import Decision
from lib.evidence.desk import Terms
from lib.evidence.scoring import How, Worth, score
from lib.evidence.tape import Tape

DRAWS = 1_000
SEED = 20_250_101


@dataclass(frozen=True, slots=True)
class Pair:
    """One moment both ways: what the decision earned, and what a long and a short with its stop and target did."""

    own: Worth
    long: Worth
    short: Worth


@dataclass(frozen=True, slots=True)
class Baselines:
    """Means per opinion, net; *low* and *high* hold 95 % of the coin-flippers. *count* opinions have ended."""

    count: int
    own: float
    long: float
    short: float
    coin: float
    low: float
    high: float
    p: float


def pairs(views: Mapping[int, Decision], tape: Tape, terms: Terms, how: How | None = None) -> list[Pair]:
    """Both ways of every buy and sell among *views* (by T) that have ended by the last candle, oldest first."""
    found = []
    for t_ms, view in sorted(views.items()):
        if view.action not in ("buy", "sell"):
            continue
        long = score(replace(view, action="buy"), t_ms, tape, terms, how)
        short = score(replace(view, action="sell"), t_ms, tape, terms, how)
        if long is not None and short is not None:
            found.append(Pair(long if view.action == "buy" else short, long, short))
    return found


def baselines(found: list[Pair], draws: int = DRAWS, seed: int = SEED) -> Baselines | None:
    """*found* beside its baselines; None without an opinion that has ended. The same *seed* gives the same figures."""
    if not found:
        return None
    own, long, short = (_nets([getattr(one, way).net for one in found]) for way in ("own", "long", "short"))
    random = np.random.default_rng(seed)
    means = np.array([np.where(random.random(len(found)) < 0.5, long, short).mean() for _ in range(draws)])
    as_good = int((means >= own.mean() - 1e-12).sum())
    low, high = np.quantile(means, (0.025, 0.975))
    return Baselines(
        count=len(found),
        own=float(own.mean()),
        long=float(long.mean()),
        short=float(short.mean()),
        coin=float(means.mean()),
        low=float(low),
        high=float(high),
        p=(as_good + 1) / (draws + 1),
    )


def _nets(values: list[Decimal]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([float(value) for value in values], dtype=np.float64)
