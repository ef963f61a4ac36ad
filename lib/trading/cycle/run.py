"""
The five-minute cycle: recover, candles, one answer per prompt group, then every account for itself, in each symbol it
trades.

    reconcile → window at T → answers ∥ prefetch → plan → claim → send → resolve → books → sweep

What leads to an order goes in the trade lane; what comes after it waits its turn behind everybody's way to theirs.
A replay is `run_cycle` on a stepped clock; paper trading is the same loop on the machine's clock; live is the same
loop with another exchange behind the port. Every cycle of every account ends decided or visibly skipped.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import POOLS, Pool
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey
from lib.domain.candle import Candle
from lib.domain.decision import Decision
from lib.domain.errors import Pause, Retry, Skip
from lib.domain.order import Order
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING
from lib.domain.risk import AccountPlan, Outcome
from lib.domain.trade_log import Leg, summarise
from lib.domain.venues import pool_of
from lib.domain.worker import Room, RoomAsk
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext, due, fits, on_each_symbol
from lib.trading.cycle.candles import decision_window
from lib.trading.cycle.in_turn import PlanJob, planned
from lib.trading.cycle.opinion import announced, group_answer
from lib.trading.cycle.plan import FlipEntry, Prefetch, Snapshot, prefetch, take_snapshot
from lib.trading.cycle.platform_limits import Headroom, limits_now, open_headroom
from lib.trading.cycle.prompt import cycle_key
from lib.trading.cycle.report import AccountResult as AccountResult
from lib.trading.cycle.report import CycleReport as CycleReport
from lib.trading.cycle.sight import Sight, Sights, look
from lib.trading.orders.books import check_equity
from lib.trading.orders.close import OwnPart, our_part
from lib.trading.orders.reconcile import Sweep, has_lost_commits, recover
from lib.trading.orders.send import SendJob, SizeEntry, execute
from lib.trading.part import loan_end_ms
from lib.trading.state import Reservations

LOG = log.get("trading.cycle")
NOT_LEADING = codes.LEASE_LOST()


async def run_cycle(
    context: TradingContext, t_ms: int, *, only: frozenset[int] | None = None, among: Collection[int] | None = None
) -> CycleReport:
    """
    Serve every account of ours that is due at T (*among* those ids, when given), once. Running the same T again
    resumes it and doubles nothing.

    With *only*, serve those account ids instead, due or not; who has trading switched off gets the opinion alone.
    """
    epoch = await context.led_epoch()
    if epoch is None:
        LOG.warning("cycle.not_leading", t_ms=t_ms)
        return CycleReport(t_ms, NOT_LEADING, unserved=True)
    LOG.debug("cycle.began", t_ms=t_ms)
    reserved = {pool: context.state.reservations[pool].mark() for pool in POOLS}
    now_ms = await context.orders.now()
    unresolved = await context.orders.open_orders()
    everybody = await context.switches.accounts()
    accounts = [account for account in on_each_symbol(everybody) if _invited(context, account, t_ms, only)]
    accounts = [account for account in accounts if among is None or account.account_id in among]
    headrooms = await read_headrooms(context, everybody, unresolved, t_ms, reserved)
    if accounts and not context.part.is_whole:
        headrooms = {pool: await _lent(context, headroom, now_ms) for pool, headroom in headrooms.items()}
    this = RunningCycle(context, t_ms, epoch, now_ms, unresolved, headrooms, {})
    this.working.update(account.account_id for account in accounts)
    crowds = [[a for a in accounts if a.symbol == symbol] for symbol in sorted({a.symbol for a in accounts})]
    served = await asyncio.gather(*(_serve_symbol(this, crowd) for crowd in crowds), return_exceptions=True)
    groups = [await _whole(this, crowd, group) for crowd, group in zip(crowds, served, strict=True)]
    results = tuple(result for group in groups for result in group)
    report = CycleReport(t_ms, NOTHING if accounts else codes.NOBODY_DUE(), _finished(this.answers), results)
    await _announce(context, report)
    return report


async def _lent(context: TradingContext, headroom: Headroom, since_ms: int) -> Headroom:
    """*headroom* less what this process may not use of it; *since_ms* is the ledger's clock before rows were read."""
    use, limits = headroom.use(), headroom.limits
    left = Room(max(limits.entries_per_day - use.entries, 0), max(limits.max_exposure - use.exposure, ZERO))
    until_ms = loan_end_ms(headroom.t_ms)
    pool = headroom.seen.pool
    made = Room(headroom.reservations.entries, headroom.reservations.notional)
    ask = RoomAsk(pool, context.holder, since_ms, until_ms, left.entries, left.exposure, made)
    lent = await context.part.room(ask)
    return replace(headroom, aside=Room(left.entries - lent.entries, left.exposure - lent.exposure))


async def read_headrooms(
    context: TradingContext,
    everybody: Sequence[TraderAccount],
    unresolved: Sequence[Order],
    t_ms: int,
    reserved: Mapping[Pool, Reservations],
) -> dict[Pool, Headroom]:
    """The headroom of each pool, over the open rows of its accounts; a row of a forgotten account counts in both."""
    pools = {account.account_id: pool_of(account.venue) for account in everybody}
    limits = await limits_now(context)
    return {
        pool: await open_headroom(
            context,
            pool,
            limits,
            [row for row in unresolved if pools.get(row.account_id, pool) == pool],
            t_ms,
            reserved[pool],
        )
        for pool in POOLS
    }


def _invited(context: TradingContext, account: TraderAccount, t_ms: int, only: frozenset[int] | None) -> bool:
    return context.part.owns(account.account_id) and (
        due(account, context.feed, t_ms)
        if only is None
        else account.account_id in only and account.traded and fits(account, context.feed)
    )


@dataclass(frozen=True, slots=True)
class RunningCycle:
    """
    What the accounts of one cycle share: our lease's epoch, the ledger's clock (epoch ms) and the rows still open when
    it began, what the platform's limits leave each pool, a task per prompt group.
    """

    context: TradingContext
    t_ms: int
    epoch: int
    now_ms: int
    unresolved: Sequence[Order]
    headrooms: Mapping[Pool, Headroom]
    answers: dict[CycleKey, asyncio.Task[AnalystAnswer]]
    sights: dict[str, Sights] = field(default_factory=dict)
    """What is shown of each symbol whose candles are there."""
    working: Counter[int] = field(default_factory=Counter)
    """In how many symbols each account is still served."""
    traded: set[int] = field(default_factory=set)
    """Accounts that came as far as a plan in one of their symbols."""

    def key(self, account: TraderAccount) -> CycleKey:
        return cycle_key(self.context.feed, account, self.t_ms, self.context.model, self.sight(account).shown)

    def sight(self, account: TraderAccount) -> Sight:
        return self.sights.get(account.symbol, Sights(())).of(account)

    def headroom(self, account: TraderAccount) -> Headroom:
        return self.headrooms[pool_of(account.venue)]

    def ask(self, accounts: Sequence[TraderAccount]) -> None:
        """Start the answer of each prompt group among *accounts*, which all trade one symbol."""
        for group in announced(self.context, self.t_ms, accounts, self.sights[accounts[0].symbol]):
            answer = group_answer(self.context, group, self.headrooms)
            self.answers[group.key] = asyncio.ensure_future(answer)


async def _serve_symbol(this: RunningCycle, accounts: Sequence[TraderAccount]) -> list[AccountResult]:
    """Serve *accounts*, which all trade one symbol."""
    symbol = accounts[0].symbol
    try:
        window = await decision_window(this.context, symbol, this.t_ms)
    except Skip as skip:
        LOG.warning("cycle.skipped", t_ms=this.t_ms, symbol=symbol, why=str(skip))
        return await _skip_all(this, accounts, skip)
    LOG.debug("cycle.candles", t_ms=this.t_ms, symbol=symbol)
    this.sights[symbol] = await look(this.context, symbol, this.t_ms, window, accounts)
    this.ask(accounts)
    known = await _known_as_sent(this, accounts)
    each = (_serve(this, account, window, known) for account in accounts)
    served = await asyncio.gather(*each, return_exceptions=True)
    return [_contained(account, result) for account, result in zip(accounts, served, strict=True)]


async def _skip_all(this: RunningCycle, accounts: Sequence[TraderAccount], skip: Skip) -> list[AccountResult]:
    reasons = [_explained(this, account, skip) for account in accounts]
    each = (_skipped(this, account, why) for account, why in zip(accounts, reasons, strict=True))
    skipped = await asyncio.gather(*each, return_exceptions=True)
    return [_contained(account, result) for account, result in zip(accounts, skipped, strict=True)]


async def _skipped(this: RunningCycle, account: TraderAccount, why: Pause | Retry | Skip) -> AccountResult:
    """Left out for its symbol's sake; the account may have traded in another."""
    seen = await _skip(this, account, why)
    return replace(seen, difference=await _kept(this, account))


async def _whole(
    this: RunningCycle, accounts: Sequence[TraderAccount], served: list[AccountResult] | BaseException
) -> list[AccountResult]:
    """*served*, or a failed result for each of *accounts* when a bug ended their symbol: no other symbol is touched."""
    if isinstance(served, list):
        return served
    LOG.error("cycle.symbol_failed", served, t_ms=this.t_ms, symbol=accounts[0].symbol)
    skipped = await _skip_all(this, accounts, Skip(codes.INTERNAL_ERROR(type=type(served).__name__)))
    return [replace(result, outcome="failed") for result in skipped]


async def _known_as_sent(this: RunningCycle, accounts: Sequence[TraderAccount]) -> Set[str]:
    """
    The links of the orders last sent for *accounts* that the ledger has as sent; those left out are asked one by one.
    """
    newest = (this.context.state.newest_sent(account.slot) for account in accounts)
    links = [link for link in newest if link is not None]
    try:
        return await this.context.orders.sent_links(links) if links else set()
    except Retry:
        return set()


async def _serve(
    this: RunningCycle, account: TraderAccount, window: Sequence[Candle], known: Set[str]
) -> AccountResult:
    """Serve one account in one symbol; a failure there reaches no other account and no other symbol."""
    seen = await _served(this, account, window, known)
    return replace(seen, difference=await _kept(this, account))


async def _served(
    this: RunningCycle, account: TraderAccount, window: Sequence[Candle], known: Set[str]
) -> AccountResult:
    turn = this.context.state.turn(account.slot)
    with log.bind(account=account.account_id, t_ms=this.t_ms):
        try:
            known = set() if turn.locked() else known  # read before a wait it would be an old reading
            # one at a time: a cycle on demand and the timetable's would each find the account flat, and both enter
            async with turn:
                await _recover(this, account, known)
                return await _trade(this, account, window)
        except (Pause, Retry, Skip) as held:
            return await _skip(this, account, _explained(this, account, held))
        except Exception as bug:  # noqa: BLE001 - one account's bug must never stop another's orders
            LOG.error("cycle.account_failed", bug)
            seen = await _skip(this, account, Skip(codes.INTERNAL_ERROR(type=type(bug).__name__)))
            return replace(seen, outcome="failed")


def _explained(this: RunningCycle, account: TraderAccount, held: Pause | Retry | Skip) -> Pause | Retry | Skip:
    """*held*, or the reason why the account's market is closed, where the closed market is the cause of *held*."""
    closed = this.context.state.hours.why_closed(account, this.context.clock.now_ms())
    if isinstance(held, Pause) or not closed:
        return held
    LOG.warning("cycle.market_closed", account=account.account_id, why=str(held))
    return Skip(closed)


def _contained(account: TraderAccount, result: AccountResult | BaseException) -> AccountResult:
    """*result*, or a failed result when not even the failure of the account could be written down."""
    if isinstance(result, AccountResult):
        return result
    LOG.error("cycle.failure_unwritten", result, account=account.account_id)
    why = codes.INTERNAL_ERROR(type=type(result).__name__)
    return AccountResult(account.account_id, "failed", why, symbol=account.symbol)


async def _trade(this: RunningCycle, account: TraderAccount, window: Sequence[Candle]) -> AccountResult:
    context = this.context
    exchange, later = context.exchanges.open(account), context.exchanges.open(account, "resolve")
    # shield: one account's failure must not cancel the answer of its whole group
    answer_task = asyncio.shield(this.answers[this.key(account)])
    turns = context.state.entering(account.account_id).count
    before, answer = await asyncio.gather(prefetch(context, account, exchange), answer_task)
    LOG.debug("account.answered")
    snapshot = await _sound_snapshot(this, account, exchange, before)
    this.traded.add(account.account_id)
    try:
        wanted = PlanJob(context, account, exchange, this.key(account), this.headroom(account), turns)
        plan, orders = await planned(wanted, snapshot, answer, window[-1])
        size = _flip_size(this, account, exchange, answer)
        part = OwnPart(context, account, exchange, snapshot.position, our_part(snapshot.position, snapshot.own_qty))
        job = SendJob(account, exchange, size, later, snapshot.position, part.still, before.books)
        done = await execute(context, job, orders)
    finally:
        # from here on rows and books tell of the entry
        context.state.reservations[pool_of(account.venue)].conclude(account.slot)
    await recover(context, account, (), sweep=Sweep(this.epoch, now_ms=this.now_ms))
    legs = [Leg(order.reduce_only, order.state, order.filled_qty, order.why) for order in done]
    ended = summarise(plan.outcome, plan.reason, legs)
    why = ended.message or plan.reason
    return AccountResult(account.account_id, ended.outcome, why, tuple(done), symbol=account.symbol)


def _flip_size(
    this: RunningCycle, account: TraderAccount, exchange: Exchange, answer: AnalystAnswer
) -> SizeEntry | None:
    """The function that sizes the entry of a flip when its exit is done; None without a decision."""
    if not isinstance(answer.decision, Decision):
        return None
    return FlipEntry(this.context, account, exchange, answer.decision, this.headroom(account)).size


async def _recover(this: RunningCycle, account: TraderAccount, known: Set[str]) -> None:
    """
    Nothing is entered beside an order that nobody knows the end of. *Skip* when the exchange cannot be asked.

    The sweep after the last cycle stands for this one, unless another trader led since, or rows are open, or the ledger
    has lost what we sent: it has not when the account's newest link is among those *known* to it as sent.
    """
    context = this.context
    is_open = any(order.slot == account.slot for order in this.unresolved)
    newest = context.state.newest_sent(account.slot)
    has_lost = newest not in known and await has_lost_commits(context, account)
    epoch = context.part.epoch_of(account.account_id, this.epoch)
    if is_open or has_lost or context.state.swept_under(account.slot) != epoch:
        await _sweep_first(this, account, deep=has_lost)
    if has_lost:
        context.state.forget_sent(account.slot)  # told, and looked into


async def _sweep_first(this: RunningCycle, account: TraderAccount, *, deep: bool = False) -> None:
    sweep = Sweep(this.epoch, deep=deep, now_ms=this.now_ms)
    if not await recover(this.context, account, this.unresolved, sweep=sweep, lane="trade"):
        raise Skip(codes.NOT_RECONCILED())


async def _sound_snapshot(this: RunningCycle, account: TraderAccount, exchange: Exchange, before: Prefetch) -> Snapshot:
    """The snapshot to plan by; a position that our executions do not explain is swept for orphan orders first."""
    snapshot = await take_snapshot(this.context, account, exchange, before, this.t_ms)
    if snapshot.position.qty in (ZERO, snapshot.own_qty):
        return snapshot
    await _sweep_first(this, account, deep=True)
    return await take_snapshot(
        this.context, account, exchange, await prefetch(this.context, account, exchange), this.t_ms
    )


async def _kept(this: RunningCycle, account: TraderAccount) -> Decimal | None:
    """
    The exchange's balance minus our books, once the account's last symbol of this cycle has ended; None before, and
    when it cannot be read: the cycle's orders stand either way.

    The wallet is that of all symbols. It is held against the books when none of them has an order on its way.
    """
    this.working[account.account_id] -= 1
    if this.working[account.account_id] or account.account_id not in this.traded:
        return None
    try:
        exchange = this.context.exchanges.open(account, "resolve")
        return await check_equity(this.context, account, exchange, this.t_ms)
    except (Retry, Pause) as busy:
        LOG.warning("books.unread", why=str(busy))
        return None


async def _skip(this: RunningCycle, account: TraderAccount, held: Pause | Retry | Skip) -> AccountResult:
    """Write down why *account* goes no further; orders it planned or sent before stand."""
    standing: Sequence[Order] = ()
    try:
        if isinstance(held, Pause):
            await this.context.switches.pause(account.account_id, held.why)
        key = await _answered(this, account)  # it was asked for this account too: what it took is on its budget
        standing = await this.context.orders.plan(account, key, this.t_ms, AccountPlan("skipped", held.why))
    except Retry as busy:
        LOG.error("cycle.skip_unwritten", account=account.account_id, why=str(busy))
    outcome: Outcome = "unresolved" if standing else "skipped"
    return AccountResult(account.account_id, outcome, held.why, tuple(standing), symbol=account.symbol)


async def _answered(this: RunningCycle, account: TraderAccount) -> CycleKey | None:
    """The key of the account's answer, once the answer has come or failed; None when the analyst was not asked."""
    if not this.answers:
        return None
    key = this.key(account)
    if key in this.answers:
        await asyncio.wait([this.answers[key]])
    return key


def _finished(answers: Mapping[CycleKey, asyncio.Task[AnalystAnswer]]) -> dict[str, AnalystAnswer]:
    """The answers that came; an answer no account waits for any more is cancelled."""
    for task in answers.values():
        task.cancel()
    done = {key: task for key, task in answers.items() if task.done() and not task.cancelled()}
    return {key.prompt_group: task.result() for key, task in done.items() if task.exception() is None}


async def _announce(context: TradingContext, report: CycleReport) -> None:
    counts: dict[str, int] = {}
    for result in report.results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    LOG.info("cycle.done", t_ms=report.t_ms, groups=len(report.answers), idle=report.idle, **counts)
