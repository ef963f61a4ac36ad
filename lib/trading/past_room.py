"""
Models are asked about the past here, when nobody who trades wants to ask.

    a job whose questions are written down → answers that are there → budgets → claim → one call → what came of it

Like the room of shadows it has no exchange, no orders and no claim of an order. It asks between cycles alone: nothing
is begun from shortly before a T until its orders are out, nor while somebody waits for a model, and what is begun ends
before the next T. A job goes a stint at a time, so that everybody's go on. Some of its questions are asked together,
where budgets leave room for what all of them may cost. Killed at any line, a job is taken up again and asks nothing
that was answered; at most the calls under way are made once more, and were on the budget already.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.decision import Abstained
from lib.domain.errors import Retry
from lib.domain.model_profile import DEFAULT_MODEL, ModelProfile, goes_on
from lib.domain.order import CYCLE_MS
from lib.domain.position import ZERO
from lib.domain.quarantine import LONG_ANSWER, DayUse, PastQuestion, answer_key, over_day, over_job, with_usage
from lib.domain.reason import Reason
from lib.domain.tokens import estimated
from lib.ports.analyst import Analyst
from lib.ports.models import Candidate, ModelDesk
from lib.ports.past import PastBook, PastCall, PastJob
from lib.trading.turns import Model, Turns, Urgency

LOG = log.get("trading.past")
BEGIN_MS = 45_000
"""From T: by then its orders are out, or its cycle is told to be busy."""
SPARE_MS = 15_000
"""Before the next T: by then the last call has ended."""
STINT = 20
"""Calls of one job before it is others' turn."""
A_PIECE = 50
BEAT_S = 2.0
PATIENCE_S = 5.0
AT_ONCE = 4
"""Calls of one job under way together, where the model has as many places for the past."""
MARGIN = 8
"""
How many times what a call may cost must be left for one more beside others: should all of them come out as dear as a
provider's usual 2,000 tokens, the budgets hold. Nearer to one it goes a call at a time.
"""
MOST_FAILED = 6
"""Calls in a row without an answer, after which the model counts as away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMeans:
    """
    All the room has. *environment* is the model of `OPENAI_*`, asked through *analyst*; *is_busy* tells whether a cycle
    is under way.
    """

    book: PastBook
    limits: Callable[[], Awaitable[PlatformLimits]]
    environment: ModelProfile
    analyst: Analyst
    models: ModelDesk | None
    turns: Turns
    clock: Clock
    feed: str
    analyst_budget_s: float
    is_busy: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class _Stint:
    """What is known of a job while it is worked on."""

    job: PastJob
    one: Candidate
    limits: PlatformLimits
    used: DayUse
    calls: int
    usd: Decimal
    dearest: Decimal = ZERO
    failed: int = 0
    """In a row."""
    width: int = 1
    """How many are asked together next: more while all are answered."""
    why: Reason | None = None
    """Why it is over."""
    waits: bool = False
    """No turn came, or others make what calls are left."""
    others: set[int] = field(default_factory=set)
    """Questions whose call another process makes, or did a moment ago."""


class PastRoom:
    """Over *means*. `run_pass` is safe to call at any time, and does nothing while one is under way."""

    def __init__(self, means: PastMeans) -> None:
        self._means, self._book = means, means.book
        self._is_running = False

    def is_quiet(self) -> bool:
        """Whether a call that begins now is in nobody's way."""
        means = self._means
        into_ms = means.clock.now_ms() % CYCLE_MS
        last_ms = CYCLE_MS - SPARE_MS - int(means.analyst_budget_s * 1000)
        return BEGIN_MS <= into_ms < last_ms and not means.is_busy() and not means.turns.waiting

    async def run_pass(self) -> None:
        """Ask while it is quiet and there is something to ask. *Retry* when the book is away."""
        if self._is_running:
            return
        self._is_running = True
        try:
            while self.is_quiet() and await self._one():
                pass
        finally:
            self._is_running = False

    async def _one(self) -> bool:
        """A stint of the next job; False where there is none, or it can only wait."""
        now = self._means.clock.now_ms()
        job = await self._book.take(self._means.feed, now)
        if job is None:
            return False
        stint = await self._begun(job)
        if stint is None:
            await self._book.end(job.job_id, "failed", now, codes.PAST_MODEL_GONE(model=job.wish.model))
            return True
        is_over = await self._worked(stint)
        now = self._means.clock.now_ms()
        if stint.why is not None:
            await self._book.end(job.job_id, "failed", now, stint.why)
        elif is_over:
            await self._book.asked(job.job_id, now)
        else:
            await self._book.put_back(job.job_id, now)
        LOG.info("past.stint", job=job.job_id, calls=stint.calls, usd=str(stint.usd), over=is_over)
        return not stint.waits

    async def _begun(self, job: PastJob) -> _Stint | None:
        one = await self._candidate(job)
        if one is None:
            return None
        profile = one.profile
        told = {"name": profile.name, "shown": profile.shown, "asked": profile.model, "cutoff": profile.cutoff}
        await self._book.stamp(job.job_id, told)
        used = await self._book.used(job, profile, one.owner_id, self._means.clock.now_ms())
        return _Stint(job, one, await self._means.limits(), used, job.calls, job.usd)

    async def _candidate(self, job: PastJob) -> Candidate | None:
        means, name = self._means, job.wish.model
        if name == DEFAULT_MODEL:
            return Candidate(means.environment, 0, means.analyst)
        found = await means.models.candidates(job.user_id, (name,)) if means.models is not None else []
        return found[0] if found else None

    # --- a stint ------------------------------------------------------------------------------------------------------

    async def _worked(self, stint: _Stint) -> bool:
        """Whether everything of the job is answered; it is watched whether somebody wants it no more."""
        asking = asyncio.ensure_future(self._asked(stint))
        try:
            while not asking.done():
                if not await self._book.beat(stint.job.job_id, self._means.clock.now_ms()):
                    await self._book.end(stint.job.job_id, "cancelled", self._means.clock.now_ms())
                    return False
                await asyncio.wait((asking,), timeout=BEAT_S)
            return asking.result()
        finally:
            if not asking.done():
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking

    async def _asked(self, stint: _Stint) -> bool:
        first = stint.calls
        while questions := await self._book.open_questions(stint.job.job_id, A_PIECE):
            keys = {one.seq: answer_key(stint.one.profile, stint.one.owner_id, one) for one in questions}
            known = await self._book.known(stint.job.job_id, keys, self._means.clock.now_ms())
            if stint.others.issuperset(keys.keys() - known) and known != keys.keys():
                stint.waits = True
                return False
            lacking = [one for one in questions if one.seq not in known and one.seq not in stint.others]
            open_ = list({keys[one.seq]: one for one in reversed(lacking)}.values())
            while open_:
                left = STINT - (stint.calls - first)
                if not self.is_quiet() or left <= 0:
                    return False
                wave = [open_.pop() for _ in range(min(self._width(stint), left, len(open_)))]
                if not await self._wave(stint, wave, keys):
                    return False
        return True

    def _width(self, stint: _Stint) -> int:
        """How many may be asked now: one after an answer that failed, and never a place that is somebody else's."""
        return max(1, min(stint.width, self._means.turns.spare(_model(stint.one), Urgency.PAST)))

    async def _wave(self, stint: _Stint, wave: Sequence[PastQuestion], keys: Mapping[int, str]) -> bool:
        """Whether it goes on after *wave*, of which those are asked together that budgets leave room for."""
        calls = self._allowed(stint, wave, keys)
        if not calls:
            return False
        found = await asyncio.gather(*(self._called(stint, call) for call in calls), return_exceptions=True)
        for answer in found:
            if isinstance(answer, AnalystAnswer):
                self._paid(stint, answer)
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer
        goes_on_ = [self._goes_on(stint, answer) for answer in found if isinstance(answer, AnalystAnswer)]
        stint.width = 1 if stint.failed else min(2 * stint.width, AT_ONCE)
        return all(goes_on_) and not stint.waits

    def _allowed(self, stint: _Stint, wave: Sequence[PastQuestion], keys: Mapping[int, str]) -> list[PastCall]:
        """The calls that may be made together: each leaves room for what those before it may cost. `why` if none."""
        job, one, calls = stint.job, stint.one, list[PastCall]()
        usd, used = stint.usd, stint.used
        for question in wave:
            reserve = self._reserve(stint, question)
            room = MARGIN * reserve if calls else reserve
            why = over_job(job.wish, stint.calls + len(calls), usd, room) or over_day(
                stint.limits, used, one.profile, one.owner_id, room
            )
            if why:
                stint.why = None if calls else why
                break
            calls.append(PastCall(job, question, keys[question.seq], one.profile, one.owner_id, reserve))
            usd += reserve
            used = with_usage(used, reserve, one.owner_id, is_priced=one.profile.prices.known)
        return calls

    def _paid(self, stint: _Stint, answer: AnalystAnswer) -> None:
        cost, one = answer.cost if answer.cost is not None else ZERO, stint.one
        stint.calls, stint.usd = stint.calls + 1, stint.usd + cost
        stint.used = with_usage(stint.used, answer.cost, one.owner_id, is_priced=one.profile.prices.known)
        stint.dearest = max(stint.dearest, cost)

    def _goes_on(self, stint: _Stint, answer: AnalystAnswer) -> bool:
        if not answer.failed:
            stint.failed = 0
            return True
        stint.failed += 1
        why = answer.decision.why if isinstance(answer.decision, Abstained) else codes.ANALYST_TIMEOUT()
        if stint.failed >= MOST_FAILED or not goes_on(why):
            stint.why = codes.PAST_MODEL_AWAY(why=why)  # a key that is refused is refused the next time as well
            return False
        return True

    def _reserve(self, stint: _Stint, question: PastQuestion) -> Decimal:
        """What the call may cost: a long answer, or as much as the dearest so far."""
        said = question.prompt
        cost = stint.one.profile.prices.cost(estimated(said.system) + estimated(said.user), LONG_ANSWER)
        return max(cost or ZERO, stint.dearest)

    async def _called(self, stint: _Stint, call: PastCall) -> AnalystAnswer | None:
        """The answer, written down; None where the call was not made: its turn did not come, or another makes it."""
        means, model = self._means, _model(stint.one)
        wish = means.turns.announce(0, f"past {call.job.job_id}", Urgency.PAST, 1, model)
        try:
            if await means.turns.enter(wish, model, PATIENCE_S) is None:
                stint.waits = True
                return None
            try:
                if not await self._book.claim(call, means.clock.now_ms()):
                    stint.others.add(call.question.seq)
                    return None
                answer = await stint.one.analyst.ask(
                    replace(call.question.prompt, model=call.profile.model), means.analyst_budget_s
                )
            finally:
                means.turns.leave(model)
        finally:
            means.turns.withdraw(wish)
        cost = call.profile.prices.cost(answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens)
        priced = replace(answer, cost=cost)
        await self._concluded(call, priced)
        return priced

    async def _concluded(self, call: PastCall, answer: AnalystAnswer) -> None:
        """An answer that was paid for is written down, however long the book is away."""
        for pause_s in PAUSES_S:
            try:
                await self._book.conclude(call, answer, self._means.clock.now_ms())
                return
            except Retry as away:
                LOG.warning("past.unwritten", job=call.job.job_id, why=str(away))
                await self._means.clock.sleep(pause_s)
        await self._book.conclude(call, answer, self._means.clock.now_ms())


PAUSES_S: Sequence[float] = (0.5, 2.0, 8.0)


def _model(one: Candidate) -> Model:
    return one.owner_id, one.profile.name
