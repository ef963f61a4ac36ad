"""
Where the stop of a position belongs: the tightest of its entry's stop and every move that was committed. Pure.

A stop only ever moves toward the price. Calls to the exchange may be late, lost or repeated: while one of them may
still arrive, no other price is called, so that none can arrive after a tighter one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.instrument import Instrument
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Order
from lib.domain.position import ZERO, Position

IN_FLIGHT_MS = RECV_WINDOW_MS + INDEX_LAG_MS
"""How long after the time a call is signed with it may still take effect, by the venue's clock."""


@dataclass(frozen=True, slots=True)
class StopMove:
    """
    A committed stop of the position of the entry *entry_link*, in USDT; unique per entry and *t_ms*.

    *called_ms*: the time the newest call of this price was signed with, 0 = never called. *settled_ms*: when its effect
    was read back, or its position had ended; 0 = it is still to be put in force. The row of the entry's own T is what
    repairs called for.
    """

    entry_link: str
    t_ms: int
    price: Decimal
    called_ms: int = 0
    settled_ms: int = 0


def is_tighter(price: Decimal, than: Decimal, *, is_long: bool) -> bool:
    """Whether a stop at *price* is nearer to the price than one at *than* (0 = none: any stop is)."""
    if price == 0:
        return False
    if than == 0:
        return True
    return price > than if is_long else price < than


def tightest(prices: Iterable[Decimal], *, is_long: bool) -> Decimal:
    """The stop of *prices* nearest to the price; 0 = no stop, when there is none."""
    best = ZERO
    for price in prices:
        if is_tighter(price, best, is_long=is_long):
            best = price
    return best


def is_passed(position: Position, stop: Decimal) -> bool:
    """Whether the mark price has reached *stop*."""
    if position.mark == 0:
        return False
    return position.mark <= stop if position.qty > 0 else position.mark >= stop


def is_never_reached(position: Position, stop: Decimal) -> bool:
    """Whether the venue would liquidate the position before *stop*."""
    if position.liquidation == 0:
        return False
    return stop <= position.liquidation if position.qty > 0 else stop >= position.liquidation


def tightened(position: Position, ref: Decimal, distance: Decimal, instrument: Instrument) -> Decimal:
    """
    The stop *distance* (a fraction) from the price *ref*, rounded to the tick away from the price.

    0 = no move: no stop stands that could be moved, or the one that stands is as near, or this one would be beyond the
    price at which the venue liquidates.
    """
    is_long, standing = position.qty > 0, position.stop_loss
    wanted = instrument.floor_price(ref * (1 - distance)) if is_long else instrument.ceil_price(ref * (1 + distance))
    if standing == 0 or not is_tighter(wanted, standing, is_long=is_long) or is_never_reached(position, wanted):
        return ZERO
    return wanted


def committed(entry: Order, moves: Iterable[StopMove]) -> Decimal:
    """The stop wanted for the position of *entry*: a move of another entry counts for nothing."""
    mine = (move.price for move in moves if move.entry_link == entry.order_link_id)
    return tightest((entry.stop_loss, *mine), is_long=entry.side == "buy")


def in_flight(moves: Iterable[StopMove], at_ms: int) -> Decimal:
    """The price of the newest call among *moves* that may still take effect at *at_ms*; 0 = none may."""
    flying = [move for move in moves if move.called_ms and at_ms <= move.called_ms + IN_FLIGHT_MS]
    return max(flying, key=lambda move: move.called_ms).price if flying else ZERO


def stop_to_call(entry: Order, moves: Sequence[StopMove], known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
    """
    The stop to call for at *at_ms* (the venue's clock), 0 = none now; *known* is the tightest the caller knows of.

    While another price is in flight a position without a stop is given that one again, any other position waits.
    """
    wanted = tightest((committed(entry, moves), known), is_long=entry.side == "buy")
    flying = in_flight(moves, at_ms)
    if flying in (ZERO, wanted):
        return wanted
    return ZERO if standing else flying


def called(entry: Order, moves: Sequence[StopMove], price: Decimal, at_ms: int) -> StopMove:
    """The row that keeps a call of *price* signed with *at_ms*: the move's of that price, else the entry's own."""
    for move in moves:
        if move.price == price:
            return StopMove(move.entry_link, move.t_ms, price, max(at_ms, move.called_ms), move.settled_ms)
    return StopMove(entry.order_link_id, entry.t_ms, price, at_ms, at_ms)


def waits(entry: Order, moves: Iterable[StopMove]) -> bool:
    """Whether a move of *entry*'s position is still to be put in force."""
    return any(move.entry_link == entry.order_link_id and not move.settled_ms for move in moves)


def is_settled_by(move: StopMove, entry: Order, standing: Decimal) -> bool:
    """Whether *move* needs nothing more: it is of another entry than *entry*, or the *standing* stop is as near."""
    is_mine = move.entry_link == entry.order_link_id
    return not is_mine or not is_tighter(move.price, standing, is_long=entry.side == "buy")
