"""
The running books of one account: what an execution or a transfer does to them, and the balance they say.

balance = start + realised - fees + funding + transfers holds after every one, exactly. The peak moves with what is paid
in and out, so that neither is a gain or a fall. A round trip ends when the booked position returns to zero or changes
sign; its result is what its closing fills realised less their own fees. Pure; what equity means over time is `equity`.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.domain.day import utc_day
from lib.domain.position import ZERO, Position, Side, apply_fill

FillKind = Literal["trade", "funding", "liquidation", "adl", "other"]
TransferKind = Literal["deposit", "withdrawal", "transfer", "bonus", "other"]


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. *fee* is what it cost in USDT (negative = received); a funding row moves no quantity."""

    exec_id: str
    order_id: str
    order_link_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    kind: FillKind
    closed_qty: Decimal
    is_stop: bool
    """Whether a protective stop or a liquidation made it (stopOrderType StopLoss, BustTrade)."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """USDT that came (positive *amount*) or went without a trade. *transfer_id*: the venue's, unique per account."""

    transfer_id: str
    kind: TransferKind
    amount: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The exchange's wallet at one T, beside our books' idea of the balance (*difference* = balance - books)."""

    account_id: int
    t_ms: int
    balance: Decimal
    equity: Decimal
    difference: Decimal


def balance(start: Decimal, realised: Decimal, fees: Decimal, funding: Decimal, transfers: Decimal) -> Decimal:
    """Cash by the books, USDT: the only place that adds it up."""
    return start + realised - fees + funding + transfers


def paid_in(start: Decimal, transfers: Decimal) -> Decimal:
    """What an owner put in, less what was taken out, USDT: above it is profit, below it loss."""
    return start + transfers


@dataclass(frozen=True, slots=True)
class Books:
    """The books as the ledger tells them: sums of the exchange's executions and transfers."""

    start: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    position: Position
    opened_ms: int
    last_fill_ms: int
    transfers: Decimal = ZERO
    last_transfer_ms: int = 0
    checked_ms: int = 0
    """T of the newest equity point: what happened before it was looked for then."""

    @property
    def balance(self) -> Decimal:
        return balance(self.start, self.realised, self.fees, self.funding, self.transfers)


@dataclass(frozen=True, slots=True)
class RunningBooks:
    """
    The running columns of an account. Money in USDT, times in epoch ms; *funding* is positive when received,
    *peak_equity* the highest equity so far, moved by every transfer since.
    """

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
    peak_equity: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """Cash by the books."""
        return balance(self.start_balance, self.realised, self.fees, self.funding, self.transfers)

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
    return replace(
        before,
        transfers=before.transfers + transfer.amount,
        last_transfer_ms=max(before.last_transfer_ms, transfer.at_ms),
        peak_equity=before.peak_equity + transfer.amount,
    )


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
