"""
The isolated margin of a position: what it ties up, where it is liquidated, what its stop loses. Pure.

The exchange's own liquidation price is the one that counts; `liquidation_price` is an estimate for an isolated position
by the lowest tier's maintenance rate, before fees and funding, for as long as the exchange has told none.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import MAX_PRICE
from lib.domain.position import ZERO, Position


@dataclass(frozen=True, slots=True)
class Liquidation:
    """At which *price* a position is liquidated, 0 = at none; *is_told* by the exchange, or estimated here."""

    price: Decimal
    is_told: bool


def lowest_maintenance(max_leverage: Decimal) -> Decimal:
    """The maintenance rate of the lowest tier: half the initial margin at the instrument's greatest leverage."""
    return 1 / (2 * max(max_leverage, Decimal(1)))


def liquidation_price(position: Position, maintenance_rate: Decimal) -> Decimal:
    """The price at which an isolated *position* is liquidated: entry x (1 -+ 1/leverage +- MMR), never below 0."""
    sign = 1 if position.qty > 0 else -1
    return max(position.avg_entry_price * (1 - sign * (1 / position.leverage - maintenance_rate)), ZERO)


def bankruptcy_price(position: Position) -> Decimal:
    """The price at which the margin of *position* is gone, before fees."""
    sign = 1 if position.qty > 0 else -1
    return max(position.avg_entry_price * (1 - sign / position.leverage), ZERO)


def initial_margin(position: Position, taker_fee: Decimal) -> Decimal:
    """Cash tied up by *position*: its share of the entry value, and the fee to close at the bankruptcy price."""
    if position.is_flat:
        return ZERO
    size = abs(position.qty)
    return size * position.avg_entry_price / position.leverage + size * bankruptcy_price(position) * taker_fee


def order_cost(qty: Decimal, price: Decimal, leverage: Decimal, taker_fee: Decimal) -> Decimal:
    """Cash needed to open *qty* at *price*: margin, fee to open, and fee to close on the dearer side."""
    value = qty * price
    return value / leverage + value * taker_fee + value * (1 + 1 / leverage) * taker_fee


def told_liquidation(position: Position) -> Decimal:
    """The venue's liquidation price of *position*, 0 = at none: what it leaves blank, and what no market reaches."""
    return position.liquidation if 0 < position.liquidation < MAX_PRICE else ZERO


def margin_of(position: Position) -> Decimal:
    """USDT tied up by *position*: its entry value over its leverage, before the fee to close."""
    return abs(position.qty) * position.avg_entry_price / position.leverage


def stop_risk(position: Position) -> Decimal:
    """
    R: what *position* loses in USDT when it is closed at its stop, before fees.

    0 without a stop, and when the stop is no loss any more.
    """
    if position.stop_loss <= 0:
        return ZERO
    return max((position.avg_entry_price - position.stop_loss) * position.qty, ZERO)


def distance(price: Decimal, to: Decimal) -> Decimal:
    """How far *to* lies above (below: negative) *price*, as a fraction of *price*; 0 without a price."""
    return (to - price) / price if price > 0 else ZERO
