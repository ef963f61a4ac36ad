"""
What an account has at stake over all its symbols, and whether one more entry fits beside that. Pure.

A position counts at its entry price; an entry that is planned, or that may still fill, counts in full at the dearer of
limit and reference price. In one symbol the larger of the two counts: entries begin flat. The ceiling of positions and
the margin are over every symbol; the exposure is over the positions of one direction, which the market moves together
(`Limits.correlation`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.account import Limits
from lib.domain.order import TERMINAL, Order
from lib.domain.position import ZERO, Side
from lib.domain.reason import NOTHING, Reason


@dataclass(frozen=True, slots=True)
class Stake:
    """What stands in *symbol*: signed *notional* and its *margin*, USDT. *is_held* False = by an entry on its way."""

    symbol: str
    notional: Decimal
    margin: Decimal
    is_held: bool = True


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most an account may have at stake: *positions*, *exposure* in one direction and *margin* in USDT."""

    positions: int
    exposure: Decimal
    margin: Decimal
    correlation: Decimal


def held_stake(symbol: str, qty: Decimal, average: Decimal, leverage: int) -> Stake:
    """Of a booked position; *leverage* is its entry's, 0 = not known: then all of it counts as margin."""
    return Stake(symbol, qty * average, abs(qty) * average / max(leverage, 1))


def coming_stake(order: Order) -> Stake | None:
    """Of an entry that may still fill; None for any other order. One that is not sized yet has its place alone."""
    if not order.is_entry or order.state in TERMINAL:
        return None
    notional = (order.qty or ZERO) * max(order.limit_price, order.ref_price)
    signed = notional if order.side == "buy" else -notional
    return Stake(order.symbol, signed, notional / max(order.leverage, 1), is_held=False)


def ceiling_of(limits: Limits, equity: Decimal, available: Decimal, others: Iterable[Stake]) -> Ceiling:
    """
    The ceiling of an account with *equity*, of which *available* is no position's margin; *others* are its stakes in
    other symbols.
    """
    held = sum((one.margin for one in others if one.is_held), ZERO)
    free = min(available + held, max(equity, available))
    return Ceiling(limits.max_positions, limits.max_exposure * equity, limits.max_margin * free, limits.correlation)


def places(others: Iterable[Stake]) -> int:
    """In how many symbols something is at stake."""
    return len({one.symbol for one in others})


def exposed(others: Iterable[Stake], side: Side, correlation: Decimal) -> Decimal:
    """How much of *others* counts beside an entry of *side*, USDT."""
    sign = 1 if side == "buy" else -1
    return _largest((one.symbol, max(one.notional * sign, ZERO)) for one in others) * correlation


def margins(others: Iterable[Stake]) -> Decimal:
    """The margin of all *others*, USDT."""
    return _largest((one.symbol, one.margin) for one in others)


def _largest(amounts: Iterable[tuple[str, Decimal]]) -> Decimal:
    by_symbol: dict[str, Decimal] = {}
    for symbol, amount in amounts:
        by_symbol[symbol] = max(by_symbol.get(symbol, ZERO), amount)
    return sum(by_symbol.values(), ZERO)


def beyond(ceiling: Ceiling, others: Iterable[Stake], side: Side, notional: Decimal, margin: Decimal) -> Reason:
    """Why an entry of *notional* and *margin* does not fit beside *others*; `NOTHING` when it does."""
    known = tuple(others)
    if places(known) + 1 > ceiling.positions:
        return codes.POSITIONS_FULL(open=places(known), limit=ceiling.positions)
    beside, bound = exposed(known, side, ceiling.correlation), margins(known)
    if (beside and beside + notional > ceiling.exposure) or (bound and bound + margin > ceiling.margin):
        return codes.EXPOSURE_FULL(exposure=beside, limit=ceiling.exposure)
    return NOTHING
