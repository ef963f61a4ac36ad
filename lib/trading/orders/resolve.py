"""
An order's end: asked of the exchange, never assumed.

A row ends by an exchange record, or by a proof of absence by the exchange's own clock. Nothing here sends an order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.books import Books, Fill
from lib.domain.errors import Retry
from lib.domain.exchange_records import OrderAnswer, OrderRecord, Verdict
from lib.domain.order import (
    EVIDENCE_LIFE_MS,
    IN_FLIGHT,
    Order,
    OrderState,
    absence_proved,
    ripe_ms,
)
from lib.domain.position import ZERO
from lib.domain.reason import Reason, text
from lib.ports.exchange import Exchange
from lib.trading.context import OrderContext
from lib.trading.orders.books import import_fills

LOG = log.get("trading.resolve")
POLL_S = (0.0, 0.2, 0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 1.0, 1.0, 1.0, 2.0)
CLOCKS_APART_MS = 200
"""How long after a proof of absence ripens by our clock it is asked for: most venues' clocks have come there too."""
RIPE_POLL_S, RIPENING_S = 1.0, 2.0
"""The longest pause from then on, and for how long: the venue's clock may be further behind."""
NO_REASON = ("", "EC_NoError")


def best_record(records: Sequence[OrderRecord]) -> OrderRecord | None:
    """Of several records with one id any non-rejected one wins: a duplicate leaves a rejected twin."""
    ranked = sorted(records, key=lambda record: record.state is OrderState.REJECTED)
    return ranked[0] if ranked else None


def proved_verdict(order: Order, answer: OrderAnswer, now_ms: int) -> Verdict | None:
    """The end of *order* that *answer* proves, or None while it proves none yet. *now_ms* is the ledger's clock."""
    record = best_record(answer.records)
    if record is not None and record.state is not OrderState.REJECTED:
        return _verdict_of(record)
    settled = absence_proved(order.signed_ts, answer.time)
    if answer.fills:
        return _verdict_of_fills(order, answer.fills, settled=settled)
    if record is not None:
        # a refused twin may be indexed before the order it is the twin of
        return _verdict_of(record) if settled else None
    if settled:
        if now_ms - order.signed_ts > EVIDENCE_LIFE_MS:
            return Verdict(OrderState.NEEDS_HUMAN, codes.EVIDENCE_EXPIRED(), "", ZERO, ZERO, ZERO)
        return Verdict(OrderState.ABSENT, codes.ABSENCE_PROVED(), "", ZERO, ZERO, ZERO)
    return None


def is_silent(order: Order, answer: OrderAnswer) -> bool:
    """Whether *answer* proves that nobody knows of *order*: the one verdict that also asks how old the order is."""
    return not answer.records and not answer.fills and absence_proved(order.signed_ts, answer.time)


def _verdict_of_fills(order: Order, fills: Sequence[Fill], *, settled: bool) -> Verdict | None:
    """The end that executions alone prove; that of a part, only once all executions must have been listed."""
    filled = sum((fill.qty for fill in fills), ZERO)
    whole = order.qty is not None and filled >= order.qty
    if not whole and not settled:
        return None
    value = sum((fill.qty * fill.price for fill in fills), ZERO)
    fee = sum((fill.fee for fill in fills), ZERO)
    state = OrderState.FILLED if whole else OrderState.PARTIAL
    return Verdict(state, codes.FOUND_AMONG_EXECUTIONS(), fills[0].order_id, filled, value / filled, fee)


ENDED: Mapping[OrderState, Reason] = {
    OrderState.FILLED: codes.FILLED(),
    OrderState.PARTIAL: codes.PARTIAL(),
    OrderState.CANCELLED: codes.CANCELLED(),
    OrderState.REJECTED: codes.REJECTED(),
}
"""What is said of an order whose record gives no reason of its own."""


def _verdict_of(record: OrderRecord) -> Verdict | None:
    if record.state is None:
        return None
    state = record.state
    if state is OrderState.CANCELLED and record.filled_qty > 0:
        state = OrderState.PARTIAL
    why = ENDED[state] if record.reject_reason in NO_REASON else text(record.reject_reason)
    return Verdict(state, why, record.order_id, record.filled_qty, record.avg_price, record.fee)


def log_fields(order: Order) -> dict[str, Any]:
    """What every line about *order* carries: its id, whose it is, and the cycle it is of."""
    return {"link": order.order_link_id, "account": order.account_id, "t_ms": order.t_ms}


async def resolve_once(context: OrderContext, exchange: Exchange, order: Order, books: Books | None = None) -> Order:
    """
    Ask once about an in-flight *order* and move its row by the evidence; the row as it then stands.

    *books* are the account's from before the order was sent: executions are looked for from there, None = from the
    books of now.
    """
    answer = await exchange.find_order(order.symbol, order.order_link_id)
    now_ms = await context.orders.now() if is_silent(order, answer) else order.signed_ts
    verdict = proved_verdict(order, answer, now_ms)
    if verdict is None:
        if any(record.state is None for record in answer.records) and order.state is not OrderState.ACCEPTED:
            return await moved(context, order, OrderState.ACCEPTED, codes.EXCHANGE_HAS_IT())
        return await reread(context, order)
    if verdict.state is OrderState.NEEDS_HUMAN and order.state is not OrderState.UNKNOWN:
        order = await moved(context, order, OrderState.UNKNOWN, codes.NO_EVIDENCE_YET())
    is_late = absence_proved(order.signed_ts, answer.time)
    if verdict.filled_qty and not await _is_booked(context, exchange, order, verdict, books) and not is_late:
        return order
    closed = await context.orders.close_order(order, verdict)
    if closed is None:
        return await reread(context, order)
    LOG.info("order.resolved", **log_fields(order), state=verdict.state.value, why=verdict.why)
    return closed


async def _is_booked(
    context: OrderContext, exchange: Exchange, order: Order, verdict: Verdict, books: Books | None
) -> bool:
    """
    Bring the fills of *order* into the books; False while some of its executions are not listed yet.

    Open rows and books alone tell the other traders which accounts to guard: a fill must never be in neither. And the
    quantity a close sold is ours no more only once its executions are listed: a row that ended sooner would let another
    close follow.
    """
    fills = await import_fills(context, order, exchange, books)
    listed = sum((fill.qty for fill in fills if fill.order_link_id == order.order_link_id), ZERO)
    return listed >= verdict.filled_qty


async def reread(context: OrderContext, order: Order) -> Order:
    """The row of *order* as it stands now."""
    return await context.orders.order_by_link(order.order_link_id) or order


async def moved(context: OrderContext, order: Order, after: OrderState, why: Reason, code: int = 0) -> Order:
    """*order* moved to *after*, or what it became meanwhile where somebody was faster."""
    return await context.orders.move(order, after, why, code) or await reread(context, order)


def ripens_in_s(context: OrderContext, order: Order) -> float:
    """In how many seconds silence about *order* may prove its absence; 0 and less = it may now."""
    return (ripe_ms(order.signed_ts) + CLOCKS_APART_MS - context.clock.now_ms()) / 1000


def _cut(pause_s: float, ripens_s: float) -> float:
    """*pause_s*, cut where the proof of absence ripens (in *ripens_s*), and short for a moment after."""
    if ripens_s <= -RIPENING_S:
        return pause_s
    return min(pause_s, ripens_s if ripens_s > 0 else RIPE_POLL_S)


async def resolve(context: OrderContext, exchange: Exchange, order: Order, books: Books | None = None) -> Order:
    """
    Ask until *order* is terminal, for about twenty market seconds; the reconcile loop takes over what is left.

    The pauses are cut where the proof of absence ripens: a lost order is known as lost then, not at the next poll.
    """
    for pause in POLL_S:
        await context.clock.sleep(_cut(pause, ripens_in_s(context, order)))
        try:
            order = await resolve_once(context, exchange, order, books)
        except Retry as busy:
            LOG.warning("order.query_failed", link=order.order_link_id, why=str(busy))
        if order.state not in IN_FLIGHT:
            return order
    return order
