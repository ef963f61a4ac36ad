"""
What a page may say of a version: better than chance, worse, losing, or that it cannot be told yet and for how long.

"Better" is better than every baseline at once: each lower bound is above 0, so that choosing the best baseline
afterwards takes nothing away from the 95 %. All bounds are those of the page (`AnytimeInterval`), whoever looks how
often. A sentence is a reason with its figures (`lib.domain.evidence_codes`), said by `lib.reason_text`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.evidence.chance import Moments
from lib.evidence.intervals import AnytimeInterval, anytime_interval
from lib.evidence.power import days_needed
from lib.evidence.series import DAY_MS, Blocks, Floats, Series, blocks
from lib.evidence.spread import LEAST_BLOCKS, long_run_sd

LEAST_DECIDED = 100
"""Opinions that were no hold, under which no figure is shown."""


class Baseline(StrEnum):
    """What a version is held against, on the same T."""

    COIN = "coin"
    """Its own moments, stops and targets; the direction by a coin."""
    RANDOM_MOMENTS = "random_moments"
    LONG = "long"
    SHORT = "short"
    HOLD = "hold"
    """Nothing entered, nothing paid."""


CHANCE = (Baseline.COIN, Baseline.RANDOM_MOMENTS)
Beyond = Mapping[Baseline, Blocks]
"""What the version earned beyond each baseline, by blocks of days."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """*reason* says it; *against* has the interval of what was earned beyond each baseline, once there is any."""

    reason: Reason
    against: Mapping[Baseline, AnytimeInterval]


def verdict(beyond: Beyond, decided: int, edge: Decimal, tries: int = 1) -> Verdict:
    """
    What can be said after *decided* opinions; *edge* is what the person needs to beat costs, a fraction of notional;
    the version is one of *tries* that are looked at together.

    ValueError unless hold and the coin are among the baselines and the edge is above 0.
    """
    if edge <= 0 or not {Baseline.COIN, Baseline.HOLD} <= beyond.keys():
        raise ValueError("a verdict needs the coin, hold and an edge above 0")
    days = min(len(each.values) for each in beyond.values())
    if decided < LEAST_DECIDED:
        return Verdict(codes.EVIDENCE_FEW_DECIDED(decided=decided, least=LEAST_DECIDED), {})
    if days < LEAST_BLOCKS:
        return Verdict(codes.EVIDENCE_FEW_DAYS(days=days, least=LEAST_BLOCKS), {})
    against = {name: told for name, each in beyond.items() if (told := anytime_interval(each.values, tries))}
    said = _certain(against, days) or still_open(beyond.values(), days, edge, tries)
    return Verdict(said, against)


def baselines_of(moments: Moments) -> Mapping[Baseline, Floats]:
    """What each baseline made of every one of *moments*."""
    return {
        Baseline.COIN: moments.coin(),
        Baseline.RANDOM_MOMENTS: moments.random_moments(),
        Baseline.LONG: moments.always(1),
        Baseline.SHORT: moments.always(-1),
        Baseline.HOLD: np.zeros(len(moments.side)),
    }


def judged(moments: Moments, until_ms: int, edge: Decimal, more: Beyond | None = None, tries: int = 1) -> Verdict:
    """
    What can be said of the decisions at *moments*, by whole days before *until_ms*, against every baseline.

    *more* are baselines of the caller's, *tries* as in `verdict`; ValueError for an edge that is none.
    """
    against = baselines_of(moments)
    decided = int((moments.side[moments.t_ms < until_ms // DAY_MS * DAY_MS] != 0).sum())
    beyond = {
        name: blocks(Series(moments.t_ms, moments.taken() - each, decided), until_ms) for name, each in against.items()
    }
    return verdict({**beyond, **(more or {})}, decided, edge, tries)


def share(figure: float) -> Decimal:
    """A fraction as reasons have it."""
    return Decimal(f"{figure:.8f}")


def _certain(against: Mapping[Baseline, AnytimeInterval], days: int) -> Reason | None:
    hold, least = against[Baseline.HOLD], min(against.values(), key=lambda each: each.low)
    if least.low > 0:
        return codes.EVIDENCE_BETTER(mean=share(hold.mean), low=share(least.low), days=days)
    chance = max((against[name] for name in CHANCE if name in against), key=lambda each: each.high)
    if chance.high < 0:
        return codes.EVIDENCE_WORSE_THAN_CHANCE(high=share(chance.high), days=days)
    if hold.high < 0:
        return codes.EVIDENCE_LOSES(mean=share(hold.mean), high=share(hold.high), days=days)
    return None


def still_open(beyond: Iterable[Blocks], days: int, edge: Decimal, tries: int = 1) -> Reason:
    """How much longer an *edge* takes to be seen in all of *beyond*, after *days* in which none was."""
    needed = longest_needed(beyond, float(edge), tries)
    if needed is None:
        return codes.EVIDENCE_OUT_OF_REACH(edge=edge)
    if needed <= days:
        return codes.EVIDENCE_NOT_SEEN(edge=edge, days=days)
    return codes.EVIDENCE_NOT_YET(edge=edge, more=needed - days)


def longest_needed(beyond: Iterable[Blocks], edge: float, tries: int = 1) -> int | None:
    """Days until *edge* is seen against each baseline with 90 %; None where one of them is out of reach."""
    needed = [days_needed(float(long_run_sd(each.values)), edge, tries) for each in beyond]
    known = [days for days in needed if days is not None]
    return max(known) if len(known) == len(needed) else None
