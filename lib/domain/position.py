"""
One-way positions and what a fill does to them.

Quantity is signed: positive long, negative short, zero flat. The average entry price is kept to 1e-10 USDT, rounded
half-even; everything else is exact, so books kept with this rule equal an exchange that keeps it, to the last decimal.
"""

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

Direction = Literal["long", "short", "flat"]
Side = Literal["buy", "sell"]

ZERO = Decimal(0)
AVERAGE_STEP = Decimal("1E-10")


@dataclass(frozen=True, slots=True)
class Position:
    """Signed *qty* in base units; *avg_entry_price*, *stop_loss*, *take_profit* in USDT, 0 = none."""

    symbol: str
    qty: Decimal = ZERO
    avg_entry_price: Decimal = ZERO
    leverage: Decimal = Decimal(1)
    stop_loss: Decimal = ZERO
    take_profit: Decimal = ZERO
    unrealised: Decimal = ZERO
    seen_at: int = 0
    """The venue's clock (epoch ms) when the position was read; 0 when computed here."""
    mark: Decimal = field(default=ZERO, compare=False)
    """The venue's mark price then, and the price at which the venue would liquidate the position; 0 = not told."""
    liquidation: Decimal = field(default=ZERO, compare=False)
    trailing: Decimal = field(default=ZERO, compare=False)
    """The distance of the venue's own trailing stop, in USDT; 0 = none."""
    one_way: bool = field(default=True, compare=False)
    """False where the account is in hedge mode on this symbol."""

    @property
    def direction(self) -> Direction:
        if self.qty > 0:
            return "long"
        return "short" if self.qty < 0 else "flat"

    @property
    def is_flat(self) -> bool:
        return self.qty == 0

    @property
    def closing_side(self) -> Side:
        """The order side that shrinks this position; ValueError when flat."""
        if self.is_flat:
            raise ValueError("a flat position has no closing side")
        return "sell" if self.qty > 0 else "buy"


def apply_fill(position: Position, side: Side, qty: Decimal, price: Decimal) -> tuple[Position, Decimal]:
    """
    The position after a fill of *qty* (> 0, base units) at *price*, and the PnL it realised in USDT, before fees.

    A fill through zero closes everything and opens the remainder at *price*, without stop or target.
    """
    if qty <= 0 or price <= 0:
        raise ValueError("a fill has positive quantity and price")
    signed = qty if side == "buy" else -qty
    if position.qty == 0 or (position.qty > 0) == (signed > 0):
        return _increase(position, signed, price), ZERO
    closed = min(abs(position.qty), qty)
    sign = 1 if position.qty > 0 else -1
    realised = (price - position.avg_entry_price) * closed * sign
    left = position.qty + signed
    if left and (left > 0) == (position.qty > 0):
        return replace(position, qty=left), realised
    return _ended(position, left, price), realised


def _ended(position: Position, left: Decimal, price: Decimal) -> Position:
    # stop and target belonged to the position that ended, not to the one that a fill through zero opened
    average = price if left else ZERO
    return replace(position, qty=left, avg_entry_price=average, stop_loss=ZERO, take_profit=ZERO, unrealised=ZERO)


def _increase(position: Position, signed: Decimal, price: Decimal) -> Position:
    total = position.qty + signed
    value = abs(position.qty) * position.avg_entry_price + abs(signed) * price
    average = (value / abs(total)).quantize(AVERAGE_STEP, ROUND_HALF_EVEN)
    return replace(position, qty=total, avg_entry_price=average)


def unrealised_pnl(position: Position, mark: Decimal) -> Decimal:
    """Open profit in USDT at *mark*: (mark - average entry) x signed quantity."""
    return (mark - position.avg_entry_price) * position.qty
