"""
The half of the in-memory ledger that keeps books: fills, equity, facts, locks; and its commits.

See `tests.fakes_ledger` for the other half and for what the whole is for.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeVar

from lib.adapters.sql import rulings
from lib.adapters.sql.booking import book_fill
from lib.clock import Clock
from lib.domain.errors import Retry
from lib.ports import Books, EquityPoint, Fill, LogFacts
from tests.fakes_accounts import Store

T = TypeVar("T")
CommitUnknown = Literal["", "applied", "lost"]


class MemoryBooks:
    """What both halves stand on: rows, a clock, commits; and the books."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self.store = store
        self.commit_unknown: CommitUnknown = ""
        self._clock = clock

    async def _commit(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        fault, self.commit_unknown = self.commit_unknown, ""
        if fault == "lost":
            raise Retry("the database did not confirm the commit (lost)")
        result = work()
        if fault == "applied":
            raise Retry("the database did not confirm the commit (applied)")
        await asyncio.sleep(0)
        return result

    async def now(self) -> int:
        return self._clock.now_ms()

    async def record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        return await self._commit(lambda: self._record_fills(account_id, fills))

    def _record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        row, before = self.store.accounts[account_id], len(self.store.fills)
        books = row.books
        for fill in fills:
            if (account_id, fill.exec_id) not in self.store.fills and fill.at_ms >= books.opened_ms:
                books, _ = book_fill(books, fill)
                self.store.fills[account_id, fill.exec_id] = fill
        self.store.accounts[account_id] = replace(row, books=books)
        return len(self.store.fills) - before

    async def books(self, account_id: int) -> Books:
        row = self.store.accounts[account_id]
        return row.books.books(row.symbol)

    async def record_equity(self, point: EquityPoint) -> None:
        def record() -> None:
            if self.store.equity.setdefault((point.account_id, point.t_ms), point) is point:
                row = self.store.accounts[point.account_id]
                peak = max(row.peak_equity, point.equity)
                self.store.accounts[point.account_id] = replace(row, peak_equity=peak)

        await self._commit(record)

    async def facts(self, account_id: int, t_ms: int) -> LogFacts:
        row, orders = self.store.accounts[account_id], self.store.of_account(account_id)
        day = rulings.utc_day(t_ms)
        entries = [o for o in orders if o.leg == "e" and o.attempts and rulings.utc_day(o.t_ms) == day]
        return LogFacts(
            own_qty=row.books.position_qty,
            day_start_equity=self._day_start_equity(account_id, t_ms),
            peak_equity=row.peak_equity,
            entries_today=len(entries),
            loss_streak=row.books.streak_on(t_ms),
            last_stop_ms=row.books.last_stop_ms,
            locks=self._locks(account_id, self._clock.now_ms()),
            unresolved=sum(rulings.is_unresolved(order, t_ms) for order in orders),
        )

    def _day_start_equity(self, account_id: int, t_ms: int) -> Decimal:
        midnight = rulings.utc_day(t_ms) * rulings.DAY_MS
        mine = sorted((t, point.equity) for (who, t), point in self.store.equity.items() if who == account_id)
        today = [equity for t, equity in mine if midnight <= t <= t_ms]
        before = [equity for t, equity in mine if t < midnight]
        return next(iter(today + before[::-1]), self.store.accounts[account_id].books.start_balance)

    async def lock(self, account_id: int, kind: str, until_ms: int, why: str) -> None:
        key = (account_id, rulings.utc_day(self._clock.now_ms()), kind)
        await self._commit(lambda: self.store.locks.setdefault(key, until_ms))

    async def pause(self, account_id: int, why: str) -> None:
        def pause() -> None:
            row = self.store.accounts[account_id]
            if row.trading_enabled:
                self.store.accounts[account_id] = replace(row, trading_enabled=False, pause_reason=why)
                self.store.outbox = (*self.store.outbox, (account_id, why))

        await self._commit(pause)

    def _locks(self, account_id: int, at: int) -> tuple[str, ...]:
        return tuple(
            sorted({kind for (who, _, kind), until in self.store.locks.items() if who == account_id and until > at})
        )
