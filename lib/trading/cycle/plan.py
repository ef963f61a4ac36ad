"""
From a standing answer to this account's plan.

Wallet and orders are read beside the analyst, position and price after its answer: what the plan and the entry rest on
is as young as it can be, and is read once. Gates, sizing and clamps are pure (`lib.domain.risk`). Every gate that
lasts is written down as a lock before the plan is made, whatever the analyst says. The plan is committed before
anything is signed. An account that cannot be read is a visible skip.
"""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.books import Books
from lib.domain.candle import Candle
from lib.domain.decision import Decision
from lib.domain.exchange_records import OrderRecord, Wallet
from lib.domain.gates import Facts, LogFacts, entry_refusal, lasting_gates, newly_missing
from lib.domain.instrument import Instrument
from lib.domain.position import ZERO, Position, Side
from lib.domain.quotes import Ticker, is_away
from lib.domain.real_money import real_money_refusal
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import AccountPlan, Sizing, decide, size_entry
from lib.domain.venues import CAPABILITIES
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.cycle.account_modes import modes_refusal
from lib.trading.cycle.platform_limits import Headroom
from lib.trading.orders.books import import_fills, own_quantity, reconcile_books

LOG = log.get("trading.plan")


@dataclass(frozen=True, slots=True)
class Prefetch:
    """
    What is read while the analyst answers, because it changes little meanwhile; *books* are reconciled with *wallet*.
    """

    wallet: Wallet
    orders: list[OrderRecord]
    instrument: Instrument
    books: Books


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    The account and its venue as read for this cycle.

    *known* is what the ledger knew of the account after both, *own_qty* how much of the position is ours.
    """

    before: Prefetch
    position: Position
    ticker: Ticker
    own_qty: Decimal
    known: LogFacts


async def prefetch(context: TradingContext, account: TraderAccount, exchange: Exchange) -> Prefetch:
    """Read at once what need not wait for the answer. *Retry* or *Pause* when any of it cannot be read."""
    wallet, orders, instrument = await asyncio.gather(
        exchange.wallet(),
        exchange.open_orders(account.symbol),
        context.market.instrument(account.venue, account.symbol),
    )
    # the gates must know of a stop that was hit, of money paid out
    books = await reconcile_books(context, account, exchange, wallet)
    return Prefetch(wallet, orders, instrument, books)


async def take_snapshot(
    context: TradingContext, account: TraderAccount, exchange: Exchange, before: Prefetch, t_ms: int
) -> Snapshot:
    """*before* with the position and the price of now. *Retry* or *Pause* as `prefetch`."""
    position, ticker = await asyncio.gather(
        exchange.position(account.symbol), context.market.ticker(account.venue, account.symbol)
    )
    own_qty = None if position.is_flat else await own_quantity(context, account, exchange)
    known = await context.limits.facts(account.slot, t_ms)
    if own_qty is None and known.own_qty:
        await import_fills(context, account, exchange)  # closed at no cost at all: the balance did not tell
        known = await context.limits.facts(account.slot, t_ms)
    # still open there: the position just read is not of now, and nothing is entered beside what it does not show
    return Snapshot(before, position, ticker, known.own_qty if own_qty is None else own_qty, known)


def may_enter(answer: AnalystAnswer, position: Position) -> bool:
    """Whether a plan for *answer* may open a position, where *position* is what is open now."""
    action = answer.decision.action if isinstance(answer.decision, Decision) else "hold"
    wanted = {"buy": "long", "sell": "short"}.get(action)
    return wanted is not None and wanted != position.direction


async def refreshed(
    context: TradingContext, account: TraderAccount, exchange: Exchange, snapshot: Snapshot, t_ms: int
) -> Snapshot:
    """
    *snapshot* with the account's wallet and figures of now: another symbol has planned an entry since. What is of this
    symbol stays as it was read.
    """
    wallet = await exchange.wallet()
    books = await reconcile_books(context, account, exchange, wallet)
    known = await context.limits.facts(account.slot, t_ms)
    return replace(snapshot, before=replace(snapshot.before, wallet=wallet, books=books), known=known)


async def make_plan(  # noqa: PLR0913 - what a plan is made of
    context: TradingContext,
    account: TraderAccount,
    exchange: Exchange,
    snapshot: Snapshot,
    answer: AnalystAnswer,
    newest: Candle,
    headroom: Headroom,
) -> AccountPlan:
    """
    The plan of *account* for *answer* of T; a refusal, a skip and the opinion of a switched-off account are plans too.
    """
    known = await _known(context, account, snapshot, headroom)
    await _lock(context, account, known, headroom.t_ms, answered=not answer.failed)
    if is_away(snapshot.ticker.last, newest.close):
        return AccountPlan("skipped", codes.VENUE_PRICE_AWAY())
    settings, rule, ref = account.settings, snapshot.before.instrument, snapshot.ticker.last

    def planned(facts: Facts) -> AccountPlan:
        view = headroom.over(account.slot, facts)
        return opinion_of(account, decide(answer.decision, view, settings, rule, ref, headroom.t_ms))

    if _enters(planned(known)):
        known = replace(known, real_money=await _real_money(context, account, known.equity))
    if _enters(planned(known)):
        position, entries = snapshot.position, known.entries_today
        modes = await modes_refusal(context, account, exchange, position, entries, headroom.t_ms)
        known = replace(known, modes=modes)
    # nothing is awaited from here to the reservation: what the platform has left is everybody's of this cycle
    plan = planned(known)
    for draft in plan.orders:
        if draft.leg == "e" and draft.qty is not None:
            headroom.reserve(account.slot, draft.qty * max(draft.limit_price, draft.ref_price))
    return plan


def _enters(plan: AccountPlan) -> bool:
    """Whether an entry is among its orders: only then its gates are worth a reading."""
    return any(draft.leg == "e" for draft in plan.orders)


@dataclass(frozen=True, slots=True)
class FlipEntry:
    """What a flip's entry rests on: the decision behind it, and the headroom of its cycle."""

    context: TradingContext
    account: TraderAccount
    exchange: Exchange
    decision: Decision
    headroom: Headroom

    async def size(self, side: Side) -> tuple[Sizing, Decimal]:
        """
        The entry after its exit, and the price it is made from. *Retry* or *Pause* when the account cannot be read.

        The gates are asked again: the exit may have been the day's last loss, or somebody may have come in between.
        """
        context, account, exchange, t_ms = self.context, self.account, self.exchange, self.headroom.t_ms
        turn = context.state.entering(account.account_id)
        count, before = turn.count, await prefetch(context, account, exchange)
        snapshot = await take_snapshot(context, account, exchange, before, t_ms)
        async with turn.of(account.symbol_no):
            if turn.count != count:
                snapshot = await refreshed(context, account, exchange, snapshot, t_ms)
            return await self._sized(side, snapshot)

    async def _sized(self, side: Side, snapshot: Snapshot) -> tuple[Sizing, Decimal]:
        context, account, exchange, headroom = self.context, self.account, self.exchange, self.headroom
        known = await _known(context, account, snapshot, headroom)
        await _lock(context, account, known, headroom.t_ms, answered=True)
        position, entries = snapshot.position, known.entries_today
        modes = await modes_refusal(context, account, exchange, position, entries, headroom.t_ms)
        known = replace(known, modes=modes, real_money=await _real_money(context, account, known.equity))
        facts, ref = headroom.over(account.slot, known), snapshot.ticker.last
        settings, rule = account.settings, snapshot.before.instrument
        if refusal := entry_refusal(self.decision, side, facts, settings, rule, headroom.t_ms):
            return Sizing(ZERO, 1, ZERO, ZERO, ZERO, refusal), ref
        decision, others = self.decision, facts.others
        sizing = size_entry(decision, side, facts.equity, facts.available, settings, rule, ref, facts.room, others)
        if sizing.qty:
            headroom.reserve(account.slot, sizing.qty * max(sizing.limit_price, ref))
        return sizing, ref


async def _lock(context: TradingContext, account: TraderAccount, known: Facts, t_ms: int, *, answered: bool) -> None:
    """
    Write down the gates that last. The lock for a silent analyst waits for an answer: until then nothing is entered.
    """
    for gate in lasting_gates(known, account.settings.limits, t_ms):
        if gate.kind not in known.locks and (answered or gate.kind != "analyst_failures"):
            LOG.warning("account.locked", kind=gate.kind, why=gate.why, until_ms=gate.until_ms)
            await context.limits.lock(account.account_id, gate.kind, gate.until_ms, gate.why)


def opinion_of(account: TraderAccount, plan: AccountPlan) -> AccountPlan:
    """
    *plan*, or what the plan would have been while its owner has trading switched off: no order leaves then, no exit.
    """
    if not (plan.orders or plan.stop) or (account.auto_trade and account.trading_enabled):
        return plan
    off = codes.PAUSED_WOULD if account.auto_trade else codes.AUTO_TRADING_OFF_WOULD
    return AccountPlan("refused", off(outcome=plan.outcome, why=plan.reason), (), plan.clamps)


async def _known(context: TradingContext, account: TraderAccount, snapshot: Snapshot, headroom: Headroom) -> Facts:
    known, before = snapshot.known, snapshot.before
    failures = await headroom.silence(context, account.symbol)
    foreign = [order for order in before.orders if not _is_ours(order, context.installation)]
    return Facts(
        equity=before.wallet.equity,
        available=before.wallet.available,
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
        tokens_today=known.tokens_today,
        others=known.others,
        missing=newly_missing(before.wallet.balance - before.books.balance, known.difference_before),
        closed=context.state.hours.why_closed(account, context.clock.now_ms()),
    )


async def _real_money(context: TradingContext, account: TraderAccount, equity: Decimal) -> Reason:
    """The gate that is closed before an entry of *account* where the money is real, by the *equity* of now."""
    if not CAPABILITIES[account.venue].has_real_money:
        return NOTHING
    return real_money_refusal(replace(await context.limits.real_money(account.slot), equity=equity))


def _is_ours(order: OrderRecord, installation: str) -> bool:
    # a position's own stop and target carry no id of ours; they die with the position
    return order.is_child or order.order_link_id.startswith(f"mm{installation}-")
