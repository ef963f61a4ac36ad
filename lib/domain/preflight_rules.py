"""
What an acceptance card makes of an answer: pure, a *Reason* each time, and whether the card passed.

Nothing here asks anybody. Figures that decide are constants, so that a card cannot be passed by wanting less.
"""

from dataclasses import dataclass
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.account import Doubt
from lib.domain.api_key import KeyInfo
from lib.domain.exchange_records import OrderRecord
from lib.domain.instrument import Instrument
from lib.domain.modes import MarginMode, mode_problem
from lib.domain.order import MAX_CLOCK_ERROR_MS, Order, OrderState
from lib.domain.position import Position
from lib.domain.reason import NOTHING, Reason
from lib.domain.venues import VenueCapabilities

DAY_MS = 86_400_000
LEAST_KEY_DAYS = 7
MOST_FEE = Decimal("0.001")
"""Taker fees above this share eat what a five-minute strategy can earn."""
CARD_LEVERAGE = 2
ROOM = Decimal("1.02")
"""By how much the smallest order is worth more than the least notional: the price moves on the way."""
COLLAR, STOP, TIGHTER, TARGET, FAR = (Decimal(text) for text in ("0.003", "0.02", "0.01", "0.04", "0.05"))
"""Distances from the price: the limit of an entry, its stop, the stop moved nearer, the target, a resting order."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a card found: whether it passed, and why."""

    passed: bool
    got: Reason


def clock_off(before_ms: int, venue_ms: int, after_ms: int) -> int:
    """By how many ms our clock is off the venue's for certain: what the way of the answer cannot explain."""
    return max(before_ms - venue_ms, 0) or max(venue_ms - after_ms, 0)


def judge_clock(off_ms: int) -> Found:
    """Our clock against the venue's."""
    if off_ms > MAX_CLOCK_ERROR_MS:
        return Found(False, codes.CARD_CLOCK_OFF(off=off_ms, most=MAX_CLOCK_ERROR_MS))
    return Found(True, codes.CARD_CLOCK_AGREES(off=off_ms))


def judge_key(info: KeyInfo, flaw: Reason, venue: VenueCapabilities, now_ms: int) -> Found:
    """A key's rights (*flaw* is what our rule of keys says of them), how long it lasts, and whether it is bound."""
    days = (info.expires_at - now_ms) // DAY_MS
    if flaw:
        return Found(False, flaw)
    if info.expires_at and days < LEAST_KEY_DAYS:
        return Found(False, codes.CARD_KEY_TOO_SHORT(days=days, least=LEAST_KEY_DAYS))
    if venue.has_real_money and not info.bound_ips:
        return Found(False, codes.CARD_KEY_UNBOUND())
    bound = len(info.bound_ips)
    return Found(
        True, codes.CARD_KEY_EXPIRES(bound=bound, days=days) if info.expires_at else codes.CARD_KEY_LASTS(bound=bound)
    )


def judge_margin(margin: MarginMode, venue: VenueCapabilities) -> Found:
    """The account's margin mode; a venue that cannot set it is taken on with cross margin."""
    doubts: tuple[Doubt, ...] = () if venue.offers_everything else ("cross_margin",)
    if problem := mode_problem(margin, one_way=True, doubts=doubts):
        return Found(False, problem)
    return Found(True, codes.CARD_MODES_FIT() if margin == "isolated" else codes.CARD_MODES_TAKEN_ON())


def judge_position_mode(position: Position) -> Found:
    """One-way, or hedged."""
    return Found(True, codes.CARD_ONE_WAY()) if position.one_way else Found(False, codes.HEDGE_MODE())


def smallest_qty(rule: Instrument, price: Decimal) -> Decimal:
    """The smallest quantity the venue takes at *price*, with a little room above its least notional."""
    return rule.ceil_qty(max(rule.min_qty, rule.min_notional * ROOM / price))


def judge_instrument(rule: Instrument, price: Decimal) -> Found:
    """The symbol's rules."""
    if not rule.trading:
        return Found(False, codes.SYMBOL_NOT_TRADING(symbol=rule.symbol))
    qty = smallest_qty(rule, price)
    return Found(True, codes.CARD_FILTERS(qty=qty, value=qty * price, tick=rule.tick_size))


def judge_fee(rate: Decimal, coins: tuple[str, ...]) -> Found:
    """The taker's fee rate; *coins* are those the newest executions were charged in."""
    if rate > MOST_FEE:
        return Found(False, codes.CARD_FEE_HIGH(rate=rate, most=MOST_FEE))
    paid_in = codes.CARD_FEE_PAID_IN(rate=rate, coin=", ".join(coins)) if coins else codes.CARD_FEE_RATE(rate=rate)
    return Found(True, paid_in)


def least_equity(rule: Instrument, price: Decimal) -> Decimal:
    """USDT that the order cards need: the smallest order's margin, a fifth more for fees and the way."""
    return smallest_qty(rule, price) * price / CARD_LEVERAGE * Decimal("1.2")


def judge_equity(available: Decimal, needed: Decimal) -> Found:
    """The account's free balance."""
    if available < needed:
        return Found(False, codes.CARD_EQUITY_LOW(equity=available, least=needed))
    return Found(True, codes.CARD_EQUITY_IS(equity=available))


def judge_quiet(position: Position, open_orders: int) -> Found:
    """Nothing of anybody's stands on the symbol: what the cards trade is all there is."""
    if not position.is_flat or open_orders:
        return Found(False, codes.CARD_NOT_QUIET(symbol=position.symbol))
    return Found(True, codes.CARD_IS_QUIET())


def judge_leverage(position: Position) -> Found:
    """The leverage that was set, as read back."""
    if position.leverage != CARD_LEVERAGE:
        return Found(False, codes.CARD_LEVERAGE_DIFFERS(asked=CARD_LEVERAGE, found=position.leverage))
    return Found(True, codes.CARD_LEVERAGE_IS(leverage=CARD_LEVERAGE))


def unended(record: OrderRecord | None) -> Reason:
    """Why an order of a card did not end filled; `NOTHING` when it did."""
    if record is None or record.state is None:
        return codes.CARD_END_UNKNOWN()
    return NOTHING if record.state is OrderState.FILLED else codes.CARD_NOT_FILLED(state=record.state.value.lower())


def judge_entry(sent: Order, record: OrderRecord, position: Position) -> Found:
    """A filled entry field by field: the record against what was sent, and the position with its stop and target."""
    qty = sent.qty or Decimal(0)
    signed = qty if sent.side == "buy" else -qty
    beyond = record.avg_price > sent.limit_price if sent.side == "buy" else record.avg_price < sent.limit_price
    checks = (
        ("side", record.side == sent.side),
        ("qty", record.qty == qty and record.filled_qty == qty and position.qty == signed),
        ("price", not beyond),
        ("stop_loss", position.stop_loss == sent.stop_loss),
        ("take_profit", position.take_profit == sent.take_profit),
        ("leverage", position.leverage == CARD_LEVERAGE),
    )
    if wrong := [name for name, holds in checks if not holds]:
        return Found(False, codes.CARD_FIELDS_DIFFER(fields=", ".join(wrong)))
    return Found(True, codes.CARD_ENTERED(qty=qty, price=record.avg_price, stop=position.stop_loss))


def judge_twin(before: Position, after: Position, executed: Decimal, qty: Decimal) -> Found:
    """A second order with the id of a filled one: *executed* is what all executions under that id add up to."""
    if after.qty != before.qty or executed != qty:
        return Found(False, codes.CARD_TWIN_TAKEN())
    return Found(True, codes.CARD_TWIN_REFUSED())


def judge_wrong_stop(taken: bool, before: Position, after: Position) -> Found:
    """A stop on the wrong side of the price: refused, and the stop that stood still stands."""
    if taken or after.stop_loss != before.stop_loss or after.qty != before.qty:
        return Found(False, codes.CARD_WRONG_STOP_TAKEN())
    return Found(True, codes.CARD_WRONG_STOP_REFUSED())


def judge_moved_stop(asked: Decimal, position: Position) -> Found:
    """A stop moved toward the price, as read back."""
    if position.stop_loss != asked:
        return Found(False, codes.CARD_STOP_STAYED(asked=asked, found=position.stop_loss))
    return Found(True, codes.CARD_STOP_STANDS(stop=asked))


def judge_close(record: OrderRecord, position: Position, open_orders: int) -> Found:
    """A reduce-only close: flat, and stop and target gone with the position."""
    if not position.is_flat or open_orders:
        return Found(False, codes.CARD_NOT_CLOSED(qty=position.qty, symbol=position.symbol))
    return Found(True, codes.CARD_CLOSED(qty=record.filled_qty, price=record.avg_price))


def judge_cancel(rested: bool, record: OrderRecord | None, position: Position) -> Found:
    """An order that rested and was cancelled, without a fill."""
    ended = record is not None and record.state is OrderState.CANCELLED
    if not rested or not ended or not position.is_flat:
        return Found(False, codes.CARD_NOT_CANCELLED())
    return Found(True, codes.CARD_CANCELLED())
