"""
Decisions beside what needs no analyst, at the same moments with the same stops and targets.

Every buy and sell is scored by itself (`lib.evidence.scoring`), and once more the other way round: the analyst's own,
always long, always short and the coins (`lib.evidence.chance`) are means of the same numbers. The mean's interval is
one for reports (`lib.evidence.intervals`): of a span chosen beforehand, looked at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from lib.domain.decision import Decision
from lib.evidence.chance import Moments, coin_share, random_share
from lib.evidence.desk import Terms
from lib.evidence.intervals import ReportInterval, report_interval
from lib.evidence.scoring import How, Worth, score
from lib.evidence.series import DAY_MS, Scored, blocks, series
from lib.evidence.tape import Tape


@dataclass(frozen=True, slots=True)
class Pair:
    """One moment both ways: the *side* taken at T (1 long, -1 short), and what either side was worth."""

    t_ms: int
    side: int
    long: Worth
    short: Worth

    @property
    def own(self) -> Decimal:
        """What the side taken was worth, net, a fraction of the notional."""
        return (self.long if self.side > 0 else self.short).net


@dataclass(frozen=True, slots=True)
class Baselines:
    """
    Means per opinion, net fractions of the notional; *count* opinions have ended. *interval* holds the analyst's mean
    with 95 %, None for too few days. *p*: the share of coins that did as well; *p_moments*: of blind entries.
    """

    count: int
    own: float
    interval: ReportInterval | None
    long: float
    short: float
    coin: float
    p: float
    p_moments: float


def pairs(views: Mapping[int, Decision], tape: Tape, terms: Terms, how: How | None = None) -> list[Pair]:
    """Both ways of every buy and sell among *views* (by T) that have ended by the last candle, oldest first."""
    found = []
    for t_ms, view in sorted(views.items()):
        if view.action not in ("buy", "sell"):
            continue
        long = score(replace(view, action="buy"), t_ms, tape, terms, how)
        short = score(replace(view, action="sell"), t_ms, tape, terms, how)
        if long is not None and short is not None:
            found.append(Pair(t_ms, 1 if view.action == "buy" else -1, long, short))
    return found


def baselines(found: Sequence[Pair], seed: int = 0) -> Baselines | None:
    """*found* beside its baselines; None without an opinion that has ended. The same *seed* gives the same figures."""
    if not found:
        return None
    moments = moments_of(found)
    judged = series(Scored(one.t_ms, "", one.own, True) for one in found)
    return Baselines(
        count=len(found),
        own=float(moments.taken().mean()),
        interval=report_interval(blocks(judged, found[-1].t_ms + DAY_MS).values),
        long=float(moments.long.mean()),
        short=float(moments.short.mean()),
        coin=float(moments.coin().mean()),
        p=coin_share(moments, seed),
        p_moments=random_share(moments, seed),
    )


def moments_of(found: Sequence[Pair]) -> Moments:
    """*found* as chance is told of them."""
    return Moments(
        np.array([one.t_ms for one in found], dtype=np.int64),
        np.array([float(one.long.net) for one in found], dtype=np.float64),
        np.array([float(one.short.net) for one in found], dtype=np.float64),
        np.array([one.side for one in found], dtype=np.int64),
    )
