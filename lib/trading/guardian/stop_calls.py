"""
Calls for a stop: put back where one was lost, moved nearer to the price where a decision said so.

Which price is called is the ledger's to say, in the same breath: the tightest of the entry's stop and of every
committed move, and none beside a call that may still arrive (`lib.domain.stops`). A call is signed with the time at
which the venue told of the position before the ledger was asked, so that a process that was held up in between can no
longer be heard. With the database away only a stop that is gone is put back, as the tightest this process knows.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from lib import log
from lib.domain.errors import Retry
from lib.domain.events import of_repair
from lib.domain.order import Order
from lib.domain.position import ZERO, Position
from lib.domain.stops import IN_FLIGHT_MS, committed, is_never_reached, is_passed, is_tighter, waits
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.guardian.rules import GuardedPosition, wanted_target

LOG = log.get("trading.guardian")
TRIES = 3
Placed = Literal["stands", "waits", "passed", "refused", "lost"]
"""*waits* = another call may still arrive; *lost* = nothing is known of ours."""


class StopCalls:
    """The calls for stops of one account that this process made; *moved* = a move may have to be put in force."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.entry: Order | None = None
        self.moved = self.told = False
        self._last: tuple[Decimal, int] = (ZERO, 0)

    async def put(
        self, context: TradingContext, exchange: Exchange, position: Position, guarded: GuardedPosition, *, lost: bool
    ) -> Placed:
        """Put the wanted stop in force; *lost* = the standing stop is none that may stand."""
        placed: Placed = "lost"
        for again in range(TRIES):
            try:
                if again:
                    position = await exchange.position(position.symbol)
                    if lost and _is_back(position, guarded):
                        placed = "stands"
                        break
                placed, position = await self._tried(context, exchange, position, guarded, lost=lost)
            except Retry as busy:
                LOG.warning("guardian.repair_failed", why=str(busy))
                placed = "lost"
            if placed not in ("lost", "refused"):
                break
        if placed == "stands":
            LOG.warning("guardian.repaired" if lost else "guardian.tightened", stop=str(position.stop_loss))
            if lost and not position.is_flat:
                await _tell_repaired(context, self.account_id, position, guarded.t_ms)
        return placed

    async def _tried(
        self, context: TradingContext, exchange: Exchange, position: Position, guarded: GuardedPosition, *, lost: bool
    ) -> tuple[Placed, Position]:
        """One call at most, and the position as it is then."""
        if position.is_flat:
            return "stands", position
        price = await self._claimed(context, position, guarded, lost=lost)
        if not price:
            return "waits", position
        if is_passed(position, price):
            return "passed", position
        self._last = price, position.seen_at
        target = wanted_target(position, guarded)
        is_taken = await exchange.set_trading_stop(position.symbol, price, target, position.seen_at)
        after = await exchange.position(position.symbol)
        if after.is_flat or after.stop_loss == price:
            return "stands", after
        return "lost" if is_taken else "refused", after

    async def _claimed(
        self, context: TradingContext, position: Position, guarded: GuardedPosition, *, lost: bool
    ) -> Decimal:
        """The price to call for now; 0 = none now."""
        standing = ZERO if lost else position.stop_loss
        price = guarded.wanted
        if self.entry is not None:
            try:
                price = await context.orders.claim_stop(self.entry, guarded.wanted, standing, position.seen_at)
            except Retry as busy:
                LOG.warning("guardian.stop_unclaimed", why=str(busy))
                if not lost:
                    return ZERO
        flying, at_ms = self._last
        if price not in (ZERO, flying) and position.seen_at <= at_ms + IN_FLIGHT_MS:
            return flying if lost else ZERO  # of a call that the ledger was not there to keep
        return price

    async def settle(self, context: TradingContext, position: Position) -> None:
        """Write down that a move was read back from the position; a ledger that is away is told by the next look."""
        if self.entry is None:
            return
        try:
            self.moved = await context.orders.settle_stops(self.entry, position.stop_loss, position.seen_at)
        except Retry as busy:
            LOG.warning("guardian.stop_unsettled", why=str(busy))

    def hear(self) -> bool:
        """The ledger told that a move of the account is to be put in force; whether that was not known."""
        is_news, self.moved, self.told = not self.moved, True, True
        return is_news

    def forget(self) -> None:
        """The position ended."""
        self.entry, self._last = None, (ZERO, 0)


def _is_back(position: Position, guarded: GuardedPosition) -> bool:
    """Whether a stop that was gone stands again, as near to the price as this process knows: another put it there."""
    stop = position.stop_loss
    is_near = not is_tighter(guarded.wanted, stop, is_long=position.qty > 0)
    return bool(stop) and is_near and not is_never_reached(position, stop)


async def with_moves(context: TradingContext, calls: StopCalls, guarded: GuardedPosition) -> GuardedPosition:
    """*guarded* with the moves of its stop that are committed by now. *Retry* when the ledger does not answer."""
    entry = calls.entry
    if entry is None or not guarded.stop_loss:
        return guarded
    moves = await context.orders.stop_moves(entry)
    calls.moved = waits(entry, moves)
    if calls.told and not calls.moved:
        await context.orders.settle_stops(entry, ZERO, guarded.t_ms)  # it was of an entry whose position ended
    calls.told = False
    stop = committed(entry, moves)
    return replace(guarded, committed=stop, moved_to=stop if calls.moved else ZERO)


async def _tell_repaired(context: TradingContext, account_id: int, position: Position, entry_ms: int) -> None:
    """Tell the owner that a lost stop stands again; a database that is away keeps nobody from guarding."""
    now = context.clock.now_ms()
    try:
        event = of_repair(account_id, position.symbol, position.stop_loss, entry_ms, now)
        await context.notifier.notice(account_id, event)
    except Retry as busy:
        LOG.warning("guardian.untold", why=str(busy))
