"""
Whether an analyst reads the market or remembers it: the same question under another date, another price, a mirror.

Each window is asked as it was, and again: dates shifted by years; prices times a constant; mirrored, so that what rose
falls as much; its candles in another order; and unchanged, several times. Who reads the market says the same under
other dates and prices, the opposite under the mirror, something else when the order is gone. How often the unchanged
question is answered otherwise is the measure: nothing is held against an analyst that it does by chance. Most answers
are holds, and two holds agree for nothing; so it is judged by pairs in which one of the two was none.

Pure: who is asked, and what it costs, is not known here. Weekday and time of day stay: to know them is no memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Literal

import numpy as np

from lib.domain import reason_codes as codes
from lib.domain.candle import Candle
from lib.domain.decision import Abstained, Decision
from lib.domain.price_path import finest_step
from lib.domain.reason import Reason
from lib.evidence.calibration import wilson
from lib.evidence.verdict import share

Side = Literal["long", "short", "hold"]
REPEATS = 5
"""How often the unchanged question is asked."""
LEAST_WINDOWS = 100
LEAST_ACTED = 10
"""Pairs in which one of the two was no hold, under which nothing is judged."""
LEAST_STEADY = 0.6
"""Of such pairs, how many unchanged questions must be answered the same way, or the answers are dice."""
LEAST_DIFFERENT = 0.5
"""Of such pairs, how many answers must change when the candles' order is gone."""
WEEK_MS = 7 * 86_400_000
WEEKS = (121, 179, 233, 304, 361)
"""How far dates go back: two to seven years, into other months."""
FACTORS = (7, 3, 13)
"""What prices are multiplied by: whole numbers, so that they stay on their ticks."""
_MIRRORED: dict[Side, Side] = {"long": "short", "short": "long", "hold": "hold"}


class Change(StrEnum):
    """What is done to a window."""

    NONE = "none"
    DATES = "dates"
    PRICES = "prices"
    MIRROR = "mirror"
    ORDER = "order"


ASKS = (*[Change.NONE] * REPEATS, Change.DATES, Change.PRICES, Change.MIRROR, Change.ORDER)
"""The questions of one window."""


def changed(window: Sequence[Candle], change: Change, number: int) -> tuple[Candle, ...]:
    """*window*, the *number*th of the test, under *change*; closed one-minute candles, oldest first."""
    if change is Change.DATES:
        back = WEEKS[number % len(WEEKS)] * WEEK_MS
        return tuple(replace(candle, open_time=candle.open_time - back) for candle in window)
    if change is Change.PRICES:
        factor = FACTORS[number % len(FACTORS)]
        return tuple(_priced(candle, *(factor * price for price in _prices(candle))) for candle in window)
    if change is Change.MIRROR:
        return _mirrored(window)
    if change is Change.ORDER:
        order = np.random.default_rng(number).permutation(len(window))
        return tuple(
            replace(window[place], open_time=candle.open_time) for candle, place in zip(window, order, strict=True)
        )
    return tuple(window)


def _mirrored(window: Sequence[Candle]) -> tuple[Candle, ...]:
    """p becomes p₀² ÷ p with the newest close as p₀, on the window's own tick; highs become lows."""
    square, tick = window[-1].close ** 2, finest_step(window)

    def turned(price: Decimal) -> Decimal:
        return (square / price / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick

    return tuple(
        _priced(candle, turned(candle.open), turned(candle.low), turned(candle.high), turned(candle.close))
        for candle in window
    )


def _prices(candle: Candle) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return candle.open, candle.high, candle.low, candle.close


def _priced(candle: Candle, begun: Decimal, high: Decimal, low: Decimal, close: Decimal) -> Candle:
    return replace(candle, open=begun, high=high, low=low, close=close)


def side_of(view: Decision | Abstained) -> Side | None:
    """The side a view takes; None where there is no usable one."""
    if isinstance(view, Abstained):
        return None
    sides: dict[str, Side] = {"buy": "long", "sell": "short"}
    return sides.get(view.action, "hold")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one window was answered under each of `ASKS`, in their order; None = no usable answer."""

    sides: tuple[Side | None, ...]

    def under(self, change: Change) -> Side | None:
        """The last answer under *change*: of the unchanged question a repeat."""
        return next(side for side, asked in zip(self.sides[::-1], ASKS[::-1], strict=True) if asked is change)

    @property
    def first(self) -> Side | None:
        return self.sides[0]

    @property
    def unchanged(self) -> tuple[Side | None, ...]:
        return self.sides[:REPEATS]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of *pairs* of answers *as_meant*; and of those *acted* in which one was no hold, *acted_as_meant*."""

    pairs: int
    as_meant: int
    acted: int
    acted_as_meant: int

    @property
    def share(self) -> float:
        return self.as_meant / self.pairs if self.pairs else 0.0

    @property
    def acted_share(self) -> float:
        return self.acted_as_meant / self.acted if self.acted else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the share of acted pairs lies with 95 %."""
        return wilson(self.acted_as_meant, self.acted)

    def is_below(self, other: "Agreement") -> bool:
        """Whether it is less than *other* by more than chance."""
        return self.bounds[1] < other.bounds[0]


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What a test found over *windows* with a usable first answer. *steady*, *dates* and *prices* count equal answers,
    *mirror* opposite ones, *order* different ones; *all_same* windows whose unchanged questions were all answered
    alike. *longs*, *shorts* and *holds* are of the windows and their mirrors together: a market and its mirror rise as
    much as they fall.
    """

    windows: int
    steady: Agreement
    all_same: int
    dates: Agreement
    prices: Agreement
    mirror: Agreement
    order: Agreement
    longs: int
    shorts: int
    holds: int


def memory(answered: Sequence[Answered]) -> Memory:
    """What *answered* comes to."""
    told = [one for one in answered if one.first is not None]
    both = [side for one in told for side in (one.first, one.under(Change.MIRROR))]
    return Memory(
        windows=len(told),
        steady=_agreement(told, Change.NONE),
        all_same=sum(len(set(one.unchanged)) == 1 for one in told),
        dates=_agreement(told, Change.DATES),
        prices=_agreement(told, Change.PRICES),
        mirror=_agreement(told, Change.MIRROR),
        order=_agreement(told, Change.ORDER),
        longs=both.count("long"),
        shorts=both.count("short"),
        holds=both.count("hold"),
    )


def _agreement(told: Sequence[Answered], change: Change) -> Agreement:
    pairs = [(one.first, other) for one in told if one.first is not None and (other := one.under(change)) is not None]
    acted = [pair for pair in pairs if pair != ("hold", "hold")]
    return Agreement(len(pairs), _meant(pairs, change), len(acted), _meant(acted, change))


def _meant(pairs: Sequence[tuple[Side, Side]], change: Change) -> int:
    if change is Change.MIRROR:
        return sum(other == _MIRRORED[first] for first, other in pairs)
    return sum((first == other) is (change is not Change.ORDER) for first, other in pairs)


def badges(found: Memory) -> tuple[Reason, ...]:
    """What is to be said of it, the gravest first; one sentence that nothing was found where nothing was."""
    if found.windows < LEAST_WINDOWS:
        return (codes.MEMORY_FEW(windows=found.windows, least=LEAST_WINDOWS),)
    if min(found.steady.acted, found.order.acted) < LEAST_ACTED:
        return (codes.MEMORY_IDLE(acted=found.steady.acted, least=LEAST_ACTED),)
    checks = (
        (found.dates.is_below(found.steady), codes.MEMORY_DATES(share=share(1 - found.dates.acted_share))),
        (found.prices.is_below(found.steady), codes.MEMORY_PRICES(share=share(1 - found.prices.acted_share))),
        (found.mirror.is_below(found.steady), _leaning(found)),
        (found.steady.acted_share < LEAST_STEADY, codes.MEMORY_DICE(share=share(found.steady.acted_share))),
        (found.order.bounds[1] < LEAST_DIFFERENT, codes.MEMORY_ORDER(share=share(1 - found.order.acted_share))),
    )
    return tuple(reason for is_so, reason in checks if is_so) or (codes.MEMORY_CLEAN(windows=found.windows),)


def _leaning(found: Memory) -> Reason:
    acted = found.longs + found.shorts
    more, less = max(found.longs, found.shorts), min(found.longs, found.shorts)
    if wilson(more, acted)[0] <= 0.5:
        return codes.MEMORY_MIRROR(share=share(1 - found.mirror.acted_share))
    leans = codes.MEMORY_LONG if found.longs > found.shorts else codes.MEMORY_SHORT
    return leans(share=share(more / acted), other=share(less / acted))
