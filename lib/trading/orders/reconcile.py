"""
Bringing rows and exchange together: open rows by evidence, orphan orders by a sweep.

Start, crash recovery and the running loop use the same code. An order whose end cannot be proved is a person's to
settle after a day. Nothing here sends an order.
"""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.order import (
    EVIDENCE_LIFE_MS,
    IN_FLIGHT,
    MAX_AGE_MS,
    Order,
    OrderState,
    link_prefix,
)
from lib.domain.switches import lost_since
from lib.ports.exchange import Exchange, Lane
from lib.trading.context import OrderContext, boundary, on_each_symbol
from lib.trading.orders.exit_order import AT_WORK_MS
from lib.trading.orders.resolve import log_fields, moved, resolve_once

LOG = log.get("trading.reconcile")
RESUME_MS = MAX_AGE_MS - 30_000
"""How long after its T a cycle is taken up again; later, its decision would be too old to claim."""
SWEEP_MS = 86_400_000
DEEPEST_SWEEP_MS = 30 * 86_400_000
"""A database restored from an older copy than this needs a person anyway."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """
    A search for orphan orders among the orders of a day; *deep*: since our newest row or *since_ms* (0 = no such
    moment) if one of them is older.

    The sweep counts for *epoch*, that of our lease: another trader's orders come under another epoch. None = it counts
    for none. *now_ms* is the ledger's clock as read once for many accounts (epoch ms), None = each sweep reads it; an
    earlier reading only makes the search begin earlier.
    """

    epoch: int | None
    deep: bool = False
    now_ms: int | None = None
    since_ms: int = 0


async def reconcile(context: OrderContext, *, sweep: bool) -> bool:
    """
    Bring every open row of every account forward; True when each account could be asked.

    The same code at start, in each cycle and in the loop between; accounts are asked in parallel. With *sweep* under a
    lease of ours, the next cycle need not sweep again before it enters.
    """
    return all(await asyncio.gather(*await recoveries(context, sweep=sweep)))


async def recoveries(
    context: OrderContext, *, sweep: bool, only: Collection[int] | None = None
) -> list[Coroutine[None, None, bool]]:
    """
    The parts of `reconcile`, one for each symbol of an account (of *only*, when given); the ledger is read now (*Retry*
    when it is away).

    A part never raises. With *sweep* a part holds its symbol's turn, so that a cycle of the account there waits for
    this part, and for no other.
    """
    epoch = await context.led_epoch() if sweep else None
    accounts = await context.switches.accounts()
    orders = await context.orders.open_orders()
    known = {account.account_id for account in accounts}
    await _hand_over(context, [order for order in orders if order.account_id not in known])
    deep_sweep = await deepest(context, epoch) if sweep else None
    mine = [account for account in accounts if context.part.owns(account.account_id)]
    named = [account for account in mine if only is None or account.account_id in only]
    return [_reconciled(context, account, orders, deep_sweep) for account in on_each_symbol(named)]


async def deepest(context: OrderContext, epoch: int | None) -> Sweep:
    """A sweep as deep as the ledger may have lost rows; *Retry* when the ledger is away."""
    now_ms, since_ms = await context.orders.now(), lost_since(await context.switches.flags())
    return Sweep(epoch, deep=True, now_ms=now_ms, since_ms=since_ms)


async def _reconciled(
    context: OrderContext, account: TraderAccount, orders: Sequence[Order], sweep: Sweep | None
) -> bool:
    """One account's part of a reconciliation; a failure stays the account's own."""
    try:
        if sweep is None:
            return await _asked(context, account, orders, None)
        async with context.state.turn(account.slot):
            return await _asked(context, account, orders, sweep)
    except Exception as bug:  # noqa: BLE001 - one account's bug must never keep another from being reconciled
        LOG.error("reconcile.account_failed", bug, account=account.account_id)
        return False


async def _asked(context: OrderContext, account: TraderAccount, orders: Sequence[Order], sweep: Sweep | None) -> bool:
    try:
        return await recover(context, account, orders, sweep=sweep)
    except Pause as held:
        LOG.warning("reconcile.paused", account=account.account_id, why=str(held))
        await context.switches.pause(account.account_id, held.why)
        await _hand_over(context, [order for order in orders if order.slot == account.slot])
        return False


async def _hand_over(context: OrderContext, orders: Sequence[Order]) -> None:
    """Rows of an account without a usable key: unsent orders expire, the others are a person's after a day."""
    for order in orders:
        if order.state is OrderState.PLANNED:
            await _retire(context, order)
        elif order.state in IN_FLIGHT:
            LOG.error("order.no_key", link=order.order_link_id, why="no key of this account can prove anything")
            if await context.orders.now() - order.signed_ts > EVIDENCE_LIFE_MS:
                await _give_up(context, order)


async def _give_up(context: OrderContext, order: Order) -> None:
    if order.state is not OrderState.UNKNOWN:
        order = await moved(context, order, OrderState.UNKNOWN, codes.NO_EVIDENCE_YET())
    if order.state is OrderState.UNKNOWN:
        await context.orders.move(order, OrderState.NEEDS_HUMAN, codes.NOBODY_COULD_ASK())
        LOG.alert("order.needs_human", **log_fields(order))


async def recover(
    context: OrderContext,
    account: TraderAccount,
    orders: Sequence[Order],
    *,
    sweep: Sweep | None = None,
    lane: Lane = "resolve",
) -> bool:
    """
    Bring *account*'s open rows in its symbol among *orders* forward by evidence; with *sweep*, adopt orphan orders.

    False when the exchange or the ledger could not be asked: the account must not enter yet. *Pause* when the account's
    key is refused.
    """
    try:
        exchange = context.exchanges.open(account, lane)
        for order in orders:
            if order.slot == account.slot:
                await _bring_forward(context, account, exchange, order)
        if sweep is not None:
            await _sweep(context, account, exchange, sweep)
    except Retry as busy:
        LOG.warning("recover.failed", account=account.account_id, why=str(busy))
        return False
    return True


async def _bring_forward(context: OrderContext, account: TraderAccount, exchange: Exchange, order: Order) -> None:
    if order.state is OrderState.PLANNED:
        await _retire(context, order)
    elif order.state in IN_FLIGHT:
        await resolve_once(context, exchange, order)


async def _retire(context: OrderContext, order: Order) -> None:
    """
    End a PLANNED row that is too old, or that no process is left to send: an unsent row expires, a sent one needs a
    query.
    """
    now, after = await context.orders.now(), OrderState.UNKNOWN if order.attempts else OrderState.EXPIRED
    if _is_too_old(order, now):
        await context.orders.move(order, after, codes.DECISION_TOO_OLD())
    elif await _is_left_behind(context, order, now):
        await context.orders.move(order, after, codes.SENDER_GONE())


def _is_too_old(order: Order, now: int) -> bool:
    # an exit may be booked under a T long past: the exit is as old as its row
    return now - (order.created_ms if order.reduce_only else order.t_ms) > MAX_AGE_MS


async def _is_left_behind(context: OrderContext, order: Order, now: int) -> bool:
    """
    Whether no process is about to send *order*. A mistake costs an order and doubles none: the claim wants PLANNED.

    A close outside the plans is sent at once or never. A cycle's order is sent by the leading trader alone, holding the
    account's turn; and after a minute no restart takes that cycle up.
    """
    if order.leg in ("g", "f"):
        return now - max(order.created_ms, order.updated_ms) > AT_WORK_MS
    if now - order.t_ms <= RESUME_MS or context.state.turn(order.slot).locked():
        return False
    return await context.led_epoch() is not None


async def _sweep(context: OrderContext, account: TraderAccount, exchange: Exchange, sweep: Sweep) -> None:
    context.state.unswept(account.slot)
    epoch = None if sweep.epoch is None else context.part.epoch_of(account.account_id, sweep.epoch)
    prefix = link_prefix(context.installation)
    now = sweep.now_ms if sweep.now_ms is not None else await context.orders.now()
    since = min(now - SWEEP_MS, await _lost_since(context, account, sweep, now)) if sweep.deep else now - SWEEP_MS
    found = await exchange.orders_since(account.symbol, since)
    ours = {record.order_link_id: record for record in found if record.order_link_id.startswith(prefix)}
    known = await context.orders.known_links(account.account_id, list(ours)) if ours else set()
    for link, record in ours.items():
        if link not in known:
            await context.orders.adopt(account, record, boundary(record.created_ms))
    if epoch is not None:
        context.state.swept(account.slot, epoch)


async def has_lost_commits(context: OrderContext, account: TraderAccount) -> bool:
    """Whether the ledger has lost the row of the order we sent last, or has that row as never sent."""
    link = context.state.newest_sent(account.slot)
    row = await context.orders.order_by_link(link) if link is not None else None
    if link is None or (row is not None and row.attempts):
        return False
    LOG.alert("ledger.lost_commits", link=link)
    return True


async def _lost_since(context: OrderContext, account: TraderAccount, sweep: Sweep, now: int) -> int:
    """
    From when on (epoch ms) rows may be lost: T of the newest row that is proved, or the sweep's own earlier moment.
    """
    newest = await context.orders.last_entry(account.slot)
    ended = newest.t_ms if newest else (await context.books.books(account.slot)).opened_ms
    return max(min(ended, sweep.since_ms or ended), now - DEEPEST_SWEEP_MS)
