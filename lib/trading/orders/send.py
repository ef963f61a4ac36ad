"""
From planned rows to the exchange: leverage, sign, claim, send once, resolve.

The claim's commit is the point of no return: bytes are fixed before it and sent once after it, and only if it certainly
committed. Orders of one account in a symbol go one after another; a flip's entry waits until its exit is proved done.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.books import Books
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import SendReply
from lib.domain.order import IN_FLIGHT, MAX_AGE_MS, VERDICTS, Order, OrderState, SendOutcome, after_hint
from lib.domain.position import Position, Side
from lib.domain.reason import Reason, text
from lib.domain.risk import Sizing
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.orders.exit_order import IN_ITS_PLACE, is_beaten
from lib.trading.orders.resolve import log_fields, moved, reread, resolve

LOG = log.get("trading.send")
REFUSED_PAUSE_S = 1.1
"""The pause after an early refusal, in which the venue's rolling second passes."""
FRESH_MS = 2_000
"""How long a position that was read as flat counts as flat on the way to the claim."""
READ_LIFE_MS = 4_000
"""How old the reading of a position may be when its close is signed, by our clock against the venue's."""
READ_AGAIN_S = 1.0
LESS_IS_OURS = codes.POSITION_SMALLER_THAN_CLOSE()
SizeEntry = Callable[[Side], Awaitable[tuple[Sizing, Decimal]]]
"""The size of an entry of that side now, and the price it is made from. *Retry* or *Pause* for an unread account."""
Still = Callable[[Order], Awaitable[int | None]]
"""The venue's time (epoch ms) at which a close was no more than our part; None = the close is more by now."""
MAX_SENDS = 6
"""Claims tried for one order in one go: three sends at most, and as many signatures grown old before the claim."""


@dataclass(frozen=True, slots=True)
class SendJob:
    """
    The sending of one account's orders of one T. *size* sizes a flip's entry once its exit is done. *later* is the
    account's exchange for queries that may wait (the end of an entry); None = *exchange*. *seen* is the position last
    read: while that is fresh by the venue's clock, an entry needs no other reading. *still* is
    asked before each send of a close: the part that was ours when the close was planned may be gone when a frozen
    process or a second try comes to send it. *books* are the account's books as this cycle read them.
    """

    account: TraderAccount
    exchange: Exchange
    size: SizeEntry | None = None
    later: Exchange | None = None
    seen: Position | None = None
    still: Still | None = None
    books: Books | None = None

    def asking(self, order: Order) -> Exchange:
        """The exchange to ask for the end of *order*: an exit may have an entry waiting behind it."""
        return self.later if order.is_entry and self.later is not None else self.exchange


async def execute(context: TradingContext, job: SendJob, orders: Sequence[Order]) -> list[Order]:
    """Bring *orders* (exits first) as far as this cycle can; the rows as they then stand."""
    done: list[Order] = []
    for order in sorted(orders, key=lambda order: not order.reduce_only):
        if order.is_entry and done and not await _closed(context, job, done):
            done.append(await _moved(context, order, OrderState.EXPIRED, codes.POSITION_NOT_PROVED_CLOSED()))
            continue
        if order.reduce_only and not order.attempts and await is_beaten(context, job.account, order):
            order = await _moved(context, order, OrderState.BLOCKED, IN_ITS_PLACE)
        done.append(await run_order(context, job, order))
    return done


async def run_order(context: TradingContext, job: SendJob, order: Order) -> Order:
    """Bring one order from PLANNED to the state that evidence proves."""
    if order.state is OrderState.PLANNED and order.is_entry:
        order = await _ready_entry(context, job, order)
    for _ in range(MAX_SENDS):
        if order.state is not OrderState.PLANNED or order.qty is None:
            break
        read_ms = None
        if job.still is not None and order.reduce_only:
            read_ms, why = await _read_part(context, job.still, order)
            if read_ms is None:
                return await _moved(context, order, OrderState.BLOCKED, why)
        order, again_in_s = await _send(context, job.exchange, order, read_ms)
        if again_in_s is None:
            break
        await context.clock.sleep(again_in_s)
    if order.state in IN_FLIGHT:
        return await resolve(context, job.asking(order), order, job.books)
    return order


async def _read_part(context: TradingContext, still: Still, order: Order) -> tuple[int | None, Reason]:
    """As *still*, with why not. A close whose position cannot be read is taken back: the next one need not wait."""
    try:
        try:
            return await still(order), LESS_IS_OURS
        except Retry:
            await context.clock.sleep(READ_AGAIN_S)
            return await still(order), LESS_IS_OURS
    except Retry as unseen:
        return None, codes.POSITION_UNREAD(why=unseen.why)
    except Pause as refused:
        await _moved(context, order, OrderState.BLOCKED, refused.why)
        raise


async def _send(
    context: TradingContext, exchange: Exchange, order: Order, read_ms: int | None
) -> tuple[Order, float | None]:
    """Sign, claim, send once. The row as it then stands, and the seconds until the next try (None = not now)."""
    async with context.state.signing:
        if read_ms is not None and context.clock.now_ms() - read_ms > READ_LIFE_MS:
            return order, 0
        signed = exchange.sign_order(order, context.clock.now_ms())
        claim = await context.orders.claim(order, signed, context.holder)
    if not claim.granted:
        order = await reread(context, order)
        tell = LOG.warning if claim.sign_again else LOG.info
        tell("order.claim_refused", **log_fields(order), why=claim.why, state=claim.state.value)
        return order, 0 if claim.sign_again else None
    # nothing is asked between the claim and the send: the signature grows old, and a failure would waste the claim
    order = replace(order, state=claim.state, attempts=order.attempts + 1, signed_ts=signed.signed_ts)
    context.state.order_leaves(order)
    reply = await exchange.send_order(signed)
    after = after_hint(reply.outcome, order.attempts)
    LOG.info("order.sent", **log_fields(order), said=reply.outcome.value, code=reply.code, now=after.value)
    order = await moved(context, order, after, _said(reply), reply.code or 0)
    return order, REFUSED_PAUSE_S if after is OrderState.PLANNED else None


def _said(reply: SendReply) -> Reason:
    """What the venue's reply to a send says, in its own words where it is more than yes."""
    if reply.outcome is SendOutcome.ACCEPTED:
        return codes.ACKNOWLEDGED()
    return text(reply.message) or codes.SENT()


async def _ready_entry(context: TradingContext, job: SendJob, order: Order) -> Order:
    """Size a flip's entry, and set the leverage while flat; any doubt means no entry."""
    if order.qty is None:
        order = await _size(context, job, order)
    if order.state is not OrderState.PLANNED or order.qty is None:
        return order
    try:
        ready = _was_flat_at(context, job, order) or await _is_flat_at(job.exchange, order)
    except (Retry, Pause) as held:
        return await _moved(context, order, OrderState.BLOCKED, codes.LEVERAGE_NOT_SET(why=held.why))
    if not ready:
        return await _moved(context, order, OrderState.BLOCKED, codes.LEVERAGE_OR_POSITION_DIFFERS())
    return order


def _was_flat_at(context: TradingContext, job: SendJob, order: Order) -> bool:
    """
    Whether the account was flat at the order's leverage a moment ago, as for most entries.

    The moment is the venue's own: a reading that stood in line for its turn is as fresh as one that did not. A reading
    of the future, as by a clock of ours that is behind, is not fresh.
    """
    seen = job.seen
    if seen is None or not 0 <= context.clock.now_ms() - seen.seen_at <= FRESH_MS:
        return False
    return seen.is_flat and seen.leverage == order.leverage


async def _is_flat_at(exchange: Exchange, order: Order) -> bool:
    """Whether the account is flat at the order's leverage, which is set only while flat and then read back."""
    position = await exchange.position(order.symbol)
    if position.is_flat and position.leverage != order.leverage:
        await exchange.set_leverage(order.symbol, order.leverage)
        position = await exchange.position(order.symbol)
    return position.is_flat and position.leverage == order.leverage


async def _size(context: TradingContext, job: SendJob, order: Order) -> Order:
    if job.size is None:
        return await _moved(context, order, OrderState.EXPIRED, codes.DECISION_GONE())
    try:
        sizing, ref = await job.size(order.side)
    except (Retry, Pause) as held:
        return await _moved(context, order, OrderState.BLOCKED, codes.ACCOUNT_UNKNOWN_AFTER_EXIT(why=held.why))
    if sizing.qty == 0:
        return await _moved(context, order, OrderState.BLOCKED, sizing.why)
    if not await context.orders.size(order, sizing, ref):
        return await _moved(context, order, OrderState.BLOCKED, codes.EXPOSURE_FULL_BY_NOW())
    return await reread(context, order)


async def _closed(context: TradingContext, job: SendJob, done: list[Order]) -> bool:
    """Whether the exit before a flip's entry is proved done; waits for its verdict until the decision is too old."""
    while done[-1].state in IN_FLIGHT and context.clock.now_ms() - done[-1].t_ms <= MAX_AGE_MS:
        done[-1] = await resolve(context, job.exchange, done[-1], job.books)
    return await _is_flat(job, done[-1])


async def _is_flat(job: SendJob, close: Order) -> bool:
    """Whether position/list shows nothing at a server time after *close* became terminal."""
    if close.state not in VERDICTS:
        return False
    try:
        position = await job.exchange.position(close.symbol)
    except (Retry, Pause):
        return False
    return position.is_flat and position.seen_at > close.signed_ts


async def _moved(context: TradingContext, order: Order, after: OrderState, why: Reason) -> Order:
    """*order* moved to *after* as not sent; an order that is no longer PLANNED stays in its state."""
    if order.state is not OrderState.PLANNED:
        return order
    if order.attempts:
        after = OrderState.UNKNOWN  # bytes have left once: only a query may end it
    order = await moved(context, order, after, why)
    LOG.info("order.not_sent", **log_fields(order), state=after.value, why=why)
    return order
