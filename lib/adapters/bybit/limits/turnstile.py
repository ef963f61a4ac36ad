"""
The queue of one process in front of a request budget.

Calls are served by lane (guard, trade, resolve), within a lane the urgent ones first, then first come first served. The
guard's reads go first as long as they are within the guard's share; past that share the trade lane goes before them, so
that inspections of a thousand positions do not hold up the entries, nor the other way round. A call whose account's
endpoint is full stands aside and lets others pass; a call that waits too long gets *Retry* and takes no place. The
budget says how many calls may pass; the queue only bounds the calls in flight: those that a slow venue or a slow
machine holds up arrive all together, and are counted there when they arrive.
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from lib.adapters.bybit.limits.window import Window
from lib.clock import Clock, SteadyClock
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.ports.exchange import Lane

RANK: dict[Lane, int] = {"guard": 0, "trade": 1, "resolve": 2}
BATCH = 8
"""The most calls a budget is asked about at a time."""
PAUSE_MS = 20
"""Shortest wait for a full address: two calls' worth, so that a budget far away is asked for several at once."""
GUARD_READS, GUARD_SPAN_MS = 168, 5_000
"""The guard's share: 1,000 positions read again within 30 s. Its urgent calls (stops, exits) are not counted."""
TOO_MANY = codes.TOO_MANY_CALLS()


@dataclass(frozen=True, slots=True)
class Ask:
    """One call that waits to be made; *account* is empty for public calls."""

    account: str
    path: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A budget's answer to one call: go (and the call is counted), or *wait_ms* first, or *refusal*.

    *own* = the account's endpoint is full, not the address: calls of other accounts may pass.
    """

    wait_ms: int = 0
    own: bool = False
    refusal: Retry | None = None


class Budget(Protocol):
    """Counts the calls that may pass. A far side that is away is a refusal, never an exception."""

    async def take(self, asks: Sequence[Ask]) -> list[Answer]:
        """An answer for each of *asks*, decided in their order."""
        ...


@dataclass(order=True, slots=True)
class _Waiter:
    rank: tuple[int, int, int]
    ask: Ask = field(compare=False)
    future: asyncio.Future[None] = field(compare=False)

    @property
    def is_guards_read(self) -> bool:
        return self.rank[:2] == (RANK["guard"], 1)


class Turnstile:
    """One queue, whose callers live on one event loop."""

    def __init__(self, clock: Clock, budget: Budget, *, most_under_way: int | None = None) -> None:
        self._clock = clock
        self._steady = SteadyClock(clock)
        self._budget = budget
        self._most = most_under_way
        self._under_way = 0
        self._number = count()
        self._queues: dict[Lane, list[_Waiter]] = {lane: [] for lane in RANK}
        self._guard_reads = Window(GUARD_READS, GUARD_SPAN_MS)
        self._aside: list[tuple[int, int, _Waiter]] = []
        """Waiters whose account's endpoint is full: (until, number, waiter)."""
        self._deadlines: list[tuple[int, int, _Waiter]] = []
        self._full: tuple[int, int] = (0, 0)
        """Until when the address is full (epoch ms), and from which rank on."""
        self._news = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    def left(self, lane: Lane) -> None:
        """A call that was admitted is over, answered or not."""
        self._under_way -= lane != "guard"
        self._news.set()

    @property
    def idle(self) -> bool:
        """Whether no call waits."""
        return self._pump is None

    async def enter(self, ask: Ask, *, urgent: bool, max_wait_s: float) -> None:
        """Return when *ask* may be made; *Retry* when refused or after *max_wait_s*."""
        number = next(self._number)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter((RANK[ask.lane], 0 if urgent else 1, number), ask, future)
        heapq.heappush(self._queues[ask.lane], waiter)
        heapq.heappush(self._deadlines, (self._steady.now_ms() + round(max_wait_s * 1000), number, waiter))
        if self._pump is None:
            self._pump = asyncio.create_task(self._serve_all(), name="turnstile")
        elif RANK[ask.lane] < self._full[1] or not self._is_full():
            self._news.set()
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self.left(ask.lane)  # admitted and given up in the same moment
            raise

    def _is_full(self) -> bool:
        return self._full[0] > self._steady.now_ms()

    async def _serve_all(self) -> None:
        try:
            while self._drop_late():
                self._news.clear()
                if asked := self._next_in_line():
                    await self._serve(asked)
                await self._rest()
        finally:
            self._pump = None
            self._send_home()

    async def _serve(self, asked: Sequence[_Waiter]) -> None:
        counted = sum(waiter.ask.lane != "guard" for waiter in asked)
        self._under_way += counted  # until the answers are there, all of them may be
        try:
            answers = await self._budget.take([waiter.ask for waiter in asked])
        finally:
            self._under_way -= counted
        for waiter, answer in zip(asked, answers, strict=True):
            self._tell(waiter, answer)

    def _send_home(self) -> None:
        """Refuse every waiting call when the queue is served no more: after a bug, or at the end of the process."""
        for _, _, waiter in self._deadlines:
            if not waiter.future.done():
                waiter.future.set_exception(Retry(codes.QUEUE_CLOSED()))
        for queue in self._queues.values():
            queue.clear()
        self._aside.clear()
        self._deadlines.clear()

    def _drop_late(self) -> bool:
        """Refuse the calls that waited too long; whether any call still waits."""
        now = self._steady.now_ms()
        while self._deadlines and (self._deadlines[0][0] <= now or self._deadlines[0][2].future.done()):
            waiter = heapq.heappop(self._deadlines)[2]
            if not waiter.future.done():
                waiter.future.set_exception(Retry(TOO_MANY))
        return bool(self._deadlines)

    def _next_in_line(self) -> list[_Waiter]:
        now = self._steady.now_ms()
        while self._aside and self._aside[0][0] <= now:
            waiter = heapq.heappop(self._aside)[2]
            heapq.heappush(self._queues[waiter.ask.lane], waiter)
        found: list[_Waiter] = []
        while len(found) < BATCH and (queue := self._best_queue(now, len(found))):
            found.append(heapq.heappop(queue))
        return found

    def _best_queue(self, now: int, going: int = 0) -> list[_Waiter] | None:
        """The queue whose first call is next when *going* calls go before it, None when no call may go now."""
        queues = [queue for queue in self._queues.values() if self._first(queue)]
        open_ones = [queue for queue in queues if not self._blocked(queue[0], now, going)]
        return min(open_ones, key=lambda queue: self._rank(queue[0], now), default=None)

    def _first(self, queue: list[_Waiter]) -> _Waiter | None:
        while queue and queue[0].future.done():
            heapq.heappop(queue)
        return queue[0] if queue else None

    def _rank(self, waiter: _Waiter, now: int) -> float:
        past_share = waiter.is_guards_read and self._guard_reads.wait_ms(now)
        return RANK["trade"] + 0.5 if past_share else waiter.rank[0]

    def _blocked(self, waiter: _Waiter, now: int, going: int) -> bool:
        until, rank = self._full
        has_most = self._most is not None and self._under_way + going >= self._most
        return (until > now and self._rank(waiter, now) >= rank) or (has_most and waiter.ask.lane != "guard")

    def _tell(self, waiter: _Waiter, answer: Answer) -> None:
        if waiter.future.done():
            return  # given up meanwhile: the call it took is lost, not owed
        if answer.refusal is not None:
            waiter.future.set_exception(Retry(answer.refusal.why))
        elif not answer.wait_ms:
            self._under_way += waiter.ask.lane != "guard"
            if waiter.is_guards_read:
                self._guard_reads.take(self._steady.now_ms())
            waiter.future.set_result(None)
        elif answer.own:
            heapq.heappush(self._aside, (self._steady.now_ms() + answer.wait_ms, waiter.rank[2], waiter))
        else:
            heapq.heappush(self._queues[waiter.ask.lane], waiter)
            until = self._steady.now_ms() + max(answer.wait_ms, PAUSE_MS)
            rank = min(waiter.rank[0], self._full[1]) if self._is_full() else waiter.rank[0]
            self._full = until, rank

    async def _rest(self) -> None:
        """Sleep until a waiting call may go; return at once while there may be more to serve."""
        now = self._steady.now_ms()
        if self._best_queue(now) is not None:
            await asyncio.sleep(0)
            return
        if not any(not waiter.future.done() for _, _, waiter in self._deadlines):
            return
        moments = [self._full[0]] if self._is_full() else []
        moments += [heap[0][0] for heap in (self._aside, self._deadlines) if heap]
        await self._sleep(max(min(moments) - now, 1))

    async def _sleep(self, ms: int) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(ms / 1000)), asyncio.ensure_future(self._news.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
