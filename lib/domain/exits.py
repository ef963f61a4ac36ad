"""
Exits in code: what the rules of an entry ask for, whatever the analyst says. Pure.

The rules are those of the strategy version of the entry: they are kept with its order, and a change of the strategy
never reaches a position that is open. A rule only ever brings a stop nearer or closes; before, beside and after all of
them the entry's fixed stop stands.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import MINUTE_MS
from lib.domain.exit_rules import ExitRules
from lib.domain.instrument import Instrument
from lib.domain.order import Order
from lib.domain.position import ZERO, Position
from lib.domain.stops import is_never_reached, is_tighter

TAKER_FEE = Decimal("0.00055")
"""A fraction of notional, where an entry's own fee is not known."""
MOST_FEE = Decimal("0.01")
"""A larger share is no fee of an entry: the row is odd."""
BREAK_EVEN_MS = 1
"""How far behind its entry's T the move of a break-even stands: at no T of a decision, and one an entry."""


def one_r(entry: Order, position: Position) -> Decimal:
    """R of *position* in USDT a unit; 0 = *entry* is not what made it, or has no stop: no rule is judged."""
    if position.is_flat or not entry.stop_loss or (entry.side == "buy") != (position.qty > 0):
        return ZERO
    return max((entered_at(entry, position) - entry.stop_loss) * _sign(position), ZERO)


def entered_at(entry: Order, position: Position) -> Decimal:
    """The price of the entry's fill; the position's own average, while that is not booked."""
    return entry.avg_price or position.avg_entry_price


def gained(entry: Order, position: Position) -> Decimal:
    """How far (USDT a unit) the mark price is in the position's favour, negative against it."""
    return (position.mark - entered_at(entry, position)) * _sign(position)


def even_price(entry: Order, position: Position, instrument: Instrument) -> Decimal:
    """Where a close at market has paid the fees of both sides, rounded to the tick away from the price."""
    price, rate = entered_at(entry, position), _fee(entry)
    if position.qty > 0:
        return instrument.floor_price(price * (1 + rate) / (1 - rate))
    return instrument.ceil_price(price * (1 - rate) / (1 + rate))


def break_even_stop(entry: Order, position: Position, wanted: Decimal, instrument: Instrument) -> Decimal:
    """
    The stop that the break-even of *entry* asks for now; 0 = none: off, too early, or the *wanted* stop is as near.

    It is too early until the price is also twice as far as the fees are: a stop just behind the price is no stop.
    """
    rules, risk = entry.exits, one_r(entry, position)
    if not (rules.break_even_r and risk and position.mark):
        return ZERO
    even = even_price(entry, position, instrument)
    least = max(rules.break_even_r * risk, 2 * abs(even - entered_at(entry, position)))
    if gained(entry, position) < least or is_never_reached(position, even):
        return ZERO
    return even if is_tighter(even, wanted, is_long=position.qty > 0) else ZERO


def is_out_of_time(rules: ExitRules, opened_ms: int, at_ms: int) -> bool:
    """Whether the time stop of a position that was entered at *opened_ms* (0 = unknown) is over at *at_ms*."""
    return bool(rules.time_stop_min and opened_ms) and at_ms - opened_ms >= rules.time_stop_min * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Trailing:
    """A trailing stop to set: its *distance* in USDT, and the price from which on it follows, 0 = from now on."""

    distance: Decimal
    active: Decimal


def trailing_of(entry: Order, position: Position, instrument: Instrument) -> Trailing | None:
    """The trailing stop that *entry* asks for, both prices rounded to the tick away from the price; None = none."""
    rules, risk = entry.exits, one_r(entry, position)
    if not (rules.trail_r and risk):
        return None
    begins = _begins(entry, position, instrument)
    is_begun = gained(entry, position) >= abs(begins - entered_at(entry, position))
    return Trailing(instrument.ceil_price(rules.trail_r * risk), ZERO if is_begun or not rules.trail_from_r else begins)


def trailed_to(entry: Order, position: Position, best: Decimal, instrument: Instrument) -> Decimal:
    """Where the trailing stop of *entry* stood when the mark price was at its *best*; 0 = it had not begun, or none."""
    if trailing_of(entry, position, instrument) is None:
        return ZERO
    sign, begins = _sign(position), _begins(entry, position, instrument)
    if not best or (best - begins) * sign < 0:
        return ZERO
    behind = best - sign * entry.exits.trail_r * one_r(entry, position)
    return instrument.floor_price(behind) if sign > 0 else instrument.ceil_price(behind)


def _begins(entry: Order, position: Position, instrument: Instrument) -> Decimal:
    price = entered_at(entry, position) + _sign(position) * entry.exits.trail_from_r * one_r(entry, position)
    return instrument.ceil_price(price) if position.qty > 0 else instrument.floor_price(price)


def _sign(position: Position) -> int:
    return 1 if position.qty > 0 else -1


def _fee(entry: Order) -> Decimal:
    paid = entry.filled_qty * entry.avg_price
    rate = entry.fee / paid if paid > 0 else ZERO
    return rate if 0 < rate <= MOST_FEE else TAKER_FEE
