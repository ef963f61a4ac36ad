"""
The running books of one account: what an execution or a transfer does to the books, and the balance they give.

Position and round trip are a symbol's, cash and everything that is counted is the account's over all its symbols.

balance = start + realised - fees + funding + transfers holds after every booking, exactly. The peak moves with deposits
and withdrawals, so that neither is a gain or a fall. A round trip ends when the booked position returns to zero or
changes sign; its result is the profit its closing fills realised less their own fees. Pure; equity over time is
`lib.domain.equity`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal

from lib.domain.day import utc_day
from lib.domain.position import ZERO, Position, Side, apply_fill

FillKind = Literal["trade", "funding", "liquidation", "adl", "other"]
TransferKind = Literal["deposit", "withdrawal", "transfer", "bonus", "other"]


USDT = "USDT"
TRADING = "trading"
"""The name of a charge for the trade itself; a tax has the venue's name (GST, VAT)."""


@dataclass(frozen=True, slots=True)
class Charge:
    """
    One part of what an execution cost: *amount* of *coin* (negative = received).

    *worth* is that amount in USDT by the rate the venue named with the charge, None without a rate. *worth* is only
    shown: only USDT leaves the USDT balance.
    """

    kind: str
    coin: str
    amount: Decimal
    worth: Decimal | None


def summed(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """*charges* of one kind and coin summed into one, in the order they first came; *worth* where all have one."""
    sums: dict[tuple[str, str], Charge] = {}
    for one in charges:
        known = sums.get((one.kind, one.coin))
        sums[one.kind, one.coin] = one if known is None else _added(known, one)
    return tuple(sums.values())


def _added(first: Charge, second: Charge) -> Charge:
    unknown = first.worth is None or second.worth is None
    worth = None if unknown else (first.worth or ZERO) + (second.worth or ZERO)
    return replace(first, amount=first.amount + second.amount, worth=worth)


@dataclass(frozen=True, slots=True)
class Fill:
    """
    One execution. *fee* is the USDT it took from the balance (negative = gave), taxes in USDT included; a funding row
    moves no quantity. *charges* name every cost besides a trading fee in USDT: taxes, and fees paid in another coin.
    """

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
    """Whether a protective stop or a liquidation made the fill (stopOrderType StopLoss, BustTrade)."""
    at_ms: int
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """USDT paid in (positive *amount*) or out without a trade. *transfer_id*: the venue's, unique per account."""

    transfer_id: str
    kind: TransferKind
    amount: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The exchange's wallet at one T, beside the balance of our books (*difference* = wallet balance - books)."""

    account_id: int
    t_ms: int
    balance: Decimal
    equity: Decimal
    difference: Decimal


def balance(start: Decimal, realised: Decimal, fees: Decimal, funding: Decimal, transfers: Decimal) -> Decimal:
    """Cash by the books, USDT: the only place that adds the balance up."""
    return start + realised - fees + funding + transfers


def paid_in(start: Decimal, transfers: Decimal) -> Decimal:
    """Deposits less withdrawals of the owner, USDT: a balance above this sum is profit, below is loss."""
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
    """T of the newest equity point: executions and transfers before that T were looked for then."""

    @property
    def balance(self) -> Decimal:
        return balance(self.start, self.realised, self.fees, self.funding, self.transfers)


OF_SYMBOL = ("position_qty", "avg_entry_price", "round_result", "last_fill_ms")
"""The fields of `RunningBooks` that are one symbol's; the others are the whole account's."""


@dataclass(frozen=True, slots=True)
class RunningBooks:
    """
    The running books of an account, seen on one of its symbols (`OF_SYMBOL`). Money in USDT, times in epoch ms;
    *funding* is positive when received,
    *peak_equity* the highest equity so far, moved by every transfer since. *difference* is the exchange's wallet less
    these books when the wallet was read at *checked_ms*, less the part that was explained since. A round trip whose
    result is 0 is neither won nor lost.
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
    difference: Decimal = ZERO
    checked_ms: int = 0
    rounds_won: int = 0
    rounds_lost: int = 0

    @property
    def balance(self) -> Decimal:
        """Cash by the books."""
        return balance(self.start_balance, self.realised, self.fees, self.funding, self.transfers)

    @property
    def of_symbol(self) -> dict[str, Any]:
        """What of it is the symbol's."""
        return {name: getattr(self, name) for name in OF_SYMBOL}

    @property
    def of_account(self) -> dict[str, Any]:
        """What of it is the account's, over all its symbols."""
        return {name: getattr(self, name) for name in _OF_ACCOUNT}

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
            self.checked_ms,
        )

    def streak_on(self, at_ms: int) -> int:
        """Losing round trips in a row on the UTC day of *at_ms*: a new day begins a new count."""
        return self.loss_streak if utc_day(self.last_round_ms) == utc_day(at_ms) else 0


_OF_ACCOUNT = tuple(field.name for field in fields(RunningBooks) if field.name not in OF_SYMBOL)


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
    return replace(
        books,
        round_result=ZERO,
        loss_streak=_streak(books.streak_on(at_ms), total),
        last_round_ms=at_ms,
        rounds_won=books.rounds_won + (total > 0),
        rounds_lost=books.rounds_lost + (total < 0),
    )


def _streak(before: int, result: Decimal) -> int:
    if result == 0:
        return before
    return before + 1 if result < 0 else 0
