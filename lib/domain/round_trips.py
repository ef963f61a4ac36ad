"""
Round trips: what became of each position, from its first execution to the one that ended it. Pure.

A trip is rebuilt from the executions as the ledger booked them and in the order it booked them, a position for each
symbol. It ends when the position returns to zero or changes sign; an execution through zero ends one trip and begins
the next, and its fee is shared by quantity. Its result is what its executions realised, less all their fees, plus the
funding that was paid while it was open. What no trip can be given (funding before the first position) is kept apart, so
that every sum is the books' to the last decimal. The open trip is one too, without an end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Literal

from lib.domain.books import Charge, FillKind, summed
from lib.domain.order import Leg
from lib.domain.position import ZERO, Position, Side, apply_fill

TripEnd = Literal["stop", "target", "decision", "guardian", "flatten", "liquidation", "adl", "hand"]
"""*hand*: neither ours nor a protective order we know; *decision*: the analyst's."""
ENDS: tuple[TripEnd, ...] = ("stop", "target", "decision", "guardian", "flatten", "liquidation", "adl", "hand")
_OF_LEG: dict[Leg, TripEnd] = {"e": "decision", "x": "decision", "g": "guardian", "f": "flatten"}
TARGET_SLIP = Decimal("0.003")
"""How much worse than the target's price its execution may be: the exchange sends it as a market order."""
_STEP = Decimal("1E-18")
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Intent:
    """
    What the order behind an execution was for; *t_ms* is its cycle, prices are 0 where it carried none.

    *log_id* and *confidence* are the decision's behind it, None where no decision is (a guardian's order).
    """

    leg: Leg
    t_ms: int
    leverage: int
    stop_loss: Decimal
    take_profit: Decimal
    log_id: int | None = None
    confidence: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill as the ledger booked it: *realised* is before *fee*, *order* None where none of ours made it."""

    fill_id: int
    at_ms: int
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realised: Decimal
    kind: FillKind
    is_stop: bool
    order: Intent | None = None
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """
    One position. *trip_id* is its first fill's, *qty* all that was entered, prices are averages by quantity; money in
    USDT, funding positive when received. While it is open *closed_ms* and *ended* are None and *exit_qty* is less.
    """

    trip_id: int
    symbol: str
    is_long: bool
    opened_ms: int
    qty: Decimal
    entry_value: Decimal
    entry: Intent | None
    exit_qty: Decimal = ZERO
    exit_value: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    charges: tuple[Charge, ...] = ()
    closed_ms: int | None = None
    ended: TripEnd | None = None
    exit: Intent | None = None

    @property
    def net(self) -> Decimal:
        """What it brought after fees and funding."""
        return self.gross - self.fees + self.funding

    @property
    def entry_price(self) -> Decimal:
        return self.entry_value / self.qty

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_value / self.exit_qty if self.exit_qty else None

    @property
    def leverage(self) -> int | None:
        """As our entry was sized for; None where the entry was not ours."""
        return self.entry.leverage if self.entry and self.entry.leverage > 0 else None

    @property
    def on_margin(self) -> Decimal | None:
        """The result as a fraction of the margin put up: entry value by leverage."""
        return self.net * self.leverage / self.entry_value if self.leverage and self.entry_value else None

    @property
    def risk(self) -> Decimal | None:
        """USDT that would have been lost at the stop the entry carried, before costs."""
        if self.entry is None or self.entry.stop_loss <= 0:
            return None
        return abs(self.entry_price - self.entry.stop_loss) * self.qty or None

    @property
    def r_multiple(self) -> Decimal | None:
        """The result in units of that risk."""
        return self.net / self.risk if self.risk else None

    @property
    def duration_ms(self) -> int | None:
        return None if self.closed_ms is None else self.closed_ms - self.opened_ms


@dataclass(frozen=True, slots=True)
class Trips:
    """All round trips of one account, oldest first, and what belongs to none of them."""

    trips: tuple[RoundTrip, ...] = ()
    loose_fees: Decimal = ZERO
    loose_funding: Decimal = ZERO

    @property
    def closed(self) -> tuple[RoundTrip, ...]:
        return tuple(trip for trip in self.trips if trip.closed_ms is not None)

    @property
    def open(self) -> tuple[RoundTrip, ...]:
        return tuple(trip for trip in self.trips if trip.closed_ms is None)


Changes = dict[str, Any]
"""Fields of a trip by name."""


@dataclass(slots=True)
class Walk:
    """
    The way through an account's executions: the trips so far, and where the newest of each symbol stands among them.

    It can go on where it stopped, so that a year is walked once.
    """

    trips: list[RoundTrip] = field(default_factory=list)
    held: dict[str, Position] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    loose_fees: Decimal = ZERO
    loose_funding: Decimal = ZERO

    def found(self) -> Trips:
        """The trips so far."""
        return Trips(tuple(self.trips), self.loose_fees, self.loose_funding)

    def take(self, row: Execution) -> None:
        """Go on by *row*, the next one that was booked."""
        if row.kind == "funding" or row.qty == 0:
            self._cost(row)
            return
        before = self.held.get(row.symbol, Position(row.symbol))
        after, _ = apply_fill(before, row.side, row.qty, row.price)
        self.held[row.symbol] = after
        if before.is_flat:
            self._begin(row)
        elif (before.qty > 0) == (row.side == "buy"):
            self._move(row, _entered)
        elif after.is_flat or (after.qty > 0) == (before.qty > 0):
            self._move(row, _exited, ends=after.is_flat)
        else:
            self._turn(row, abs(before.qty))

    def _turn(self, row: Execution, closed: Decimal) -> None:
        share = (row.fee * closed / row.qty).quantize(_STEP, context=_WIDE)
        self._move(replace(row, qty=closed, fee=share), _exited, ends=True)
        self._begin(replace(row, qty=row.qty - closed, fee=row.fee - share, realised=ZERO, charges=()))

    def _begin(self, row: Execution) -> None:
        self.last[row.symbol] = len(self.trips)
        self.trips.append(
            RoundTrip(
                trip_id=row.fill_id,
                symbol=row.symbol,
                is_long=row.side == "buy",
                opened_ms=row.at_ms,
                qty=row.qty,
                entry_value=row.qty * row.price,
                entry=row.order,
                gross=row.realised,
                fees=row.fee,
                charges=summed(row.charges),
            )
        )

    def _move(self, row: Execution, change: Callable[[RoundTrip, Execution], Changes], *, ends: bool = False) -> None:
        place = self.last[row.symbol]
        trip = self.trips[place]
        end = _ended(trip, row) if ends else {}
        self.trips[place] = replace(trip, **_charged(trip, row), **change(trip, row), **end)

    def _cost(self, row: Execution) -> None:
        """Funding belongs to the position that was open when it was paid, however late it was booked."""
        place = self.last.get(row.symbol, -1)
        while place >= 0 and (self.trips[place].symbol != row.symbol or self.trips[place].opened_ms > row.at_ms):
            place -= 1
        if place >= 0:
            self.trips[place] = replace(self.trips[place], **_charged(self.trips[place], row))
        elif row.kind == "funding":
            self.loose_funding -= row.fee
        else:
            self.loose_fees += row.fee


def _entered(trip: RoundTrip, row: Execution) -> Changes:
    return {"qty": trip.qty + row.qty, "entry_value": trip.entry_value + row.qty * row.price}


def _exited(trip: RoundTrip, row: Execution) -> Changes:
    return {"exit_qty": trip.exit_qty + row.qty, "exit_value": trip.exit_value + row.qty * row.price}


def _charged(trip: RoundTrip, row: Execution) -> Changes:
    charges = summed((*trip.charges, *row.charges)) if row.charges else trip.charges
    if row.kind == "funding":
        return {"funding": trip.funding - row.fee, "charges": charges}
    return {"gross": trip.gross + row.realised, "fees": trip.fees + row.fee, "charges": charges}


def _ended(trip: RoundTrip, row: Execution) -> Changes:
    return {"closed_ms": row.at_ms, "ended": trip_end(trip, row), "exit": row.order}


def trip_end(trip: RoundTrip, last: Execution) -> TripEnd:
    """
    Why *trip* ended with the execution *last*.

    The exchange does not say "target" in what we keep of an execution: one that none of our orders made, at the price
    of the target our entry carried or better, is told as the target; one elsewhere as a close by hand.
    """
    if last.kind in ("liquidation", "adl"):
        return "liquidation" if last.kind == "liquidation" else "adl"
    if last.is_stop:
        return "stop"
    if last.order is not None:
        return _OF_LEG[last.order.leg]
    return "target" if _at_target(trip, last.price) else "hand"


def _at_target(trip: RoundTrip, price: Decimal) -> bool:
    target = trip.entry.take_profit if trip.entry else ZERO
    if target <= 0:
        return False
    return price >= target * (1 - TARGET_SLIP) if trip.is_long else price <= target * (1 + TARGET_SLIP)


def round_trips(executions: Iterable[Execution]) -> Trips:
    """The trips that *executions*, in the order they were booked, make."""
    walk = Walk()
    for row in executions:
        walk.take(row)
    return walk.found()
