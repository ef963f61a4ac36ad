"""
How moments, prices and volumes are written for an analyst: as they are, or so that nothing tells when. Pure.

Through the blind lens a moment is whole minutes relative to T, a price is a fraction of the newest close and a volume
one of the window's mean, each to six significant digits: a model cannot look up in its memory what happened next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decimals import plain

SIX = Context(prec=6, rounding=ROUND_HALF_EVEN)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Lens:
    """*t_ms* is T (epoch ms); *price* and *volume* are what the blind lens divides by. Built by `clear` or `blind`."""

    t_ms: int
    is_blind: bool = False
    price_unit: Decimal = ONE
    volume_unit: Decimal = ONE

    def moment(self, at_ms: int) -> int:
        """Epoch ms; or whole minutes from T, negative before it."""
        return (at_ms - self.t_ms) // MINUTE_MS if self.is_blind else at_ms

    def price(self, value: Decimal) -> str:
        """USDT as the venue writes it; or a fraction of the newest close."""
        return written(SIX.divide(value, self.price_unit)) if self.is_blind else f"{value:f}"

    def volume(self, value: Decimal) -> str:
        """Base units; or a multiple of the window's mean."""
        return written(SIX.divide(value, self.volume_unit)) if self.is_blind else f"{value:f}"


def clear(t_ms: int) -> Lens:
    """Everything as it is."""
    return Lens(t_ms)


def blind(t_ms: int, window: Sequence[Candle]) -> Lens:
    """The blind lens over *window* (closed candles, oldest first; none = everything as it is but the time)."""
    mean = SIX.divide(sum((one.volume for one in window), Decimal(0)), Decimal(len(window) or 1))
    return Lens(t_ms, True, window[-1].close if window else ONE, mean or ONE)


def six_digits(value: Decimal) -> Decimal:
    """*value* to six significant digits."""
    return SIX.plus(value)


def written(value: Decimal) -> str:
    """*value* without trailing zeros and without an exponent."""
    return format(plain(value), "f")
