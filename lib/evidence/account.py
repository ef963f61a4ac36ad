"""
One account's decisions, replayed over candles: what `run_cycle` would have made of the same answers, without asking.

At every T with an answer the account is where the desk has brought it; gates, locks, sizing and the plan are the
domain's own functions, called as the trader calls them, and equity is noted once what the plan sent has ended. The
real system over the same candles, with the same answers and latencies and an exchange without faults, gives the same
orders, fills, fees, funding, locks and equity (tests/evidence). The platform's limits, other people's acts and real
money's gates are not replayed; transfers neither.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain.account import AccountSettings
from lib.domain.day import midnight_after
from lib.domain.decision import Abstained, Decision
from lib.domain.equity import Mark, day_start
from lib.domain.gates import Facts, entry_refusal, lasting_gates
from lib.domain.locks import RiskLock
from lib.domain.order import CYCLE_MS, MAX_AGE_MS, VERDICTS, OrderDraft, OrderState
from lib.domain.position import ZERO
from lib.domain.quotes import is_away
from lib.domain.reason import NOTHING
from lib.domain.risk import AccountPlan, Outcome, decide, entry_draft, size_entry
from lib.domain.trade_log import Leg, summarise
from lib.evidence.desk import Desk, Sent, Terms
from lib.evidence.guarding import Watchman
from lib.evidence.tape import Tape

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the analyst said at one T; *failed* = nothing came back, *tokens* count on the account's budget."""

    decision: Decision | Abstained
    tokens: int = 0
    failed: bool = False


Ask = Callable[[int], Heard | None]
"""T (epoch ms) → the answer; None = no cycle then: the account is not served, and nothing is noted."""


@dataclass(frozen=True, slots=True)
class Latency:
    """
    How long things take, in ms: from T to the plan, from an order's send until its end is known; and how long after
    each full minute the guardian looks.
    """

    plan_ms: int = 2_000
    known_ms: int = 200
    looks_ms: tuple[int, ...] = (400, 30_000)


@dataclass(frozen=True, slots=True)
class Opened:
    """The account that is replayed: its settings, and the USDT it began with at *at_ms*."""

    settings: AccountSettings
    balance: Decimal
    at_ms: int


@dataclass(slots=True)
class Record:
    """What became of it. Lists are oldest first; *curve* and *outcomes* have one entry a T, as *times* has."""

    times: list[int] = field(default_factory=list)
    curve: list[Decimal] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    orders: list[tuple[int, Sent]] = field(default_factory=list)
    """(T, order)"""
    locks: list[RiskLock] = field(default_factory=list)


class Account:
    """An account at its desk; `serve` one T after the other."""

    def __init__(self, tape: Tape, terms: Terms, opened: Opened, latency: Latency | None = None) -> None:
        self.desk = Desk(tape, terms, opened.balance, opened.at_ms)
        self.record = Record()
        self._tape, self._terms, self._settings = tape, terms, opened.settings
        self._limits, self._latency = opened.settings.limits, latency or Latency()
        self._start = self._peak = opened.balance
        self._held: dict[str, int] = {}
        """Kinds of locks → until when they hold."""
        self._day_ends_ms = 0
        self._is_first = True
        self._measure(opened.balance)
        self._before: Mark | None = None
        self._entries = self._tokens = self._failures = 0
        watched = (opened.settings.exits, self._latency.looks_ms)
        self._watchman = Watchman(tape, terms.instrument, self.desk, *watched)
        self._away = tape.jumps()

    def run(self, times: Iterable[int], ask: Ask) -> Record:
        """Serve every T of *times* (ascending) that *ask* has an answer for."""
        for t_ms in times:
            heard = ask(t_ms)
            if heard is not None:
                self.serve(t_ms, heard)
        return self.record

    def serve(self, t_ms: int, heard: Heard) -> None:
        """Everything that happens until T, and the cycle of T."""
        at_ms = t_ms + self._latency.plan_ms
        if self._watchman.due_ms <= at_ms:
            for close in self._watchman.until(at_ms):
                self._closed_by_guardian(close)
        self.desk.advance(at_ms)
        if t_ms >= self._day_ends_ms:
            self._new_day(t_ms)
        equity = self.desk.equity(at_ms)
        self._lock(t_ms, at_ms, equity, answered=not heard.failed)
        outcome, ended_ms = self._decided(t_ms, at_ms, equity, heard.decision)
        if ended_ms > at_ms:
            self.desk.advance(ended_ms)
            equity = self.desk.equity(ended_ms)
        self._note(t_ms, equity, outcome)
        self._tokens += heard.tokens
        self._failures = self._failures + 1 if heard.failed else 0

    def _note(self, t_ms: int, equity: Decimal, outcome: Outcome) -> None:
        record = self.record
        if self._is_first:
            self._first_of_day(t_ms, equity)
        record.times.append(t_ms)
        record.curve.append(equity)
        record.outcomes.append(outcome)
        if equity > self._peak:
            self._peak = equity
            self._near_peak = equity * (1 - self._limits.drawdown) + _CENT

    # --- the day ------------------------------------------------------------------------------------------------------

    def _new_day(self, t_ms: int) -> None:
        self._day_ends_ms = midnight_after(t_ms)
        self._entries = self._tokens = 0
        self._is_first = True
        record = self.record
        self._before = Mark(record.times[-1], record.curve[-1], ZERO) if record.times else None
        self._measure(day_start(t_ms, self._before, None, self._start, ZERO))

    def _first_of_day(self, t_ms: int, equity: Decimal) -> None:
        """The day's first point: where the day starts when the one before is old."""
        self._is_first = False
        self._measure(day_start(t_ms, self._before, Mark(t_ms, equity, ZERO), self._start, ZERO))

    def _measure(self, start: Decimal) -> None:
        """The day starts at *start*: near which equity a loss limit may be met, a cent above where it is."""
        self._day_start = start
        self._near_day = start * (1 - self._limits.daily_loss) + _CENT
        self._near_peak = self._peak * (1 - self._limits.drawdown) + _CENT

    # --- gates --------------------------------------------------------------------------------------------------------

    def _facts(self, t_ms: int, at_ms: int, equity: Decimal) -> Facts:
        books, position = self.desk.books, self.desk.seen(at_ms)
        return Facts(
            equity=equity,
            available=self.desk.available(),
            position=position,
            foreign_orders=0,
            own_qty=position.qty,
            day_start_equity=self._day_start,
            peak_equity=self._peak,
            entries_today=self._entries,
            loss_streak=books.streak_on(t_ms),
            last_stop_ms=books.last_stop_ms,
            analyst_failures=self._failures,
            locks=tuple(sorted(kind for kind, until_ms in self._held.items() if until_ms > at_ms)),
            tokens_today=self._tokens,
        )

    def _lock(self, t_ms: int, at_ms: int, equity: Decimal, *, answered: bool) -> None:
        """Write down the gates that last, as the trader does."""
        if not self._may_lock(t_ms, at_ms, equity):
            return
        facts = self._facts(t_ms, at_ms, equity)
        for gate in lasting_gates(facts, self._limits, t_ms):
            if gate.kind not in facts.locks and (answered or gate.kind != "analyst_failures"):
                self._held[gate.kind] = gate.until_ms
                self.record.locks.append(RiskLock(0, gate.kind, gate.until_ms, gate.why, at_ms))

    def _may_lock(self, t_ms: int, at_ms: int, equity: Decimal) -> bool:
        """Whether a gate may stand that is not locked: at most T none does, and the figures need not be gathered."""
        limits, held, books = self._limits, self._held, self.desk.books
        return (
            (equity <= self._near_day and held.get("daily_loss", 0) <= at_ms)
            or (equity <= self._near_peak and held.get("drawdown", 0) <= at_ms)
            or (books.last_stop_ms + limits.cooldown_ms > t_ms and held.get("cooldown", 0) <= at_ms)
            or (books.loss_streak >= limits.loss_streak and held.get("loss_streak", 0) <= at_ms)
            or (self._entries >= limits.entries_per_day and held.get("entries", 0) <= at_ms)
            or (self._failures >= limits.analyst_failures and held.get("analyst_failures", 0) <= at_ms)
            or (self._tokens >= limits.analyst_tokens and held.get("analyst_budget", 0) <= at_ms)
        )

    # --- the plan -----------------------------------------------------------------------------------------------------

    def _decided(self, t_ms: int, at_ms: int, equity: Decimal, decision: Decision | Abstained) -> tuple[Outcome, int]:
        """How the cycle ended, and when (epoch ms)."""
        is_held = isinstance(decision, Abstained) or decision.action == "hold"
        if is_held and t_ms not in self._away:
            return "held", at_ms
        ref = self._tape.mark(at_ms)
        if is_away(ref, self._tape.mark(t_ms - 1)):
            return "skipped", at_ms
        facts = self._facts(t_ms, at_ms, equity)
        plan = decide(decision, facts, self._settings, self._terms.instrument, ref, t_ms)
        if plan.stop:
            self._watchman.commit(plan.stop, at_ms)
        if not plan.orders or isinstance(decision, Abstained):
            return plan.outcome, at_ms
        return self._sent(t_ms, at_ms, plan, decision)

    def _sent(self, t_ms: int, at_ms: int, plan: AccountPlan, decision: Decision) -> tuple[Outcome, int]:
        """Send the orders of *plan* one after the other; a flip's entry waits for its exit."""
        done: list[Sent] = []
        for draft in plan.orders:
            sized = self._after_exit(t_ms, at_ms, draft, done[-1], decision) if done else draft
            if isinstance(sized, Sent):
                done.append(sized)
                continue
            self._entries += not draft.reduce_only
            done.append(self.desk.send(sized, at_ms))
            if not draft.reduce_only and done[-1].filled:
                self._watchman.entered(t_ms, done[-1])
            at_ms += self._latency.known_ms
            self.desk.advance(at_ms)
        self.record.orders += [(t_ms, one) for one in done]
        legs = [Leg(one.draft.reduce_only, one.state, one.filled, NOTHING) for one in done]
        return summarise(plan.outcome, plan.reason, legs).outcome, at_ms

    def _after_exit(
        self, t_ms: int, at_ms: int, draft: OrderDraft, close: Sent, decision: Decision
    ) -> OrderDraft | Sent:
        """A flip's entry sized once its exit is done, its gates asked again; or as it ends without being sent."""
        if close.state not in VERDICTS or self.desk.position.qty:
            return Sent(draft, at_ms, OrderState.EXPIRED)
        equity, ref = self.desk.equity(at_ms), self._tape.mark(at_ms)
        self._lock(t_ms, at_ms, equity, answered=True)
        facts, settings, rule = self._facts(t_ms, at_ms, equity), self._settings, self._terms.instrument
        if entry_refusal(decision, draft.side, facts, settings, rule, t_ms):
            return Sent(draft, at_ms, OrderState.BLOCKED)
        sizing = size_entry(decision, draft.side, equity, facts.available, settings, rule, ref)
        return entry_draft(draft.side, sizing, ref) if sizing.qty else Sent(draft, at_ms, OrderState.BLOCKED)

    def _closed_by_guardian(self, close: Sent) -> None:
        """Book a close outside the plans under the newest T whose plan stands, and in its log."""
        record, t_ms = self.record, close.at_ms - close.at_ms % CYCLE_MS
        entered = next((t for t, one in reversed(record.orders) if not one.draft.reduce_only and one.filled), 0)
        if entered != t_ms and close.at_ms - t_ms <= MAX_AGE_MS:
            t_ms -= CYCLE_MS
        record.orders.append((t_ms, close))
        index = bisect_left(record.times, t_ms)
        if index < len(record.times) and record.times[index] == t_ms:
            sent = [one for t, one in record.orders[-8:] if t == t_ms]
            legs = [Leg(one.draft.reduce_only, one.state, one.filled, NOTHING) for one in sent]
            record.outcomes[index] = summarise(record.outcomes[index], NOTHING, legs).outcome
