"""
Threads that run a ledger's transactions, those that wait at the same time in one commit where that is allowed.

Together go works of one kind that were waiting when a thread came free, as many as `MOST`; a work that waits alone
goes at once. Each is still whole or nothing, and ends by itself: when one of them fails before the commit, all are
rolled back and each is run again in a transaction of its own, so that a failure stays its own account's. An error in
COMMIT is everybody's, with unknown effect, and nothing is run again. A work must therefore do nothing but what its
connection can undo.

Kinds go before each other in the order of `Kind`, claims and switches first: a signature grows old while it waits.
After `IN_A_ROW` transactions that went before an older work, the oldest has its turn: nothing starves behind a crowd.
"""

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact

T = TypeVar("T")

MOST = 16
"""Works in one transaction: whoever goes first waits for no more than these, a few tens of ms."""
IN_A_ROW = 8


class Kind(Enum):
    """What a work is, and whether another may share its transaction; the first kinds go first."""

    FIRST = "a claim or a switch: by itself"
    WRITE = "a write on an order's way: with others"
    READ = "a read of one account's: with others"
    ALONE = "a write that must not share"
    LONG_READ = "a read of many rows: by itself"
    BOOK = "a write of books and reports: with others"


_READS = frozenset({Kind.READ, Kind.LONG_READ})


@dataclass(slots=True, eq=False)
class _Job:
    """
    One work on its way. *is_done* = it came to *result*, or to *problem* when there is one. *waiter* wakes its task,
    None while no task waits. *is_parted* = the transaction it shared has failed.
    """

    work: Callable[[sa.Connection], Any]
    kind: Kind
    place: int
    is_parted: bool = False
    is_done: bool = False
    result: Any = None
    problem: BaseException | None = None
    waiter: "asyncio.Future[None] | None" = None

    @property
    def is_given_up(self) -> bool:
        return self.waiter is not None and self.waiter.cancelled()


class GroupCommit:
    """At most *threads* transactions of *engine* at once; works of the kinds in *together* may share one."""

    def __init__(self, engine: sa.Engine, threads: int, name: str, together: frozenset[Kind]) -> None:
        self._engine = engine
        self._threads = threads
        self._together = together
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._queues: dict[Kind, deque[_Job]] = {kind: deque() for kind in Kind}
        self._places = itertools.count()
        self._busy = self._passed = 0

    def close(self) -> None:
        """Wait until every work has ended, and end the threads."""
        self._pool.shutdown(wait=True)

    async def run(self, work: Callable[[sa.Connection], T], kind: Kind) -> T:
        """
        What *work* returns, once its transaction is committed; what it or the database raised otherwise.

        A cancelled caller's work is left out while it waits, and runs to its end once begun.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, kind, next(self._places))
        self._put(loop, job)
        with self._lock:
            if not job.is_done:
                job.waiter = loop.create_future()
        if job.waiter is not None:
            await job.waiter
        if job.problem is not None:
            raise job.problem
        result: T = job.result
        return result

    def _put(self, loop: asyncio.AbstractEventLoop, job: _Job) -> None:
        with self._lock:
            self._queues[job.kind].append(job)
            is_missing = self._busy < self._threads
            self._busy += is_missing
        if is_missing:
            try:
                loop.run_in_executor(self._pool, self._work_off)
            except RuntimeError:  # closed
                self._take_back(job)
                raise

    def _take_back(self, job: _Job) -> None:
        with self._lock:
            self._busy -= 1
            with suppress(ValueError):  # another thread has taken it meanwhile
                self._queues[job.kind].remove(job)

    def _work_off(self) -> None:
        """One thread's turn: until nothing waits."""
        while jobs := self._next():
            reached = _Reached()
            try:
                results = transact(self._engine, partial(_all_of, jobs, reached), readonly=jobs[0].kind in _READS)
            except BaseException as problem:  # noqa: BLE001 - it is the callers', who wait on another thread
                if reached.is_theirs(len(jobs)):
                    self._part(jobs)
                else:
                    self._end(jobs, [None] * len(jobs), problem)
            else:
                self._end(jobs, results)

    def _next(self) -> list[_Job]:
        """The jobs of the next transaction; none = this thread's turn is over."""
        with self._lock:
            while waiting := [queue for queue in self._queues.values() if queue]:
                queue = self._foremost(waiting)
                most = MOST if queue[0].kind in self._together and not queue[0].is_parted else 1
                taken = [queue.popleft() for _ in range(min(most, len(queue)))]
                if jobs := [job for job in taken if not job.is_given_up]:
                    return jobs
            self._busy -= 1
            return []

    def _foremost(self, waiting: Sequence[deque[_Job]]) -> deque[_Job]:
        oldest = min(waiting, key=lambda queue: queue[0].place)
        if waiting[0] is oldest or self._passed >= IN_A_ROW:
            self._passed = 0
            return oldest
        self._passed += 1
        return waiting[0]

    def _part(self, jobs: Sequence[_Job]) -> None:
        """Back to where *jobs* came from, each to go by itself: whoever goes first may go in between."""
        with self._lock:
            for job in reversed(jobs):
                job.is_parted = True
                self._queues[job.kind].appendleft(job)

    def _end(self, jobs: Sequence[_Job], results: Sequence[Any], problem: BaseException | None = None) -> None:
        with self._lock:
            for job, result in zip(jobs, results, strict=True):
                job.is_done, job.result, job.problem = True, result, problem
            waiters = [job.waiter for job in jobs if job.waiter is not None]
        for loop in {waiter.get_loop() for waiter in waiters}:
            # a loop that is closed has nobody who waits
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_wake, [waiter for waiter in waiters if waiter.get_loop() is loop])


@dataclass(slots=True)
class _Reached:
    """How far a transaction came: to its first work, to its commit."""

    work: bool = False
    commit: bool = False

    def is_theirs(self, works: int) -> bool:
        """
        Whether a failure is that of one of several works, of which then none took effect. Before the first work the
        database itself is away; from the commit on the effect is unknown.
        """
        return works > 1 and self.work and not self.commit


def _all_of(jobs: Sequence[_Job], reached: _Reached, connection: sa.Connection) -> list[Any]:
    reached.work = True
    results = [job.work(connection) for job in jobs]
    reached.commit = True
    return results


def _wake(waiters: "Sequence[asyncio.Future[None]]") -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
