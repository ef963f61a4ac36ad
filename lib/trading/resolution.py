"""
What became of an order: asked, never assumed.

A row closes on an exchange record, or on a proof of absence by the exchange's own clock, or by a person after a day.
Start, crash recovery and the running loop use the same code. Nothing here sends an order.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.books import Fill
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import OrderAnswer, OrderRecord, Verdict
from lib.domain.order import (
    EVIDENCE_LIFE_MS,
    IN_FLIGHT,
    MAX_AGE_MS,
    Order,
    OrderState,
    absence_proved,
    link_prefix,
)
from lib.domain.position import ZERO
from lib.ports.exchange import Exchange, Lane
from lib.trading.books import import_fills
from lib.trading.desk import Desk, boundary
from lib.trading.exits import AT_WORK_MS

LOG = log.get("trading.resolution")
POLL_S = (0.0, 0.2, 0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0)
RESUME_MS = MAX_AGE_MS - 30_000
"""A cycle is taken up again this long after its T; later, its decision would be too old to claim."""
SWEEP_MS = 86_400_000
DEEPEST_SWEEP_MS = 30 * 86_400_000
"""A database restored from an older copy than this needs a person anyway."""
NO_REASON = ("", "EC_NoError")


@dataclass(frozen=True, slots=True)
class Sweep:
    """
    A look for orders of ours without a row, among those of a day; *deep*: since our newest row if that is older.

    It holds for *epoch*, that of our lease: another trader's orders come under another. None = holds for nothing.
    """

    epoch: int | None
    deep: bool = False


def best_record(records: Sequence[OrderRecord]) -> OrderRecord | None:
    """Of several records with one id any non-rejected one wins: a duplicate leaves a rejected twin."""
    ranked = sorted(records, key=lambda record: record.state is OrderState.REJECTED)
    return ranked[0] if ranked else None


def judge(order: Order, answer: OrderAnswer, now_ms: int) -> Verdict | None:
    """What *answer* proves about *order*, or None while it proves nothing yet. *now_ms* is the ledger's clock."""
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
            return Verdict(OrderState.NEEDS_HUMAN, "no evidence is left after a day", "", ZERO, ZERO, ZERO)
        return Verdict(OrderState.ABSENT, "the exchange's clock proves it never arrived", "", ZERO, ZERO, ZERO)
    return None


def _verdict_of_fills(order: Order, fills: Sequence[Fill], *, settled: bool) -> Verdict | None:
    """What executions alone prove; of a part, only once all must have been indexed."""
    filled = sum((fill.qty for fill in fills), ZERO)
    whole = order.qty is not None and filled >= order.qty
    if not whole and not settled:
        return None
    value = sum((fill.qty * fill.price for fill in fills), ZERO)
    fee = sum((fill.fee for fill in fills), ZERO)
    state = OrderState.FILLED if whole else OrderState.PARTIAL
    return Verdict(state, "found among executions", fills[0].order_id, filled, value / filled, fee)


def _verdict_of(record: OrderRecord) -> Verdict | None:
    if record.state is None:
        return None
    state = record.state
    if state is OrderState.CANCELLED and record.filled_qty > 0:
        state = OrderState.PARTIAL
    why = state.value.lower() if record.reject_reason in NO_REASON else record.reject_reason
    return Verdict(state, why, record.order_id, record.filled_qty, record.avg_price, record.fee)


async def resolve_once(desk: Desk, exchange: Exchange, order: Order) -> Order:
    """Ask once about an in-flight *order* and move its row by the evidence; the row as it then stands."""
    answer = await exchange.find_order(order.symbol, order.order_link_id)
    verdict = judge(order, answer, await desk.ledger.now())
    if verdict is None:
        if any(record.state is None for record in answer.records) and order.state is not OrderState.ACCEPTED:
            await desk.ledger.move(order, OrderState.ACCEPTED, "the exchange has it")
        return await _again(desk, order)
    if verdict.state is OrderState.NEEDS_HUMAN and order.state is not OrderState.UNKNOWN:
        await desk.ledger.move(order, OrderState.UNKNOWN, "no evidence yet")
        order = await _again(desk, order)
    is_late = absence_proved(order.signed_ts, answer.time)
    if verdict.filled_qty and not await _is_booked(desk, exchange, order, verdict.filled_qty) and not is_late:
        return order
    if await desk.ledger.close_order(order, verdict):
        LOG.info("order.resolved", link=order.order_link_id, state=verdict.state.value, why=verdict.why)
    return await _again(desk, order)


async def _is_booked(desk: Desk, exchange: Exchange, order: Order, filled_qty: Decimal) -> bool:
    """
    Bring what filled into the books; False while some executions of *order* are not listed yet.

    Open rows and books are all that tells the other traders whom to guard: what filled must never be in neither. And
    what a close sold is ours no more only once it is listed: a row that ended sooner would let another close follow.
    """
    fills = await import_fills(desk, order, exchange)
    listed = sum((fill.qty for fill in fills if fill.order_link_id == order.order_link_id), ZERO)
    return listed >= filled_qty


async def _again(desk: Desk, order: Order) -> Order:
    return await desk.ledger.order_by_link(order.order_link_id) or order


async def resolve(desk: Desk, exchange: Exchange, order: Order) -> Order:
    """Ask until *order* is terminal, for about twenty market seconds; the reconcile loop takes over what is left."""
    for pause in POLL_S:
        await desk.clock.sleep(pause)
        try:
            order = await resolve_once(desk, exchange, order)
        except Retry as busy:
            LOG.warning("order.query_failed", link=order.order_link_id, why=str(busy))
        if order.state not in IN_FLIGHT:
            return order
    return order


async def reconcile(desk: Desk, *, sweep: bool) -> bool:
    """
    Bring every open row of every account forward; True when each account could be asked.

    The same code at start, in each cycle and in the loop between; accounts are asked in parallel. With *sweep* under a
    lease of ours, the next cycle need not sweep again before it enters.
    """
    return all(await asyncio.gather(*await recoveries(desk, sweep=sweep)))


async def recoveries(desk: Desk, *, sweep: bool) -> list[Coroutine[None, None, bool]]:
    """
    What `reconcile` is made of: the ledger is read now (*Retry* when it is away), each account's part is its own.

    A part never raises. With *sweep* it holds its account's turn, so that whoever is to trade waits for it, and only
    for the one of their own account.
    """
    epoch = await desk.ledger.hold_lease(desk.holder, desk.lease_ms) if sweep else None
    accounts = await desk.ledger.accounts()
    orders = await desk.ledger.open_orders()
    known = {account.account_id for account in accounts}
    await _hand_over(desk, [order for order in orders if order.account_id not in known])
    look = Sweep(epoch, deep=True) if sweep else None
    return [_reconciled(desk, account, orders, look) for account in accounts]


async def _reconciled(desk: Desk, account: TraderAccount, orders: Sequence[Order], sweep: Sweep | None) -> bool:
    """One account's part of a reconciliation, whose every failure stays its own."""
    try:
        if sweep is None:
            return await _asked(desk, account, orders, None)
        async with desk.turns[account.account_id]:
            return await _asked(desk, account, orders, sweep)
    except Exception as bug:  # noqa: BLE001 - one account's bug must never keep another from being reconciled
        LOG.error("reconcile.account_failed", bug, account=account.account_id)
        return False


async def _asked(desk: Desk, account: TraderAccount, orders: Sequence[Order], sweep: Sweep | None) -> bool:
    try:
        return await recover(desk, account, orders, sweep=sweep)
    except Pause as held:
        LOG.warning("reconcile.paused", account=account.account_id, why=str(held))
        await desk.ledger.pause(account.account_id, str(held))
        await _hand_over(desk, [order for order in orders if order.account_id == account.account_id])
        return False


async def _hand_over(desk: Desk, orders: Sequence[Order]) -> None:
    """Rows of an account whose key can ask nothing: what never left expires, the rest is a person's after a day."""
    for order in orders:
        if order.state is OrderState.PLANNED:
            await _retire(desk, order)
        elif order.state in IN_FLIGHT:
            LOG.error("order.no_key", link=order.order_link_id, why="no key of this account can prove anything")
            if await desk.ledger.now() - order.signed_ts > EVIDENCE_LIFE_MS:
                await _give_up(desk, order)


async def _give_up(desk: Desk, order: Order) -> None:
    if order.state is not OrderState.UNKNOWN:
        await desk.ledger.move(order, OrderState.UNKNOWN, "no evidence yet")
        order = await _again(desk, order)
    if order.state is OrderState.UNKNOWN:
        await desk.ledger.move(order, OrderState.NEEDS_HUMAN, "nobody could ask the exchange for a day")
        LOG.alert("order.needs_human", link=order.order_link_id)


async def recover(
    desk: Desk, account: TraderAccount, orders: Sequence[Order], *, sweep: Sweep | None = None, lane: Lane = "settle"
) -> bool:
    """
    Bring *account*'s open rows among *orders* forward by evidence; with *sweep*, adopt orders of ours without a row.

    False when the exchange or the ledger could not be asked: the account must not enter anything yet. *Pause* when its
    key is refused.
    """
    try:
        exchange = desk.exchanges.open(account, lane)
        for order in orders:
            if order.account_id == account.account_id:
                await _bring_forward(desk, account, exchange, order)
        if sweep is not None:
            await _sweep(desk, account, exchange, sweep)
    except Retry as busy:
        LOG.warning("recover.failed", account=account.account_id, why=str(busy))
        return False
    return True


async def _bring_forward(desk: Desk, account: TraderAccount, exchange: Exchange, order: Order) -> None:
    if order.state is OrderState.PLANNED:
        await _retire(desk, order)
    elif order.state in IN_FLIGHT:
        await resolve_once(desk, exchange, order)


async def _retire(desk: Desk, order: Order) -> None:
    """A PLANNED row that is too old, or that nobody is left to send: never sent ones expire, sent ones need a query."""
    now, after = await desk.ledger.now(), OrderState.UNKNOWN if order.attempts else OrderState.EXPIRED
    if _is_too_old(order, now):
        await desk.ledger.move(order, after, "the decision is too old")
    elif await _is_left_behind(desk, order, now):
        await desk.ledger.move(order, after, "whoever was to send it is gone")


def _is_too_old(order: Order, now: int) -> bool:
    # an exit may stand under a T long past: it is as old as its row
    return now - (order.created_ms if order.reduce_only else order.t_ms) > MAX_AGE_MS


async def _is_left_behind(desk: Desk, order: Order, now: int) -> bool:
    """
    Whether nobody is about to send *order*. Mistaken, it costs an order and doubles none: the claim wants it PLANNED.

    A close outside the plans is sent at once or never. What a cycle planned, only who leads sends, holding the
    account's turn; and after a minute no restart takes that cycle up.
    """
    if order.leg in ("g", "f"):
        return now - max(order.created_ms, order.updated_ms) > AT_WORK_MS
    if now - order.t_ms <= RESUME_MS or desk.turns[order.account_id].locked():
        return False
    return await desk.ledger.hold_lease(desk.holder, desk.lease_ms) is not None


async def _sweep(desk: Desk, account: TraderAccount, exchange: Exchange, sweep: Sweep) -> None:
    desk.swept.pop(account.account_id, None)
    prefix = link_prefix(desk.installation)
    now = await desk.ledger.now()
    since = min(now - SWEEP_MS, await _newest_row(desk, account, now)) if sweep.deep else now - SWEEP_MS
    found = await exchange.orders_since(account.symbol, since)
    ours = {record.order_link_id: record for record in found if record.order_link_id.startswith(prefix)}
    known = await desk.ledger.known_links(account.account_id, list(ours)) if ours else set()
    for link, record in ours.items():
        if link not in known:
            await desk.ledger.adopt(account, record, boundary(record.created_ms))
    if sweep.epoch is not None:
        desk.swept[account.account_id] = sweep.epoch


async def has_lost_commits(desk: Desk, account: TraderAccount) -> bool:
    """Whether the ledger no longer has the order we sent last, or has it as never sent."""
    link = desk.sent.get(account.account_id)
    row = await desk.ledger.order_by_link(link) if link is not None else None
    if link is None or (row is not None and row.attempts):
        return False
    LOG.alert("ledger.lost_commits", link=link)
    return True


async def _newest_row(desk: Desk, account: TraderAccount, now: int) -> int:
    """When our rows end as far as they prove it: a restored database may have lost everything after."""
    newest = await desk.ledger.last_entry(account.account_id)
    ended = newest.t_ms if newest else (await desk.ledger.books(account.account_id)).opened_ms
    return max(ended, now - DEEPEST_SWEEP_MS)
