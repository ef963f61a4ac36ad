"""
The trader as a process sees it: its jobs at start, at each tick of the timetable, and at the end.

Crash-only: start and recovery are the same code, SIGTERM only stops new work and lets sent orders be resolved. The
timetable itself (`schedule`) belongs to the service; every job here is safe to run twice.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Halt, Retry
from lib.domain.order import CYCLE_MS
from lib.market.status import TRADED, iso
from lib.ports.workers import WorkerCalls
from lib.trading.clock_check import check_clocks
from lib.trading.commands import CommandRunner
from lib.trading.context import TradingContext, boundary, due, fits, on_each_symbol
from lib.trading.cycle.account_modes import check_modes
from lib.trading.cycle.asking import ask_for_everybody
from lib.trading.cycle.report import cycle_status, traded
from lib.trading.cycle.run import CycleReport, run_cycle
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.operator_requests import OperatorRequests
from lib.trading.orders.reconcile import RESUME_MS, deepest, has_lost_commits, reconcile, recover, recoveries
from lib.trading.part import Beside, Share
from lib.trading.past_room import PastRoom
from lib.trading.shadow_room import ShadowRoom

LOG = log.get("trader")
GUARD_PAUSE_S = 1.0
RETRY_PAUSE_S = 2.0
DRAIN_S = 20.0
UNCALLED_S = 8.0
"""How long a worker waits for its leader's call before it begins a cycle alone."""
ANSWER_SLACK_S = 5.0
"""How much longer than the analyst may take a worker waits for the answer the leader fetches."""
NEAR_MS = 15_000
"""No account changes hands so shortly before a T: its new owner sweeps it first."""


@dataclass(slots=True)
class Trader:
    """One trader process over one context."""

    context: TradingContext
    guardian: Guardian
    command_runner: CommandRunner | None = None
    """Carries out commands, where a web sends them."""
    stopper: Stopper | None = None
    """Carries out thrown switches and proves them, where anybody can throw one."""
    operator_requests: OperatorRequests | None = None
    """Carries out what operators ask for on the web."""
    leads: bool = True
    """False for a worker: it serves its share, and another process keeps what is the platform's."""
    share: Share | None = None
    """What of the accounts is this process's, where they are divided among workers."""
    calls: WorkerCalls | None = None
    """How workers are told that a cycle begins."""
    beside: Beside | None = None
    """Keeps us from beginning beside processes that serve accounts the other way."""
    shadows: ShadowRoom | None = None
    past: PastRoom | None = None
    """They ask shadows once a cycle has ended, and models about the past between cycles, in a process that leads."""
    ready: bool = False
    halted: Halt | None = None
    """The *Halt* that a job raised; the service ends with it."""
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    serving: set[int] = field(default_factory=set)
    _begun_ms: int = 0
    """T of the newest cycle this process has begun."""
    _holding: bool = False
    _unresolved: set[int] | None = None
    """Accounts with open rows, read where some are to be given back."""
    _reconciling: bool = False
    _sweeping: bool = False
    _checking_markets: bool = False

    async def start(self) -> None:
        """
        Reconcile before anything may trade; then take up the cycle a crash may have cut.

        No job begins before the open rows were read from the ledger. From there on accounts are reconciled in parallel,
        and each waits for its own part alone: the key, network or many orders of one account hold no other account up.
        """
        if self.beside is not None:
            await self.beside.wait()
        await self._hold_first()
        parts = await self._what_is_open()
        self._spawn("recover", self._recover(parts))
        self._spawn("guard", self._guard())
        self.check_clocks()
        self.check_modes()
        t_ms = boundary(self.context.clock.now_ms())
        if self.context.clock.now_ms() - t_ms <= RESUME_MS:
            self._take_up(t_ms)

    def _take_up(self, t_ms: int) -> None:
        """
        Begin the cycle of T that may have begun before this process did; a leader asks for everybody anew, because
        whoever waits for the answer of the one before it would ask for itself in the end.
        """
        if self.leads and self.share is not None:
            self._spawn("call", self._call(t_ms))
        else:
            self._begin(t_ms)

    async def _hold_first(self) -> None:
        """The first share of the accounts; those taken are reconciled and met with everything else of the start."""
        while self.share is not None:
            try:
                await self.share.hold(self._is_at_rest)
                return
            except Retry as busy:
                LOG.error("trader.waiting", why=str(busy))
                await self.context.clock.sleep(RETRY_PAUSE_S)

    async def _what_is_open(self) -> list[Coroutine[None, None, bool]]:
        """Each account's part of the reconciliation, once the ledger could be read: from now on jobs may run."""
        while True:
            try:
                if self.stopper is not None:
                    await self.stopper.obey()
                parts = await recoveries(self.context, sweep=True)
            except Retry as busy:
                LOG.error("trader.waiting", why=str(busy))
                await self.context.clock.sleep(RETRY_PAUSE_S)
            else:
                self.ready = True
                return parts

    def cycle(self) -> None:
        """
        The cycle of the newest boundary is due: begin it, for everybody or, where accounts are divided and this process
        leads, for all workers; who only waits for its leader's call waits no longer than a moment.
        """
        t_ms = boundary(self.context.clock.now_ms())
        if self.share is None:
            self._begin(t_ms)
        elif self.ready:
            self._spawn("call", self._call(t_ms))

    def called(self, t_ms: int) -> None:
        """The leader calls: the cycle of T begins, and its answers are being fetched. Late or twice is no matter."""
        if self.share is not None and self.ready and t_ms == boundary(self.context.clock.now_ms()) > self._begun_ms:
            self.share.expect(t_ms, self.context.analyst_budget_s + ANSWER_SLACK_S)
            self._begin(t_ms)

    def _begin(self, t_ms: int) -> None:
        """Start the cycle of T as a task of its own, unless that one is under way."""
        if self.ready and t_ms not in self.serving:
            self._begun_ms = max(self._begun_ms, t_ms)
            self.serving.add(t_ms)
            self._spawn("cycle", self._cycle(t_ms))

    async def _call(self, t_ms: int) -> None:
        """Lead the cycle of T if this process is the leader; else wait to be called, and then begin alone."""
        context = self.context
        if self.leads and await context.switches.hold_lease(context.holder, context.lease_ms) is not None:
            self._spawn("ask", self._ask_everybody(t_ms))
            self._spawn("tell", self._tell(t_ms))
            self.called(t_ms)
            return
        await context.clock.sleep(UNCALLED_S)
        if self._begun_ms < t_ms:
            LOG.warning("cycle.uncalled", t_ms=t_ms)
            self._begin(t_ms)

    async def _ask_everybody(self, t_ms: int) -> None:
        """Fetch the answers of all workers' accounts; then it is the shadows' turn, once ours have traded."""
        await ask_for_everybody(self.context, t_ms)
        while t_ms in self.serving:
            await self.context.clock.sleep(1.0)
        self._ask_shadows(t_ms)

    def _ask_shadows(self, t_ms: int) -> None:
        if self.ready and self.leads and self.shadows is not None:
            self._spawn("shadows", self.shadows.answer(t_ms))

    def ask_past(self) -> None:
        """Ask about the past what people want to know, where that is in nobody's way."""
        if self.ready and self.leads and self.past is not None and self.past.is_quiet():
            self._spawn("past", self.past.run_pass())

    async def _tell(self, t_ms: int) -> None:
        if self.calls is not None and self.share is not None:
            workers = await self.share.leases.living(self.share.ttl_ms)
            await self.calls.call([one.holder for one in workers if one.holder != self.context.holder], t_ms)

    def hold_share(self) -> None:
        """Renew this process's share of the accounts, take what is free, give back what is too much."""
        if self.ready and self.share is not None and not self._holding:
            self._spawn("share", self._hold_share(self.share))

    async def _hold_share(self, share: Share) -> None:
        self._holding = True
        try:
            taken = await share.hold(self._is_at_rest)
            rows = await self.context.orders.open_orders() if share.surplus else None
            self._unresolved = None if rows is None else {row.account_id for row in rows}
        finally:
            self._holding = False
        if taken:
            await self._serve_taken(taken)

    async def _serve_taken(self, taken: frozenset[int]) -> None:
        """Accounts that are ours anew: guard, reconcile and sweep them, and serve this T while it can be served."""
        self.guardian.meet_anew(taken)
        self._spawn("recover", self._recover(await recoveries(self.context, sweep=True, only=taken)))
        t_ms = boundary(self.context.clock.now_ms())
        if self._begun_ms >= t_ms and self.context.clock.now_ms() - t_ms <= RESUME_MS:
            await self._try(t_ms, taken)

    def _is_at_rest(self, account_id: int) -> bool:
        """Whether the account may be given to another process: nothing of it is under way, and no T is near."""
        context, now = self.context, self.context.clock.now_ms()
        is_between = not self.serving and now % CYCLE_MS > RESUME_MS and CYCLE_MS - now % CYCLE_MS > NEAR_MS
        is_idle = not context.state.is_busy(account_id)
        is_ended = self._unresolved is not None and account_id not in self._unresolved
        return is_between and is_idle and is_ended and not self.guardian.is_inspecting(account_id)

    def reconcile(self) -> None:
        """Start one round of reconciliation unless one is running."""
        if self.ready and not self._reconciling:
            self._spawn("reconcile", self._reconcile())

    def sweep(self) -> None:
        """Sweep the accounts that no cycle sweeps: switched off, not swept yet, or with rows lost by the ledger."""
        if self.ready and not self._sweeping:
            self._spawn("sweep", self._sweep())

    def take_commands(self) -> None:
        """Carry out the commands that people, and operators, send from the web."""
        if self.ready and self.command_runner is not None:
            self._spawn("commands", self.command_runner.run_pass())
        if self.ready and self.operator_requests is not None:
            self._spawn("operators", self.operator_requests.run_pass())

    def enforce_stops(self) -> None:
        """Carry out the switches that are thrown, and prove that everything stopped."""
        if self.ready and self.stopper is not None:
            self._spawn("stops", self.stopper.run_pass())

    def check_modes(self) -> None:
        """Check once a day whether accounts still have the modes they were set to."""
        if self.ready:
            self._spawn("modes", check_modes(self.context))

    def look_at_keys(self) -> None:
        """Look once a day whether somebody's key ends soon."""
        if self.ready and self.command_runner is not None:
            self._spawn("keys", self.command_runner.look_at_keys())

    def check_clocks(self) -> None:
        """Check how far the clock we sign by is off the ledger's and the venues'."""
        self._spawn("clocks", self._check_clocks())

    def check_markets(self) -> None:
        """Check whether the traded exchanges and symbols are open."""
        if not self._checking_markets:
            self._spawn("markets", self._check_markets())

    def heartbeat(self) -> None:
        """Renew the lease and write the trader's heartbeat."""
        self._spawn("heartbeat", self._heartbeat())

    async def drain(self) -> None:
        """Let sent orders be resolved, give the lease back. Rows still open are the next start's to recover."""
        self.ready = False
        for task in self._tasks:
            if task.get_name() in ("guard", "shadows", "past"):
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)
        try:
            if self.share is not None:
                await self.share.leave()
            await self.context.switches.release_lease(self.context.holder)
        except Retry as busy:
            LOG.warning("trader.lease_kept", why=str(busy))

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (bug := task.exception()) is None:
            return
        if isinstance(bug, Halt):
            self.halted = bug
        elif isinstance(bug, Retry):
            LOG.warning("trader.job_waits", why=str(bug), job=task.get_name())
        else:
            LOG.error("trader.job_failed", bug, job=task.get_name())

    async def _recover(self, parts: Sequence[Coroutine[None, None, bool]]) -> None:
        LOG.info("trader.reconciled", complete=all(await asyncio.gather(*parts)))

    async def _cycle(self, t_ms: int) -> None:
        try:
            report = await self._served(t_ms)
        finally:
            self.serving.discard(t_ms)
        if self.share is None:
            self._ask_shadows(t_ms)
        if self.leads:
            await self.context.candles.set_status(cycle_status(report, self.context.clock.now_ms()))
            await self.context.candles.set_status({TRADED: traded(await self.context.switches.accounts())})

    async def _served(self, t_ms: int) -> CycleReport:
        """The cycle of T, tried again while no account could be served and this T still can be."""
        while True:
            report = await self._try(t_ms)
            if not report.unserved or self.context.clock.now_ms() - t_ms > RESUME_MS:
                return report
            # the leader may have died: its lease runs out while this T can still be served; or the ledger comes back
            await self.context.clock.sleep(RETRY_PAUSE_S)
            if not self.ready:
                return report

    async def _try(self, t_ms: int, among: frozenset[int] | None = None) -> CycleReport:
        try:
            with log.bind(t_ms=t_ms):
                return await run_cycle(self.context, t_ms, among=among)
        except Retry as busy:
            LOG.error("cycle.unserved", t_ms=t_ms, why=str(busy))
            return CycleReport(t_ms, busy.why, unserved=True)

    async def _reconcile(self) -> None:
        self._reconciling = True
        try:
            if await self.context.orders.open_orders():
                await reconcile(self.context, sweep=False)
        finally:
            self._reconciling = False

    async def _check_clocks(self) -> None:
        await check_clocks(self.context)

    async def _check_markets(self) -> None:
        context, self._checking_markets = self.context, True
        try:
            fitting = [account for account in await context.switches.accounts() if fits(account, context.feed)]
            accounts = on_each_symbol(fitting)
            await context.state.hours.refresh(context.market, accounts, context.clock)
        finally:
            self._checking_markets = False
        await context.state.hours.show(context.candles, context.clock.now_ms())

    async def _sweep(self) -> None:
        context, self._sweeping = self.context, True
        try:
            epoch = await context.led_epoch()
            t_ms = boundary(context.clock.now_ms())
            others = [account for account in await self._known() if await self._to_sweep(account, t_ms)]
            deep = await deepest(context, epoch)
            sweeps = (recover(context, account, (), sweep=deep) for account in others)
            results = await asyncio.gather(*sweeps, return_exceptions=True)
        finally:
            self._sweeping = False
        for account, result in zip(others, results, strict=True):
            if isinstance(result, BaseException):
                LOG.warning("sweep.account_failed", account=account.account_id, why=repr(result))

    async def _known(self) -> list[TraderAccount]:
        """
        All our accounts on each of their symbols, with deleted ones whose position is still open: the ledger may have
        lost their rows.
        """
        accounts = on_each_symbol(await self.context.own_accounts())
        known = {account.slot for account in accounts}
        return accounts + [account for account in self.guardian.held() if account.slot not in known]

    async def _to_sweep(self, account: TraderAccount, t_ms: int) -> bool:
        is_cycles = self.context.state.swept_under(account.slot) is not None and due(account, self.context.feed, t_ms)
        return not is_cycles or await has_lost_commits(self.context, account)

    async def _heartbeat(self) -> None:
        if not self.leads:
            return
        epoch = await self.context.switches.hold_lease(self.context.holder, self.context.lease_ms)
        fields = {"trader_heartbeat": self.context.clock.now_ms(), "guardian_heartbeat": self.guardian.looked_ms}
        told = {name: iso(at_ms) for name, at_ms in fields.items()}
        # a standby asks nobody: its leader's figures stand
        turns = {} if epoch is None else self.context.state.turns.told()
        await self.context.candles.set_status(told | turns)

    async def _guard(self) -> None:
        while True:
            try:
                await self.guardian.run()
            except Exception as bug:  # noqa: BLE001 - positions must stay guarded whatever it ran into
                LOG.error("guardian.stopped", bug)
            await self.context.clock.sleep(GUARD_PAUSE_S)
