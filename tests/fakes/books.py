"""
The part of the in-memory ledger that keeps books: fills, transfers, equity; and its commits.

See `tests.fakes.ledger` for what the whole is for, `tests.fakes.gauges` for what is measured on these books.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeVar

from lib.clock import Clock
from lib.domain import order_rules
from lib.domain.account import Slot
from lib.domain.books import Books, EquityPoint, Fill, RunningBooks, Transfer, book_fill, book_transfer
from lib.domain.equity import book_point, explained, held_late
from lib.domain.errors import Retry
from lib.domain.events import Event, EventKind, of_fill
from tests.fakes.accounts import NOTHING_HELD, AccountRow, Store, SymbolRow

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
        for fill in fills:
            if (account_id, fill.exec_id) not in self.store.fills and fill.at_ms >= row.books.opened_ms:
                held = row.books_on(fill.symbol)
                books, realised = book_fill(held, fill)
                if told := of_fill(held, books, fill, realised):
                    self.tell(account_id, told)
                self.store.fills[account_id, fill.exec_id] = fill
                row = self._with_books(row, fill.symbol, books)
        self.store.accounts[account_id] = row
        return len(self.store.fills) - before

    def _with_books(self, row: AccountRow, symbol: str, books: RunningBooks) -> AccountRow:
        known = row.symbols.get(symbol) or SymbolRow(self.store.number_of(symbol), traded=False)
        moved = row.books_on(symbol).position(symbol) != books.position(symbol)
        told = None if moved else known.liquidation
        of_account = replace(books, **NOTHING_HELD)
        return replace(row, books=of_account).on(symbol, replace(known, held=books.of_symbol, liquidation=told))

    async def note_liquidation(self, slot: Slot, qty: Decimal, price: Decimal) -> bool:
        return await self._commit(lambda: self._note_liquidation(slot, qty, price))

    def _note_liquidation(self, slot: Slot, qty: Decimal, price: Decimal) -> bool:
        account_id, symbol = slot
        row = self.store.accounts[account_id]
        if symbol not in row.symbols or row.symbols[symbol].qty != qty:
            return False
        self.store.accounts[account_id] = row.on(symbol, replace(row.symbols[symbol], liquidation=price))
        return True

    async def books(self, slot: Slot) -> Books:
        return self.store.accounts[slot[0]].books_on(slot[1]).books(slot[1])

    async def record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        return await self._commit(lambda: self._record_transfers(account_id, transfers))

    def _record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        row, new = self.store.accounts[account_id], list[Transfer]()
        for transfer in transfers:
            key = (account_id, transfer.transfer_id)
            if key not in self.store.transfers and transfer.at_ms > row.books.opened_ms:
                self.store.transfers[key] = transfer
                new.append(transfer)
                row = replace(row, books=book_transfer(row.books, transfer))
        self.store.accounts[account_id] = row
        points = [point for (who, _), point in sorted(self.store.equity.items()) if who == account_id]
        late = held_late(points, new) if new else {}
        for t_ms, held in late.items():
            self.store.counted[account_id, t_ms] += held
        self.store.accounts[account_id] = replace(row, books=explained(row.books, late))
        return len(new)

    async def record_equity(self, point: EquityPoint) -> bool:
        return await self._commit(lambda: self._record_equity(point))

    def _record_equity(self, point: EquityPoint) -> bool:
        key, row = (point.account_id, point.t_ms), self.store.accounts[point.account_id]
        if key in self.store.equity:
            return False
        before = [(t, p.difference) for (who, t), p in self.store.equity.items() if (who, t) < key and who == key[0]]
        self.store.equity[key], self.store.counted[key] = point, row.books.transfers
        self.store.accounts[point.account_id] = replace(row, books=book_point(row.books, point))
        if not point.difference or (before and max(before)[1] == point.difference):
            return False
        why = order_rules.books_differ(point)
        self.tell(point.account_id, Event(EventKind.BOOKS, why, f"books:{point.account_id}:{point.t_ms}"))
        return True

    def tell(self, account_id: int, event: Event) -> None:
        """One message to the account's owner (0: to the operators), once for what it is about."""
        if event.about in self.store.told:
            return
        if event.about:
            self.store.told.add(event.about)
        self.store.events_told.append((account_id, event))
