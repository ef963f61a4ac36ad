"""
L3 on one account in one symbol: our working orders are cancelled and our part is closed, until no part of ours is left.

A close is a reduce-only market order with its own row (leg "f") through the same claim, send and resolve as every other
exit, sized from a position read in the same task, never more than our part and never beside another exit in flight.
It works with trading off, auto-trading off or the owner deleted. A part that others added to the position stays theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry, Skip
from lib.domain.events import Event, EventKind
from lib.domain.order import Order, OrderState, link_prefix
from lib.domain.position import Position
from lib.domain.reason import NOTHING, Reason
from lib.ports.exchange import Exchange
from lib.trading.context import OrderContext, TradingContext
from lib.trading.orders.books import import_fills, own_quantity
from lib.trading.orders.close import close_ours, our_part

LOG = log.get("trading.flatten")
PATIENCE_MS = 6_000
"""How long a cycle at work on the account may finish; a cycle that waits for its analyst longer is not waited for."""
LATE_MS = 60_000
"""An account that is not flat after this long is alerted, and again every five minutes."""
CALL_AGAIN_MS = 300_000
SHORTEST_MS = 2_000
LONGEST_MS = 15_000
"""Between two closes of one account: an account has 36 order ids of a leg in five minutes."""
ROUNDS = 3
"""Closes in one step: a position above the venue's largest market order takes several."""


@dataclass(slots=True)
class Effort:
    """The closing of one account in one symbol, on the steady clock. *why* it is not flat yet."""

    began_ms: int
    tries: int = 0
    again_ms: int = 0
    called_ms: int = 0
    why: Reason = NOTHING


@dataclass(slots=True)
class Flattener:
    """
    Closes accounts step by step, each symbol by itself; remembers between the steps only when to try again and which
    alerts were sent.
    """

    context: TradingContext
    efforts: dict[Slot, Effort] = field(default_factory=dict)

    def keep(self, slots: Iterable[Slot]) -> None:
        """Forget every effort but those in *slots*."""
        wanted = set(slots)
        self.efforts = {slot: effort for slot, effort in self.efforts.items() if slot in wanted}

    async def step(self, account: TraderAccount) -> int | None:
        """One step; the venue's time (epoch ms) at which no part of ours was left, None while one may be."""
        effort = self.efforts.setdefault(account.slot, Effort(self.context.steady.now_ms()))
        try:
            seen_at = await self._in_turn(account, effort)
        except (Retry, Skip, Pause) as held:
            effort.why, seen_at = held.why, None
            LOG.warning("flatten.waits", account=account.account_id, why=str(held))
        if seen_at is None:
            await self._call_somebody(account, effort)
        return seen_at

    async def _in_turn(self, account: TraderAccount, effort: Effort) -> int | None:
        turn = self.context.state.turn(account.slot)
        if turn.locked():
            if self.context.steady.now_ms() - effort.began_ms < PATIENCE_MS:
                return None
            return await self._close(account, effort)
        async with turn:
            return await self._close(account, effort)

    async def _close(self, account: TraderAccount, effort: Effort) -> int | None:
        exchange = self.context.exchanges.open(account, "guard")
        is_cancelled = await self._cancel_working(account, exchange, effort)
        for _ in range(ROUNDS):
            position = await exchange.position(account.symbol)
            if not await self._holds_ours(account, exchange, position):
                await import_fills(self.context, account, exchange)
                return position.seen_at if is_cancelled else None
            if self.context.steady.now_ms() < effort.again_ms:
                return None
            done = await close_ours(self.context, account, exchange, "f", codes.CLOSING_EVERYTHING())
            if done is None or not self._note(done, effort):
                return None
        return None

    async def _holds_ours(self, account: TraderAccount, exchange: Exchange, position: Position) -> bool:
        if position.is_flat:
            return False
        return our_part(position, await own_quantity(self.context, account, exchange)) != 0

    async def _cancel_working(self, account: TraderAccount, exchange: Exchange, effort: Effort) -> bool:
        """Whether no order of ours can fill any more; where that is unknown, the position is closed all the same."""
        ours = link_prefix(self.context.installation)
        try:
            for record in await exchange.open_orders(account.symbol):
                if record.state is None and not record.is_child and record.order_link_id.startswith(ours):
                    LOG.warning("flatten.cancels", account=account.account_id, link=record.order_link_id)
                    await exchange.cancel_order(account.symbol, record.order_link_id)
        except Retry as busy:
            effort.why = codes.ORDERS_NOT_CANCELLED(why=busy.why)
            LOG.warning("flatten.not_cancelled", account=account.account_id, why=str(busy))
            return False
        return True

    def _note(self, done: Order, effort: Effort) -> bool:
        """Whether the close *done* filled; else when to try again is noted."""
        effort.tries += 1
        is_done = done.state is OrderState.FILLED
        wait_ms = min(SHORTEST_MS * 2 ** (effort.tries - 1), LONGEST_MS)
        effort.again_ms = 0 if is_done else self.context.steady.now_ms() + wait_ms
        effort.why = NOTHING if is_done else codes.CLOSE_ENDED(state=done.state.value.lower(), why=done.why)
        LOG.warning("flatten.closed" if is_done else "flatten.not_closed", link=done.order_link_id, why=effort.why)
        return is_done

    async def _call_somebody(self, account: TraderAccount, effort: Effort) -> None:
        now = self.context.steady.now_ms()
        refused = effort.why.params.get("state") == OrderState.REJECTED.value.lower()
        if (now - effort.began_ms < LATE_MS and not refused) or now - effort.called_ms < CALL_AGAIN_MS:
            return
        first, effort.called_ms = not effort.called_ms, now
        why = effort.why or codes.NOT_FLAT_YET()
        LOG.alert("flatten.stuck", account=account.account_id, since_ms=effort.began_ms, why=why)
        if first:
            await self._tell_owner(account, codes.NOT_CLOSED_YET(why=why))

    async def _tell_owner(self, account: TraderAccount, why: Reason) -> None:
        try:
            told = Event(EventKind.FLATTEN, why, f"flatten:{account.account_id}:{account.switched_ms}")
            await self.context.notifier.notice(account.account_id, told)
        except Retry as busy:
            LOG.warning("flatten.untold", account=account.account_id, why=str(busy))


async def take_back(context: OrderContext, order: Order) -> bool:
    """End a planned *order* that must not be sent; False when another process was faster, or bytes had left once."""
    after = OrderState.UNKNOWN if order.attempts else OrderState.BLOCKED
    moved = await context.orders.move(order, after, codes.TRADING_SWITCHED_OFF())
    return moved is not None and after is OrderState.BLOCKED
