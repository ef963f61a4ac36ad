"""
An instrument's trading rules, and rounding to them.

Quantities only ever round towards zero; prices round to the nearest tick unless a side is named. Values come from
the venue (Bybit v5 instruments-info) and change without notice, so they are read again, never remembered in code.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract's trading rules; quantities in base units, prices and notional in USDT."""

    symbol: str
    tick_size: Decimal
    qty_step: Decimal
    min_qty: Decimal
    max_market_qty: Decimal
    min_notional: Decimal
    max_leverage: Decimal
    trading: bool = True

    def floor_qty(self, qty: Decimal) -> Decimal:
        """Largest multiple of *qty_step* not above *qty* (0 for anything not positive)."""
        if qty <= 0:
            return Decimal(0)
        return qty // self.qty_step * self.qty_step  # a rounded quotient could round up

    def ceil_qty(self, qty: Decimal) -> Decimal:
        """Smallest multiple of *qty_step* not below *qty*."""
        return (qty / self.qty_step).to_integral_value(ROUND_CEILING) * self.qty_step

    def round_price(self, price: Decimal) -> Decimal:
        """Nearest multiple of *tick_size*."""
        return self._tick(price, ROUND_HALF_EVEN)

    def floor_price(self, price: Decimal) -> Decimal:
        """Largest multiple of *tick_size* not above *price*."""
        return self._tick(price, ROUND_FLOOR)

    def ceil_price(self, price: Decimal) -> Decimal:
        """Smallest multiple of *tick_size* not below *price*."""
        return self._tick(price, ROUND_CEILING)

    def _tick(self, price: Decimal, rounding: str) -> Decimal:
        return (price / self.tick_size).to_integral_value(rounding) * self.tick_size
