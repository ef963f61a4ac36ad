"""
One position of one symbol closed because its owner asked: our part of it, reduce-only, until no part of it is left.

It is no switch: auto-trading, pauses and locks stay as they were, and none of them holds the close up. Each close is
one of `lib.trading.orders.close` (leg "f"), so there is one on its way in a symbol at a time, whoever else closes too.
The wish is about the position its owner saw: one of the other side, or entered after the wish, is left alone. "Closed"
is said only of a position read without a part of ours. What could not be closed in a minute keeps its stop, and its
owner is told why.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.command import Command
from lib.domain.errors import Pause, Retry, Skip
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.domain.position import ZERO, Position
from lib.domain.reason import Reason
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.orders.books import import_fills, newest_entry, own_quantity
from lib.trading.orders.close import close_ours, our_part
from lib.trading.orders.resolve import reread, resolve_once

LOG = log.get("trading.closing")
PATIENCE_MS = 60_000
SHORTEST_S, LONGEST_S = 4.0, 32.0
"""
Between two closes in vain, doubled each time: five a wish, and about thirty of one wish after another while one T is
booked under. An account has 36 order ids of a leg in a T, and the kill switch closes by the same leg.
"""
PRICE_STEP = Decimal("0.0001")
"""Of a mean price as it is told."""


@dataclass(slots=True)
class _Effort:
    """
    The carrying out of one wish: the closes it *made*, those in *vain* since one filled, and why the position is still
    there.
    """

    why: Reason
    made: list[Order] = field(default_factory=list)
    vain: int = 0

    @property
    def pause_s(self) -> float:
        """Until the next look; the rest of a position above the venue's largest order waits for nothing."""
        if self.made and not self.vain:
            return 0
        return min(SHORTEST_S * (1 << max(self.vain - 1, 0)), LONGEST_S)


async def close_as_asked(context: TradingContext, account: TraderAccount, wish: Command) -> Reason:
    """Carry out *wish*, which its owner has put for *account* on this symbol; what became of it."""
    effort = _Effort(codes.NOT_FLAT_YET())
    until_ms = context.steady.now_ms() + PATIENCE_MS
    while True:
        try:
            if (ended := await _round(context, account, wish, effort)) is not None:
                return ended
        except (Retry, Skip) as held:
            effort.why, effort.vain = held.why, effort.vain + 1
        except Pause as refused:
            return codes.NOT_CLOSED_YET(why=refused.why)
        if context.steady.now_ms() >= until_ms:
            LOG.warning("closing.gave_up", account=account.account_id, why=effort.why)
            return codes.NOT_CLOSED_YET(why=effort.why)
        await context.clock.sleep(effort.pause_s)


async def _round(context: TradingContext, account: TraderAccount, wish: Command, effort: _Effort) -> Reason | None:
    """One look and, while a part of ours is there, one close; what became of the wish once that is known."""
    exchange = context.exchanges.open(account, "guard")
    position = await exchange.position(account.symbol)
    if our_part(position, await own_quantity(context, account, exchange)) == 0:
        await import_fills(context, account, exchange)
        return await _closed(context, exchange, effort)
    if await _is_another(context, account, position, wish):
        return await _closed(context, exchange, effort) if effort.made else codes.POSITION_IS_ANOTHER()
    done = await close_ours(context, account, exchange, "f", codes.CLOSE_ASKED(), position.direction)
    effort.vain = 0 if done is not None and done.state is OrderState.FILLED else effort.vain + 1
    if done is not None:
        effort.made.append(done)
        effort.why = codes.CLOSE_ENDED(state=done.state.value.lower(), why=done.why)
    return None


async def _is_another(context: TradingContext, account: TraderAccount, position: Position, wish: Command) -> bool:
    """Whether *position* is not the one that *wish* is about."""
    entry = await newest_entry(context, account.slot)
    return position.direction != wish.side or entry is None or entry.signed_ts > wish.asked_ms


async def _closed(context: TradingContext, exchange: Exchange, effort: _Effort) -> Reason | None:
    """What took the position: our closes by their verdicts, None while one has none yet; or somebody else."""
    rows = [await reread(context, order) for order in effort.made]
    rows = [await resolve_once(context, exchange, row) if row.state in IN_FLIGHT else row for row in rows]
    if any(row.state in IN_FLIGHT for row in rows):
        effort.vain += 1
        return None
    qty = sum((row.filled_qty for row in rows), ZERO)
    if not qty:
        return codes.NOTHING_TO_CLOSE()
    cost = sum((row.filled_qty * row.avg_price for row in rows), ZERO)
    return codes.CLOSED_AS_ASKED(qty=qty, symbol=rows[0].symbol, price=(cost / qty).quantize(PRICE_STEP))
