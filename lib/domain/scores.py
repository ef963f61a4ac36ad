"""
What an opinion was worth, as it is kept: once for everybody who shared it, by a method that has a number. Pure.

An opinion is one stored answer of the analyst. A method's scores are never changed: another way of scoring is another
method, whose scores stand beside the old ones. *net* is a fraction of the notional at the entry, after both fees,
funding and the call; the call's cost is measured against `NOTIONAL`, since a score knows no account's size.

`METHOD` is the opinion alone, as soon as it has ended. `BOTH_WAYS` has beside it what a long and what a short of the
same moment were worth, once both have ended: what chance and either side are counted by, of holds as well.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain.decision import Abstained, Decision
from lib.domain.position import ZERO
from lib.domain.round_trips import RoundTrip

METHOD = 1
BOTH_WAYS = 2
NOTIONAL = Decimal(1_000)
"""USDT of a position against which a call's cost is measured."""
ScoreEnd = Literal["nothing", "no_entry", "stop", "target", "liquidation", "time"]
"""How it ended; *nothing* = a hold, a close, no usable view: it entered nothing."""
SCORE_ENDS: tuple[ScoreEnd, ...] = ("nothing", "no_entry", "stop", "target", "liquidation", "time")
Cause = Literal[
    "other_end", "entry", "exit", "partial", "added", "guardian", "by_hand", "flattened", "decision", "costs"
]
"""Why a trade came to something else than its opinion."""
EXACT = Decimal("1E-12")
"""Fractions nearer to each other than this are one: a kept score has eighteen digits, an average price is rounded."""


@dataclass(frozen=True, slots=True)
class Opined:
    """
    An answer that has no score yet. *latency_ms* is what the analyst took; *cost* is one person's part of its calls,
    USD, None where no price is known.
    """

    cycle_id: int
    feed: str
    symbol: str
    t_ms: int
    view: Decision | Abstained
    latency_ms: int
    cost: Decimal | None
    habit: Decision | None = None
    """For both ways of what entered nothing: the last entry that the same question had before T, within a day."""


@dataclass(frozen=True, slots=True)
class Score:
    """
    What one opinion was worth. Prices in USDT, times in epoch ms, 0 without an entry; *gross*, *fees*, *funding* and
    *net* are fractions of the notional at the entry, *in_stops* is *net* in R. *cost* as in `Opined`.
    """

    cycle_id: int
    ended: ScoreEnd
    entered_ms: int
    closed_ms: int
    entry: Decimal
    exit: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal
    cost: Decimal | None
    net: Decimal
    in_stops: Decimal
    scored_ms: int

    @property
    def before_call(self) -> Decimal:
        """*net* without the call: what a trade's own result is compared with."""
        return self.gross - self.fees + self.funding


@dataclass(frozen=True, slots=True)
class BothWays:
    """
    A *score* with what a *long* and a *short* of its moment were worth: fractions of the notional after fees and
    funding, before the call, which neither side would have needed.
    """

    score: Score
    long: Decimal
    short: Decimal


@dataclass(frozen=True, slots=True)
class Answered:
    """
    One answer at T to *window*: the *side* taken (1 long, -1 short, 0 none), what *long* and *short* were worth before
    the call, what the *call* cost and the own entry's *fees*: fractions of notional.
    """

    t_ms: int
    window: str
    side: int
    long: Decimal
    short: Decimal
    call: Decimal
    fees: Decimal
    confidence: Decimal

    @property
    def net(self) -> Decimal:
        """What the answer was worth, less its call."""
        return (self.long if self.side > 0 else self.short if self.side < 0 else ZERO) - self.call


def call_share(cost: Decimal | None) -> Decimal:
    """A call's cost as a fraction of `NOTIONAL`; an unknown price adds nothing, and is told as unknown."""
    return ZERO if cost is None else cost / NOTIONAL


def of_nothing(opined: Opined, scored_ms: int) -> Score:
    """The score of an opinion that entered nothing: what its call cost."""
    zeros = (ZERO, ZERO, ZERO, ZERO, ZERO)
    return Score(opined.cycle_id, "nothing", 0, 0, *zeros, opined.cost, -call_share(opined.cost), ZERO, scored_ms)


@dataclass(frozen=True, slots=True)
class Beside:
    """
    A trade beside its opinion's score: *net* of the trade as a fraction of its notional, and why the two differ (none:
    they are equal).
    """

    net: Decimal
    causes: tuple[Cause, ...]


_CLOSED_BY: dict[str, Cause] = {
    "guardian": "guardian",
    "hand": "by_hand",
    "flatten": "flattened",
    "decision": "decision",
}


def beside(score: Score, trip: RoundTrip, wanted: Decimal, entered: Decimal) -> Beside:
    """
    The ended *trip*, which the opinion's entry began, beside its *score*; *wanted* and *entered* are that entry
    order's quantity and what of it was filled.
    """
    net = trip.net / trip.entry_value
    if abs(net - score.before_call) <= EXACT:
        return Beside(net, ())
    causes: list[Cause] = []
    if entered < wanted:
        causes.append("partial")
    if trip.qty > entered:
        causes.append("added")
    if abs(trip.entry_price - score.entry) > EXACT:
        causes.append("entry")
    if trip.ended is not None and trip.ended != score.ended:
        causes.append(_CLOSED_BY.get(trip.ended, "other_end"))
    elif trip.exit_price is not None and abs(trip.exit_price - score.exit) > EXACT:
        causes.append("exit")
    return Beside(net, tuple(causes or ["costs"]))
