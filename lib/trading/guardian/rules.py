"""
The guardian's judgement of a position: keep, wait, restore the stop, close. Pure: no clock, no ports.

Our stop stands, or the owner's inside the same band stands; any other position is put right or closed. No judgement
ever widens a stop, and none closes more than our own part of a position.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.books import Fill
from lib.domain.position import ZERO, Direction, Position
from lib.domain.reason import NOTHING, Reason
from lib.domain.sizing import COLLAR, MAX_STOP_DISTANCE
from lib.domain.stops import is_never_reached, is_passed, is_tighter, tightest

WIDEST_STOP = MAX_STOP_DISTANCE + COLLAR
"""Fraction of the entry price: our own stops lie within 5 % of a price the entry itself may miss by its collar."""

Act = Literal["keep", "wait", "restore", "tighten", "close"]


@dataclass(frozen=True, slots=True)
class GuardedPosition:
    """
    A position of ours as last understood, and the stop and target that should protect it.

    *own* is our signed part of *qty*, which was entered at *average*; *stop_loss* and *leverage* 0 = not known.
    *entry_price* and *t_ms* (its T) are of the entry that made the position. Prices in USDT.
    """

    direction: Direction
    own: Decimal
    qty: Decimal
    average: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    entry_price: Decimal
    leverage: int
    t_ms: int
    committed: Decimal = ZERO
    """The tightest stop the ledger had for it when it was last asked; *moved_to* the same, while a move is to be put in
    force, else 0."""
    moved_to: Decimal = ZERO

    @property
    def wanted(self) -> Decimal:
        """The tightest stop known for the position; 0 = none is known."""
        return tightest((self.stop_loss, self.committed), is_long=self.qty > 0)

    @property
    def is_shared(self) -> bool:
        """Whether an external change made the position larger than our part."""
        return abs(self.qty) > abs(self.own)

    def is_same(self, position: Position) -> bool:
        """Whether *position* is the one that was understood: the same quantity at the same average price."""
        return (self.qty, self.average) == (position.qty, position.avg_entry_price)


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What to do, and why. *wait* = the stop stands and the price is beyond the stop, which must fire within seconds.
    """

    act: Act
    why: Reason = NOTHING


def judge(position: Position, guarded: GuardedPosition) -> Judgement:
    """What to do about an open *position* that contains our fills."""
    stop = position.stop_loss
    if stop == 0:
        return _put_back(position, guarded, codes.STOP_MISSING())
    if is_never_reached(position, stop):
        return _put_back(position, guarded, codes.LIQUIDATION_BEFORE_STOP())
    if stop != guarded.stop_loss and _too_far(position, guarded, stop):
        return _put_back(position, guarded, codes.STOP_TOO_FAR())
    if is_passed(position, stop):
        return Judgement("wait", codes.PRICE_BEYOND_STOP())
    if is_tighter(guarded.moved_to, stop, is_long=position.qty > 0):
        return _move(position, guarded.moved_to)
    return Judgement("keep")


def _move(position: Position, wanted: Decimal) -> Judgement:
    """The stop nearer to the price, or out at once where the mark has passed it."""
    if is_passed(position, wanted):
        return Judgement("close", codes.TIGHTENED_STOP_PASSED(stop=wanted))
    return Judgement("tighten")


def _put_back(position: Position, guarded: GuardedPosition, why: Reason) -> Judgement:
    wanted = guarded.wanted
    if wanted == 0:
        return Judgement("close", codes.STOP_UNKNOWN(why=why))
    if is_passed(position, wanted):
        return Judgement("close", codes.STOP_PASSED(why=why))
    if is_never_reached(position, wanted):
        return Judgement("close", codes.LIQUIDATION_BEFORE_STOP())
    return Judgement("restore", why)


def _too_far(position: Position, guarded: GuardedPosition, stop: Decimal) -> bool:
    entry = guarded.entry_price or position.avg_entry_price
    room = entry * WIDEST_STOP
    return stop < entry - room if position.qty > 0 else stop > entry + room


def wanted_target(position: Position, guarded: GuardedPosition) -> Decimal:
    """The target to send along with the stop: the standing one, else the last known one if not reached; 0 = none."""
    target = position.take_profit or guarded.take_profit
    if position.mark == 0 or target == 0 or position.take_profit:
        return target
    is_reached = position.mark >= target if position.qty > 0 else position.mark <= target
    return ZERO if is_reached else target


def leverage_changed(position: Position, guarded: GuardedPosition) -> bool:
    """Whether the leverage is not the one our entry was sized for."""
    return guarded.leverage > 0 and position.leverage != guarded.leverage


def forced(fills: Iterable[Fill]) -> list[Fill]:
    """Those of *fills* that the exchange forced: liquidation and auto-deleveraging."""
    return [fill for fill in fills if fill.kind in ("liquidation", "adl")]


Ending = Literal["stop", "liquidation", "adl", "order", "hand"]


def ending(fills: Iterable[Fill], ours: str) -> Ending | None:
    """
    What closed the position whose *fills* (oldest first) these are; None when it is not closed.

    *ours* is the prefix of our order_link_ids. A target and a close by hand cannot be told apart: both are "hand".
    """
    last = next((fill for fill in reversed(list(fills)) if fill.closed_qty > 0), None)
    if last is None:
        return None
    if last.kind in ("liquidation", "adl"):
        return "liquidation" if last.kind == "liquidation" else "adl"
    if last.is_stop:
        return "stop"
    return "order" if last.order_link_id.startswith(ours) else "hand"
