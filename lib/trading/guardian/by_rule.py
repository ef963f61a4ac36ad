"""
Exits by the rules of the entry's strategy version: break-even, time stop, and the venue's own trailing stop.

A break-even is a move as a decision's is: committed in the ledger, then put in force by `stop_calls`. A trailing stop
is set after the fill and again whenever it is gone; what it had reached is first committed as a move, so that nothing
is lost with it. Its call names neither stop nor target, and is signed with the time of the look it was judged by. A
rule that cannot be followed now waits for the next look: the fixed stop stands meanwhile.
"""

from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Halt, Retry
from lib.domain.events import of_move
from lib.domain.exit_rules import NO_RULES
from lib.domain.exits import BREAK_EVEN_MS, break_even_stop, is_out_of_time, trailed_to, trailing_of
from lib.domain.order import Order
from lib.domain.position import ZERO, Position
from lib.domain.reason import NOTHING, Reason
from lib.domain.stops import IN_FLIGHT_MS, is_tighter
from lib.domain.venues import CAPABILITIES
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.guardian.rules import GuardedPosition
from lib.trading.guardian.stop_calls import StopCalls, with_moves

LOG = log.get("trading.guardian")


class RuleExits:
    """What this process remembers of the rules of one position."""

    def __init__(self) -> None:
        self._begin("")

    def _begin(self, link: str) -> None:
        self._link = link
        self._opened_ms = 0
        self._best = ZERO
        self._trailed = False
        """Whether the venue's trailing stop was seen to stand."""
        self._called_ms = 0

    async def moved(
        self,
        context: TradingContext,
        account: TraderAccount,
        stops: StopCalls,
        position: Position,
        guarded: GuardedPosition,
    ) -> GuardedPosition:
        """*guarded*, with the move of its stop that a rule asks for now."""
        entry = self._entry(stops, guarded)
        if entry is None:
            return guarded
        self._see(entry, position)
        try:
            stop, why, t_ms = await self._wanted(context, account, entry, (position, guarded))
            if not stop:
                return guarded
            await context.orders.move_stop(entry, t_ms, stop)
            stops.moved = True
            LOG.info("guardian.moved_by_rule", stop=str(stop), why=why)
            await context.notifier.notice(account.account_id, of_move(entry, why))
            return await with_moves(context, stops, guarded)
        except (Retry, Halt) as busy:
            LOG.warning("guardian.rule_waits", why=str(busy))
            return guarded

    async def _wanted(
        self, context: TradingContext, account: TraderAccount, entry: Order, found: tuple[Position, GuardedPosition]
    ) -> tuple[Decimal, Reason, int]:
        """The stop that a rule asks for (0 = none), why, and the time its move is kept under."""
        position, guarded = found
        instrument = await context.market.instrument(account.venue, position.symbol)
        if stop := break_even_stop(entry, position, guarded.wanted, instrument):
            return stop, codes.STOP_AT_BREAK_EVEN(symbol=position.symbol, stop=stop), entry.t_ms + BREAK_EVEN_MS
        reached = trailed_to(entry, position, self._best, instrument)
        is_lost = self._trailed and not position.trailing
        if is_lost and is_tighter(reached, guarded.wanted, is_long=position.qty > 0):
            why = codes.STOP_KEPT_WHERE_TRAILED(symbol=position.symbol, stop=reached)
            return reached, why, position.seen_at
        return ZERO, NOTHING, 0

    async def time_is_over(
        self, exchange: Exchange, stops: StopCalls, found: tuple[Position, GuardedPosition]
    ) -> Reason:
        """Why the position is to be closed now; `NOTHING` when its time is not over."""
        position, guarded = found
        entry = self._entry(stops, guarded)
        if entry is None or not entry.exits.time_stop_min:
            return NOTHING
        opened_ms = await self._opened(exchange, entry)
        is_over = is_out_of_time(entry.exits, opened_ms, position.seen_at)
        return codes.HELD_TO_TIME_STOP(minutes=entry.exits.time_stop_min) if is_over else NOTHING

    async def _opened(self, exchange: Exchange, entry: Order) -> int:
        """When *entry* filled first, by the venue; 0 = it does not say so now."""
        if not self._opened_ms:
            try:
                fills = await exchange.fills_since(entry.symbol, entry.t_ms)
            except Retry as busy:
                LOG.warning("guardian.rule_waits", why=str(busy))
                return 0
            mine = [fill.at_ms for fill in fills if fill.order_link_id == entry.order_link_id]
            self._opened_ms = min(mine, default=0)
        return self._opened_ms

    async def trail(
        self,
        context: TradingContext,
        account: TraderAccount,
        exchange: Exchange,
        stops: StopCalls,
        found: tuple[Position, GuardedPosition],
    ) -> None:
        """Set the venue's trailing stop where the rules ask for one and none stands; never while a call may arrive."""
        position, guarded = found
        entry = self._entry(stops, guarded)
        if entry is None or not entry.exits.trail_r or not CAPABILITIES[account.venue].has_trailing_stop:
            return
        if position.trailing or position.seen_at <= self._called_ms + IN_FLIGHT_MS:
            return
        try:
            instrument = await context.market.instrument(account.venue, position.symbol)
            wanted = trailing_of(entry, position, instrument)
            if wanted is None:
                return
            self._called_ms = position.seen_at
            signed_ms = position.seen_at
            is_taken = await exchange.set_trailing_stop(position.symbol, wanted.distance, wanted.active, signed_ms)
            LOG.info("guardian.trailing", distance=str(wanted.distance), active=str(wanted.active), taken=is_taken)
        except (Retry, Halt) as busy:
            LOG.warning("guardian.rule_waits", why=str(busy))

    def _entry(self, stops: StopCalls, guarded: GuardedPosition) -> Order | None:
        """The entry whose rules are judged; None when it has none, or is not known to have made the position."""
        entry = stops.entry
        return entry if entry is not None and entry.exits != NO_RULES and entry.t_ms == guarded.t_ms else None

    def _see(self, entry: Order, position: Position) -> None:
        if entry.order_link_id != self._link:
            self._begin(entry.order_link_id)  # nothing of another position counts
        mark = position.mark
        if mark and is_tighter(mark, self._best, is_long=position.qty > 0):
            self._best = mark
        self._trailed = self._trailed or position.trailing > 0
