"""
From a standing answer to this account's plan.

Prefetch runs beside the analyst; gates, sizing and clamps are pure (`lib.domain.risk`). The plan is committed before
anything is signed. An account that cannot be read is a visible skip.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.candle import Candle
from lib.domain.instrument import Instrument
from lib.domain.position import ZERO, Position
from lib.domain.risk import AccountPlan, Facts, decide
from lib.ports import AnalystAnswer, Exchange, OrderRecord, Ticker, TraderAccount, Wallet
from lib.trading.books import import_fills, own_quantity
from lib.trading.desk import Desk

MAX_PRICE_DISTANCE = Decimal("0.005")
"""The venue's own price must be this close to the newest close, or the account is on another market."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The account and its venue as read for this cycle."""

    wallet: Wallet
    position: Position
    orders: list[OrderRecord]
    ticker: Ticker
    instrument: Instrument
    own_qty: Decimal


async def prefetch(desk: Desk, account: TraderAccount, exchange: Exchange) -> Snapshot:
    """Everything the plan needs from outside, read at once. *Retry* or *Pause* when any of it cannot be read."""
    wallet, position, orders, ticker, instrument = await asyncio.gather(
        exchange.wallet(),
        exchange.position(account.symbol),
        exchange.open_orders(account.symbol),
        desk.market.ticker(account.venue, account.symbol),
        desk.market.instrument(account.venue, account.symbol),
    )
    own_qty = await _own_qty(desk, account, exchange, position)
    return Snapshot(wallet, position, orders, ticker, instrument, own_qty)


async def _own_qty(desk: Desk, account: TraderAccount, exchange: Exchange, position: Position) -> Decimal:
    if not position.is_flat:
        return await own_quantity(desk, account, exchange)
    if not (await desk.ledger.books(account.account_id)).position.is_flat:
        await import_fills(desk, account, exchange)  # a stop was hit: the gates must know of it
    return ZERO


async def make_plan(
    desk: Desk, account: TraderAccount, snapshot: Snapshot, answer: AnalystAnswer, newest: Candle, t_ms: int
) -> AccountPlan:
    """The plan of *account* for *answer*; refusals and skips are plans too."""
    if abs(snapshot.ticker.last - newest.close) > newest.close * MAX_PRICE_DISTANCE:
        return AccountPlan("skipped", "the venue's price is more than 0.5 % away from the newest candle")
    facts = await _facts(desk, account, snapshot, t_ms)
    return decide(answer.decision, facts, account.settings, snapshot.instrument, snapshot.ticker.last, t_ms)


def opinion_of(account: TraderAccount, plan: AccountPlan) -> AccountPlan:
    """*plan*, or what it would have been when its owner has trading switched off: nothing leaves then, no exit."""
    if not plan.orders or (account.auto_trade and account.trading_enabled):
        return plan
    off = "trading is paused" if account.auto_trade else "auto-trading is off"
    return AccountPlan("refused", f"{off} (it would have been: {plan.outcome}): {plan.reason}", (), plan.clamps)


async def _facts(desk: Desk, account: TraderAccount, snapshot: Snapshot, t_ms: int) -> Facts:
    known = await desk.ledger.facts(account.account_id, t_ms)
    failures = await desk.ledger.analyst_failures(desk.feed, account.symbol)
    foreign = [order for order in snapshot.orders if not _is_ours(order, desk.installation)]
    return Facts(
        equity=snapshot.wallet.equity,
        available=snapshot.wallet.available,
        position=snapshot.position,
        foreign_orders=len(foreign),
        own_qty=snapshot.own_qty,
        day_start_equity=known.day_start_equity,
        peak_equity=known.peak_equity,
        entries_today=known.entries_today,
        loss_streak=known.loss_streak,
        last_stop_ms=known.last_stop_ms,
        analyst_failures=failures,
        locks=known.locks,
        unresolved=known.unresolved,
    )


def _is_ours(order: OrderRecord, installation: str) -> bool:
    # a position's own stop and target carry no id of ours; they die with the position
    return order.is_child or order.order_link_id.startswith(f"mm{installation}-")
