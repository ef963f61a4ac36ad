"""
Backtests that people asked for, worked out one after the other.

Whoever runs this only hands questions over and writes down what it hears: the work itself is a `BacktestWorker`'s, a
process of its own that has neither the database nor a key. A question that was claimed and not ended, because this or
that process was killed, is claimed again once it was silent, and begins anew; candles that were fetched by then are
there, and the same question comes to the same answer. The same question about nobody's own answers is never worked out
twice, whoever asked it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from lib import log
from lib.clock import Clock
from lib.domain.backtests import FREE, State
from lib.domain.errors import Retry
from lib.domain.model_profile import cutoff_ms
from lib.domain.quarantine import stood
from lib.domain.reason import Reason
from lib.domain.stored_reason import stored
from lib.evidence.memory import ASKS, Answered, memory, side_of
from lib.evidence.memory import badges as memory_badges
from lib.ports.backtests import Answer, BacktestBook, BacktestWorker, Heard, Job

LOOK_S = 2.0
"""How often a new question is looked for."""
BEAT_S = 2.0
"""How often progress is written down, and whether somebody wants it no more is asked."""
_log = log.get("backtests")


def stamped(job: Job, answer: Answer) -> Answer:
    """*answer* of a model with what everybody must know of it; of others as it is."""
    if job.wish.kind in FREE:
        return answer
    who = json.loads(job.stamp or "{}")
    cutoff, wish = str(who.get("cutoff", "")), job.wish
    when = stood(cutoff, wish.since_ms, wish.until_ms, cutoff_ms(cutoff) or 0)
    return Answer(answer.result | {"quarantine": who | {"when": when, "calls": job.calls, "usd": str(job.usd)}})


class BacktestWorks:
    """Over the questions about *feed* in *book*; *worker* works them out."""

    def __init__(self, book: BacktestBook, worker: BacktestWorker, feed: str, clock: Clock) -> None:
        self._book, self._worker, self._feed, self._clock = book, worker, feed, clock

    async def run(self, stop: asyncio.Event) -> None:
        """One question after the other until *stop*."""
        while not stop.is_set():
            is_idle = True
            try:
                is_idle = not await self.one(stop)
            except Retry as away:
                _log.warning("backtests.wait", why=str(away))
            except Exception as mistake:  # noqa: BLE001 - no backtest is worth ending a process that tells people things
                _log.error("backtests.failed", mistake)
            if is_idle:
                try:
                    await asyncio.wait_for(stop.wait(), LOOK_S)
                except TimeoutError:
                    continue

    async def one(self, stop: asyncio.Event) -> bool:
        """Work the next question out; False when there is none. What *stop* interrupts is claimed again later."""
        job = await asyncio.to_thread(self._book.take, self._feed, self._clock.now_ms())
        if job is None:
            return False
        known = None
        if job.wish.kind == "rules":
            known = await asyncio.to_thread(self._book.answered, job.key)
        if known is not None:
            await self._end(job, "done", known)
        elif job.stage == "replay" and job.wish.kind == "memory":
            await self._end(job, "done", await asyncio.to_thread(self._tested, job))
        else:
            await self._worked_out(job, stop)
        return True

    async def _worked_out(self, job: Job, stop: asyncio.Event) -> None:
        is_replayed = job.wish.kind == "answers" or job.stage == "replay"
        heard = self._worker.work(job.wish, self._book.recorded(job) if is_replayed else (), job.stage)
        try:
            await self._listened(job, heard, stop)
        finally:
            await heard.aclose()  # type: ignore[attr-defined]

    async def _listened(self, job: Job, heard: AsyncIterator[Heard], stop: asyncio.Event) -> None:
        beaten, at = -BEAT_S, (0, 0)
        waiting: asyncio.Task[Heard] | None = None
        try:
            while not stop.is_set():
                waiting = waiting or asyncio.ensure_future(anext(heard))
                done, _ = await asyncio.wait((waiting,), timeout=BEAT_S)
                if done:
                    one, waiting = waiting.result(), None
                    if isinstance(one, Answer | Reason):
                        await self._ended(job, one)
                        return
                    if isinstance(one, list):
                        await asyncio.to_thread(self._book.write_questions, job, one)
                    else:
                        at = one
                if time.monotonic() - beaten >= BEAT_S:
                    beaten = time.monotonic()
                    if not await asyncio.to_thread(self._book.beat, job.job_id, *at, self._clock.now_ms()):
                        await self._end(job, "cancelled")
                        return
        finally:
            if waiting is not None:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)

    async def _ended(self, job: Job, one: Answer | Reason) -> None:
        if isinstance(one, Answer) and job.stage == "prepare":
            await asyncio.to_thread(self._book.prepared, job, self._clock.now_ms())
        elif isinstance(one, Answer):
            await self._end(job, "done", stamped(job, one))
        else:
            await self._end(job, "failed", why=one)

    def _tested(self, job: Job) -> Answer:
        """What a memory test comes to; kept besides for its version × model."""
        told = self._book.tested(job, len(ASKS))
        sides = [[None if view is None else side_of(view) for view in window] for window in told]
        found = memory([Answered(tuple(window)) for window in sides if len(window) == len(ASKS)])
        badges, who = memory_badges(found), json.loads(job.stamp or "{}")
        self._book.keep_test(job, str(who.get("asked", "")), found.windows, badges, self._clock.now_ms())
        return stamped(job, Answer({"badges": [stored(one) for one in badges], "windows": found.windows}))

    async def _end(self, job: Job, state: State, answer: Answer | None = None, why: Reason | None = None) -> None:
        now = self._clock.now_ms()
        await asyncio.to_thread(self._book.end, job.job_id, state, now, answer, why)
        _log.info("backtests.ended", job=job.job_id, state=state, why="" if why is None else str(why))
