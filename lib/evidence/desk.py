"""
One account's position in one symbol at a simulated venue, carried from event to event.

Only these can matter between two requests: the stops, the target, the liquidation, a funding time. The first minute
that reaches one of them is found by the tape; inside it the prints are walked second by second, in the simulator's
order: liquidation before the stop, the stop before the target, a target only when no later print of its minute reaches
the stop. Money is what the domain's functions say of each fill, in Decimal; cash equals the simulator's to the last
decimal. Requests come in the order of time. A trailing stop moves
with the prints it is told of. Orders of others, partial stops, cross margin and faults are not replayed.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib.domain.books import Fill, FillKind, RunningBooks, book_fill
from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import EngineConfig, crosses, market_bound, takeover_price, taker_price
from lib.domain.funding import FUNDING_MS, funding_rate
from lib.domain.instrument import Instrument
from lib.domain.margin import bankruptcy_price, initial_margin, liquidation_price, order_cost
from lib.domain.order import OrderDraft, OrderState
from lib.domain.position import AVERAGE_STEP, ZERO, Position, Side, apply_fill, unrealised_pnl
from lib.domain.price_path import Path
from lib.domain.stops import tightest
from lib.evidence.tape import Tape

_NEVER = 1 << 62
"""A time after all candles, epoch ms."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that was sent at *at_ms*, as it ended. *filled* and *fee* are sums, *price* the average."""

    draft: OrderDraft
    at_ms: int
    state: OrderState
    filled: Decimal = ZERO
    price: Decimal = ZERO
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Terms:
    """What a desk trades on: the symbol's rules and the venue's."""

    instrument: Instrument
    config: EngineConfig = field(default_factory=EngineConfig)


class Desk:
    """A flat account that begins with *start* USDT at *at_ms*; *fills* are its executions, oldest first."""

    def __init__(self, tape: Tape, terms: Terms, start: Decimal, at_ms: int) -> None:
        self._tape, self._instrument, self._config = tape, terms.instrument, terms.config
        self.books = RunningBooks(start_balance=start, opened_ms=at_ms)
        self.balance = start
        self.position = Position(tape.symbol, leverage=terms.config.default_leverage)
        self.fills: list[Fill] = []
        self._now = at_ms
        self._edge = ZERO
        """The price of liquidation."""
        self._levels: tuple[Decimal | None, Decimal | None] = (None, None)
        self.trailing = ZERO
        """How far behind the best price the venue's trailing stop stays; 0 = none."""
        self._trail_from = self._trail_at = ZERO
        """The price from which on it follows (0 = it does), and where it triggers then."""
        self._reached_ms = 0
        """The minute (its open) that reaches one of the levels."""
        self._wakes_ms = _NEVER
        """Before this time nothing can happen by itself."""

    # --- reading ------------------------------------------------------------------------------------------------------

    def equity(self, at_ms: int) -> Decimal:
        """Cash and open profit at *at_ms*, to which the desk was advanced, USDT."""
        if not self.position.qty:
            return self.balance
        return self.balance + unrealised_pnl(self.position, self._tape.mark(at_ms))

    def available(self) -> Decimal:
        """Cash that is no position's margin, as the venue tells it: to ten decimals."""
        return self.balance - initial_margin(self.position, self._config.taker_fee).quantize(AVERAGE_STEP)

    def seen(self, at_ms: int) -> Position:
        """An open position with the mark price and the price of liquidation, as the venue tells them."""
        if not self.position.qty:
            return self.position
        edge = self._instrument.round_price(self._edge)
        return replace(self.position, mark=self._tape.mark(at_ms), liquidation=edge)

    # --- requests -----------------------------------------------------------------------------------------------------

    def send(self, draft: OrderDraft, at_ms: int) -> Sent:
        """Place *draft* at *at_ms* and match it once, the venue's delay later, as an order that never rests."""
        self.advance(at_ms)
        if draft.qty is None:
            raise ValueError("an order is sized before it is sent")
        last = self._tape.price(at_ms)
        if last is None or not self._is_accepted(draft, draft.qty, last):
            return Sent(draft, at_ms, OrderState.REJECTED)
        limit = draft.limit_price or market_bound(self._instrument, self._config, draft.side, last)
        self.advance(at_ms + self._config.match_delay_ms)
        return self._matched(draft, draft.qty, at_ms, limit)

    def _is_accepted(self, draft: OrderDraft, qty: Decimal, last: Decimal) -> bool:
        """Whether the venue takes *draft*: there is something to close, or the balance and the risk limit bear it."""
        if draft.reduce_only:
            return self._closes(draft)
        if not self.position.qty:
            self.position = replace(self.position, leverage=Decimal(draft.leverage))
        price = draft.limit_price if draft.side == "buy" else max(draft.limit_price, last)
        return qty * price <= self._config.risk_limit and self._bears(qty, price)

    def _closes(self, draft: OrderDraft) -> bool:
        return self.position.qty != 0 and self.position.closing_side == draft.side

    def _bears(self, qty: Decimal, price: Decimal) -> bool:
        cost = order_cost(qty, price, self.position.leverage, self._config.taker_fee)
        return cost <= self.balance - initial_margin(self.position, self._config.taker_fee)

    def _matched(self, draft: OrderDraft, qty: Decimal, at_ms: int, limit: Decimal) -> Sent:
        """The one try to fill it, now: what is left afterwards is cancelled."""
        last = self._tape.price(self._now)
        if last is None:
            return Sent(draft, at_ms, OrderState.CANCELLED)
        price = taker_price(self._instrument, self._config, draft.side, last, limit)
        if draft.reduce_only and not self._closes(draft):
            return Sent(draft, at_ms, OrderState.CANCELLED)
        if not draft.reduce_only and not self._bears(qty, price):
            return Sent(draft, at_ms, OrderState.REJECTED)
        if not crosses(self._instrument, self._config, draft.side, last, limit):
            return Sent(draft, at_ms, OrderState.CANCELLED)
        wanted = min(qty, abs(self.position.qty)) if draft.reduce_only else qty
        filled = wanted if self._config.liquidity is None else min(wanted, self._config.liquidity)
        fee = self._fill(draft.side, filled, price)
        self._now_protected(draft)
        return Sent(draft, at_ms, OrderState.FILLED if filled >= wanted else OrderState.PARTIAL, filled, price, fee)

    def _now_protected(self, draft: OrderDraft) -> None:
        if draft.reduce_only:
            self._watch()
        else:
            self.protect(draft.stop_loss, draft.take_profit)

    def protect(self, stop: Decimal, target: Decimal) -> None:
        """The position's stop and target from now on, in USDT; 0 = none."""
        self.position = replace(self.position, stop_loss=stop, take_profit=target)
        self._watch()

    def move_stop(self, stop: Decimal, at_ms: int) -> bool:
        """Move the stop to *stop* at *at_ms*; False where the venue refuses: the price has passed it, or the target."""
        if self._is_passed(stop, at_ms):
            return False
        self.protect(stop, self.position.take_profit)
        return True

    def _is_passed(self, stop: Decimal, at_ms: int) -> bool:
        """Whether the price is beyond *stop* or the target, which may wait for a stop that comes first."""
        mark, sign, target = self._tape.mark(at_ms), 1 if self.position.qty > 0 else -1, self.position.take_profit
        return (mark - stop) * sign <= 0 or (target > 0 and (mark - target) * sign >= 0)

    def trail(self, distance: Decimal, active: Decimal, at_ms: int) -> None:
        """
        Set the venue's trailing stop at *at_ms*: it follows the best price at *distance*, from *active* on. Nothing
        happens where the venue refuses.
        """
        if self._is_passed(self.position.stop_loss, at_ms):
            return
        mark = self._tape.mark(at_ms)
        self.trailing, self._trail_from = distance, active
        self._trail_at = mark - distance if self.position.qty > 0 else mark + distance
        self._watch()

    # --- time ---------------------------------------------------------------------------------------------------------

    def advance(self, to_ms: int) -> None:
        """Let everything happen that happens up to and with *to_ms*."""
        while self._wakes_ms <= to_ms:
            self._live_minute(self._wakes_ms - self._wakes_ms % MINUTE_MS, to_ms)
        if to_ms > self._now:
            self._now = to_ms

    def _watch(self) -> None:
        """The position is another one now: find where it meets its stop, its target or its liquidation."""
        self._reached_ms = 0
        if not self.position.qty:
            self._wakes_ms, self.trailing = _NEVER, ZERO
            return
        self._edge = liquidation_price(self.position, self._config.maintenance_rate)
        against, along = [self.position.stop_loss, self._edge], [self.position.take_profit]
        if self.trailing:
            is_long = self.position.qty > 0
            along.append(self._trail_from or self._trail_at + (self.trailing if is_long else -self.trailing))
            against.append(ZERO if self._trail_from else self._trail_at)
        near, far = [price for price in against if price], [price for price in along if price]
        if self.position.qty > 0:
            self._levels = (max(near, default=None), min(far, default=None))
        else:
            self._levels = (max(far, default=None), min(near, default=None))
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Find the next time at which something may happen."""
        soon = self._now + 1
        if self._reached_ms + MINUTE_MS <= soon:
            index = self._tape.first_reach(self._tape.index(soon - MINUTE_MS + 1), *self._levels)
            self._reached_ms = self._tape.opens[index] if index < len(self._tape) else _NEVER
        paid = self._now - self._now % FUNDING_MS + FUNDING_MS
        self._wakes_ms = min(max(self._reached_ms, soon), paid)

    def _live_minute(self, minute: int, to_ms: int) -> None:
        """What happens in *minute* after now, up to and with *to_ms*."""
        index = self._tape.at(minute)
        if index is not None:  # in a hole nothing happens, not even funding
            if self._now < minute and minute % FUNDING_MS == 0:
                self._pay_funding(minute, self._tape.candles[index].open)
            if self._reached_ms <= minute:
                self._walk(minute, to_ms, self._tape.path(index))
        if self.position.qty:
            self._now = min(minute + MINUTE_MS - 1, to_ms)
            if self.trailing:
                self._watch()
            else:
                self._look_ahead()

    def _walk(self, minute: int, to_ms: int, path: Path) -> None:
        for number, (offset, price) in enumerate(path):
            at_ms = minute + offset
            if self._now < at_ms <= to_ms and self._on_print(at_ms, price, path[number + 1 :]):
                return

    def _on_print(self, at_ms: int, price: Decimal, rest: Path) -> bool:
        """Whether the print ended the position."""
        position, sign = self.position, 1 if self.position.qty > 0 else -1
        stop, target = position.stop_loss, position.take_profit
        if (price - self._edge) * sign <= 0:
            taken = takeover_price(self._instrument, position.qty, bankruptcy_price(position))
            self._end(at_ms, taken, "liquidation", is_stop=True)
        elif (stop and (price - stop) * sign <= 0) or (self.trailing and self._is_trailed_out(price, sign)):
            self._leave(at_ms, price, is_stop=True)
        elif target and (price - target) * sign >= 0 and not self._stop_comes_first(rest):
            self._leave(at_ms, price, is_stop=False)
        else:
            return False
        return True

    def _is_trailed_out(self, price: Decimal, sign: int) -> bool:
        """Let the trailing stop begin, or come nearer, with the print *price*; whether the print triggers it."""
        behind = price - sign * self.trailing
        if self._trail_from:
            if (price - self._trail_from) * sign >= 0:
                self._trail_from, self._trail_at = ZERO, behind
            return False
        if (behind - self._trail_at) * sign > 0:
            self._trail_at = behind
        return (price - self._trail_at) * sign <= 0

    def _stop_comes_first(self, rest: Path) -> bool:
        stop, is_long = self.position.stop_loss, self.position.qty > 0
        if self.trailing and not self._trail_from:
            stop = tightest((stop, self._trail_at), is_long=is_long)
        return stop > 0 and any(price <= stop if is_long else price >= stop for _, price in rest)

    def _leave(self, at_ms: int, price: Decimal, *, is_stop: bool) -> None:
        """The stop or the target triggered at the print *price*: out at market."""
        side = self.position.closing_side
        bound = market_bound(self._instrument, self._config, side, price)
        self._end(at_ms, taker_price(self._instrument, self._config, side, price, bound), "trade", is_stop=is_stop)

    def _end(self, at_ms: int, price: Decimal, kind: FillKind, *, is_stop: bool) -> None:
        self._now = at_ms
        self._fill(self.position.closing_side, abs(self.position.qty), price, kind, is_stop=is_stop)
        self._watch()

    def _pay_funding(self, at_ms: int, mark: Decimal) -> None:
        qty = self.position.qty
        rate = funding_rate(self._config, self._tape.symbol, at_ms)
        side: Side = "buy" if qty > 0 else "sell"
        paid = qty * mark * rate
        self._book(Fill("", "", "", self._tape.symbol, side, ZERO, mark, paid, "funding", ZERO, False, at_ms))

    # --- money --------------------------------------------------------------------------------------------------------

    def _fill(
        self, side: Side, qty: Decimal, price: Decimal, kind: FillKind = "trade", *, is_stop: bool = False
    ) -> Decimal:
        """Book a fill of now; its fee."""
        closes = self.position.qty != 0 and self.position.closing_side == side
        closed = min(qty, abs(self.position.qty)) if closes else ZERO
        fee = qty * price * self._config.taker_fee
        self.position, _ = apply_fill(self.position, side, qty, price)
        self._book(Fill("", "", "", self._tape.symbol, side, qty, price, fee, kind, closed, is_stop, self._now))
        return fee

    def _book(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.books, _ = book_fill(self.books, fill)
        self.balance = self.books.balance
