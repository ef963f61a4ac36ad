"""
What the guardian does by rule to a position that is in order: moves of the stop, break-even, time stop, trailing stop.

It looks at fixed moments of every minute, as a timetable does, and does at each what `lib.trading.guardian` does, by
the same functions of the domain. Looks at which nothing can be done are skipped: a pending move and a trailing stop
wait for the next look, a time stop for its time, a break-even for the first minute whose prices go far enough. Repairs,
external changes and calls that are lost do not happen here.
"""

from dataclasses import replace
from decimal import Decimal

from lib.domain.candle import MINUTE_MS
from lib.domain.exit_rules import NO_RULES, ExitRules
from lib.domain.exits import break_even_stop, even_price, is_out_of_time, one_r, trailing_of
from lib.domain.instrument import Instrument
from lib.domain.order import Order, OrderState
from lib.domain.position import ZERO, Position
from lib.domain.reason import NOTHING
from lib.domain.risk import exit_draft
from lib.domain.stops import is_passed, is_tighter, tightest
from lib.evidence.desk import Desk, Sent
from lib.evidence.tape import Tape

_NEVER = 1 << 62


class Watchman:
    """Looks after the positions of one desk, *looks_ms* after each full minute; *rules* are those of its entries."""

    def __init__(
        self, tape: Tape, instrument: Instrument, desk: Desk, rules: ExitRules, looks_ms: tuple[int, ...]
    ) -> None:
        self._tape, self._instrument, self._desk, self._rules = tape, instrument, desk, rules
        self._looks_ms = sorted(looks_ms)
        self._entry: Order | None = None
        self._opened_ms = 0
        self._wanted = ZERO
        """The tightest stop committed for the position."""
        self.due_ms = _NEVER
        """When it looks next, epoch ms."""

    def entered(self, t_ms: int, entry: Sent) -> None:
        """*entry* of T filled: its position is watched from the next look on."""
        self._entry = _row(self._tape.symbol, t_ms, entry, self._rules)
        self._opened_ms = self._desk.fills[-1].at_ms
        self._wanted = entry.draft.stop_loss
        self.due_ms = self._next_after(self._opened_ms) if self._rules != NO_RULES else _NEVER

    def commit(self, stop: Decimal, at_ms: int) -> None:
        """A decision moved the stop to *stop* at *at_ms*: it is put in force at the next look."""
        self._wanted = tightest((self._wanted, stop), is_long=self._desk.position.qty > 0)
        self.due_ms = min(self.due_ms, self._next_after(at_ms))

    def until(self, to_ms: int) -> list[Sent]:
        """Look as often as something is to be done up to *to_ms*; the closes that were sent."""
        sent = []
        while self.due_ms <= to_ms:
            at_ms = self.due_ms
            self._desk.advance(at_ms)
            if (close := self._look(at_ms)) is not None:
                sent.append(close)
            self.due_ms = self._next_due(at_ms)
        return sent

    def _look(self, at_ms: int) -> Sent | None:
        position, entry = self._desk.seen(at_ms), self._entry
        if position.is_flat or entry is None:
            return None
        is_long, standing = position.qty > 0, position.stop_loss
        if even := break_even_stop(entry, position, self._wanted, self._instrument):
            self._wanted = even
        to_move = is_tighter(self._wanted, standing, is_long=is_long)
        if to_move and is_passed(position, self._wanted):
            return self._close(position, at_ms)
        if is_out_of_time(self._rules, self._opened_ms, at_ms):
            return self._close(position, at_ms)
        if to_move:
            return None if self._desk.move_stop(self._wanted, at_ms) else self._close(position, at_ms)
        if not self._desk.trailing and (trail := trailing_of(entry, position, self._instrument)) is not None:
            self._desk.trail(trail.distance, trail.active, at_ms)
        return None

    def _close(self, position: Position, at_ms: int) -> Sent:
        return self._desk.send(exit_draft(position, position.mark, leg="g"), at_ms)

    # --- when to look -------------------------------------------------------------------------------------------------

    def _next_after(self, at_ms: int) -> int:
        """The first look after *at_ms*."""
        minute = at_ms - at_ms % MINUTE_MS
        looks = [minute + look for look in self._looks_ms] + [minute + MINUTE_MS + self._looks_ms[0]]
        return next(look for look in looks if look > at_ms)

    def _next_due(self, at_ms: int) -> int:
        """The first look after *at_ms* at which something may be to do."""
        position, rules, following = self._desk.position, self._rules, self._next_after(at_ms)
        if position.is_flat or self._entry is None:
            return _NEVER
        if is_tighter(self._wanted, position.stop_loss, is_long=position.qty > 0):
            return following
        if rules.trail_r and not self._desk.trailing:
            return following
        return max(following, min(self._out_of_time_look(), self._even_look(following)))

    def _out_of_time_look(self) -> int:
        if not self._rules.time_stop_min:
            return _NEVER
        return self._next_after(self._opened_ms + self._rules.time_stop_min * MINUTE_MS - 1)

    def _even_look(self, following: int) -> int:
        """The first look of the first minute that may go far enough for the break-even."""
        entry, position = self._entry, self._desk.position
        if entry is None or not self._rules.break_even_r or not one_r(entry, position):
            return _NEVER
        even, is_long = even_price(entry, position, self._instrument), position.qty > 0
        if not is_tighter(even, self._wanted, is_long=is_long):
            return _NEVER
        least = max(self._rules.break_even_r * one_r(entry, position), 2 * abs(even - entry.avg_price))
        level = entry.avg_price + least if is_long else entry.avg_price - least
        start = self._tape.index(following - following % MINUTE_MS)
        index = self._tape.first_reach(start, *((None, level) if is_long else (level, None)))
        return self._next_after(self._tape.opens[index] - 1) if index < len(self._tape) else _NEVER


def _row(symbol: str, t_ms: int, entry: Sent, rules: ExitRules) -> Order:
    """*entry* as the ledger's row, of which the rules read prices, fee and themselves."""
    draft = entry.draft
    row = Order(
        id=0,
        account_id=0,
        user_id=0,
        uid="",
        venue="paper",
        symbol=symbol,
        t_ms=t_ms,
        leg="e",
        seq=0,
        order_link_id="",
        state=OrderState.FILLED,
        side=draft.side,
        qty=draft.qty,
        limit_price=draft.limit_price,
        ref_price=draft.ref_price,
        stop_loss=draft.stop_loss,
        take_profit=draft.take_profit,
        leverage=draft.leverage,
        reduce_only=False,
        key_version=0,
        settings_version=0,
        why=NOTHING,
        exits=rules,
    )
    return replace(row, filled_qty=entry.filled, avg_price=entry.price, fee=entry.fee)
