"""
What became of an analyst's earlier opinions, as far as it was known at T. Pure.

An opinion is entered at the open of the second minute after it, and ends at its stop, its target or after a day;
where one minute holds both, at the stop. What ended after T has no outcome yet, however many candles are given: a
lesson dated after the decision can never enter it. Results are net of both fees, in R: multiples of what the stop
would have lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.lens import six_digits

ENTRY_MS = MINUTE_MS
"""From T to the price an opinion could have had: the answer and the order take their time."""
LONGEST_MS = 24 * 60 * MINUTE_MS
FEES = Decimal("0.0011")
"""Taker's fees of entry and exit, a fraction of notional."""
Ended = Literal["stop", "target", "time"]


@dataclass(frozen=True, slots=True)
class Opinion:
    """Of T = *t_ms* (epoch ms), one that meant a position; *stop_loss*, *take_profit* are fractions of the entry."""

    t_ms: int
    action: Literal["buy", "sell"]
    confidence: Decimal
    stop_loss: Decimal
    take_profit: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """*opinion* as it *ended* at *closed_ms* (the close of that minute), worth *result* R net of fees."""

    opinion: Opinion
    ended: Ended
    closed_ms: int
    result: Decimal


def outcomes_by(t_ms: int, opinions: Iterable[Opinion], minutes: Sequence[Candle], count: int) -> list[Outcome]:
    """The newest *count* outcomes, by their close, of *opinions* before T that closed by *t_ms*; oldest first."""
    by_time = {one.open_time: one for one in minutes if one.open_time + MINUTE_MS <= t_ms}
    known = (_outcome(one, by_time, t_ms) for one in opinions if one.t_ms < t_ms and one.stop_loss > 0)
    found = sorted((one for one in known if one is not None), key=lambda one: (one.closed_ms, one.opinion.t_ms))
    return found[-count:]


def _outcome(opinion: Opinion, minutes: Mapping[int, Candle], t_ms: int) -> Outcome | None:
    begun = opinion.t_ms + ENTRY_MS
    first = minutes.get(begun)
    if first is None:
        return None
    sign, entry = (1 if opinion.action == "buy" else -1), first.open
    stop, target = entry * (1 - sign * opinion.stop_loss), entry * (1 + sign * opinion.take_profit)
    for at in range(begun, min(begun + LONGEST_MS, t_ms), MINUTE_MS):
        if (minute := minutes.get(at)) is None:
            return None
        worst, best = (minute.low, minute.high) if sign > 0 else (minute.high, minute.low)
        if (worst - stop) * sign <= 0:
            return _ended(opinion, "stop", at, (stop - entry) / entry * sign)
        if (best - target) * sign >= 0:
            return _ended(opinion, "target", at, (target - entry) / entry * sign)
        if at + MINUTE_MS == begun + LONGEST_MS:
            return _ended(opinion, "time", at, (minute.close - entry) / entry * sign)
    return None


def _ended(opinion: Opinion, ended: Ended, at: int, gross: Decimal) -> Outcome:
    return Outcome(opinion, ended, at + MINUTE_MS, six_digits((gross - FEES) / opinion.stop_loss))
