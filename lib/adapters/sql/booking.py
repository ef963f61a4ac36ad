"""
What one execution or transfer does to an account's running books: pure.

balance = start + realised - fees + funding + transfers holds after every one, exactly. A round trip ends when the
booked position returns to zero or changes sign; its result is what its closing fills realised less their own fees.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from lib.adapters.sql.rulings import utc_day
from lib.domain.position import ZERO, Position, apply_fill
from lib.ports import Books, Fill, Transfer


@dataclass(frozen=True, slots=True)
class RunningBooks:
    """The running columns of an account. Money in USDT, times in epoch ms; *funding* is positive when received."""

    start_balance: Decimal
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    position_qty: Decimal = ZERO
    avg_entry_price: Decimal = ZERO
    round_result: Decimal = ZERO
    loss_streak: int = 0
    last_round_ms: int = 0
    last_stop_ms: int = 0
    last_fill_ms: int = 0
    opened_ms: int = 0
    transfers: Decimal = ZERO
    last_transfer_ms: int = 0

    def position(self, symbol: str) -> Position:
        """The position our fills add up to."""
        return Position(symbol, self.position_qty, self.avg_entry_price)

    def books(self, symbol: str) -> Books:
        """As the ledger's port shows them."""
        return Books(
            self.start_balance,
            self.realised,
            self.fees,
            self.funding,
            self.position(symbol),
            self.opened_ms,
            self.last_fill_ms,
            self.transfers,
            self.last_transfer_ms,
        )

    def streak_on(self, at_ms: int) -> int:
        """Losing round trips in a row on the UTC day of *at_ms*: a new day begins a new count."""
        return self.loss_streak if utc_day(self.last_round_ms) == utc_day(at_ms) else 0


def book_fill(before: RunningBooks, fill: Fill) -> tuple[RunningBooks, Decimal]:
    """The books after *fill*, and the PnL it realised in USDT, before its fee."""
    seen = replace(before, last_fill_ms=max(before.last_fill_ms, fill.at_ms))
    if fill.kind == "funding":
        return replace(seen, funding=seen.funding - fill.fee), ZERO
    paid = replace(seen, fees=seen.fees + fill.fee)
    if fill.is_stop:
        paid = replace(paid, last_stop_ms=max(paid.last_stop_ms, fill.at_ms))
    if fill.qty == 0:
        return paid, ZERO
    return _move_position(paid, fill)


def book_transfer(before: RunningBooks, transfer: Transfer) -> RunningBooks:
    """The books after *transfer*."""
    newest = max(before.last_transfer_ms, transfer.at_ms)
    return replace(before, transfers=before.transfers + transfer.amount, last_transfer_ms=newest)


def _move_position(books: RunningBooks, fill: Fill) -> tuple[RunningBooks, Decimal]:
    old = books.position(fill.symbol)
    new, realised = apply_fill(old, fill.side, fill.qty, fill.price)
    moved = replace(
        books, realised=books.realised + realised, position_qty=new.qty, avg_entry_price=new.avg_entry_price
    )
    closes = old.qty != 0 and (old.qty > 0) != (fill.side == "buy")
    return (_closed(moved, old, realised - fill.fee, fill.at_ms) if closes else moved), realised


def _closed(books: RunningBooks, old: Position, result: Decimal, at_ms: int) -> RunningBooks:
    total = books.round_result + result
    if books.position_qty != 0 and (books.position_qty > 0) == (old.qty > 0):
        return replace(books, round_result=total)
    streak = _streak(books.streak_on(at_ms), total)
    return replace(books, round_result=ZERO, loss_streak=streak, last_round_ms=at_ms)


def _streak(before: int, result: Decimal) -> int:
    if result == 0:
        return before
    return before + 1 if result < 0 else 0
