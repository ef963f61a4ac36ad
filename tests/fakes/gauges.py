"""
The part of the in-memory ledger that measures and stops: facts of accounts and platform, locks, pauses, switches.

See `tests.fakes.ledger` for what the whole is for.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lib.domain import order_rules, stakes
from lib.domain.account import Pool, Slot
from lib.domain.analyst_call import SHADOW
from lib.domain.day import midnight_before, utc_day
from lib.domain.equity import Mark, day_start
from lib.domain.events import Event, EventKind, of_proof
from lib.domain.gates import UNLISTED_MS, LogFacts, PlatformFacts, kinds_of, newly_missing
from lib.domain.locks import RiskLock
from lib.domain.order import Order, OrderState
from lib.domain.platform_settings import LimitOverrides, limit_overrides
from lib.domain.real_money import RealFacts
from lib.domain.reason import Reason
from lib.domain.stakes import Stake
from lib.domain.switches import Flags
from lib.domain.venues import pool_of
from tests.fakes.accounts import LockRow, MemoryAccounts, SymbolRow
from tests.fakes.books import MemoryBooks
from tests.worlds.real import nothing_known

ZERO = Decimal(0)


class MemoryGauges(MemoryBooks):
    """What the books say of a day, and what keeps entries off."""

    @property
    def people(self) -> MemoryAccounts:
        """`Accounts` over the same rows."""
        return MemoryAccounts(self.store, self._clock)

    async def facts(self, slot: Slot, t_ms: int) -> LogFacts:
        account_id, symbol = slot
        row, orders = self.store.accounts[account_id], self.store.of_account(account_id)
        return LogFacts(
            own_qty=row.books_on(symbol).position_qty,
            day_start_equity=self._day_start_equity(account_id, t_ms),
            peak_equity=row.books.peak_equity,
            entries_today=self._entries({account_id}, t_ms),
            loss_streak=row.books.streak_on(t_ms),
            last_stop_ms=row.books.last_stop_ms,
            locks=self._kinds(account_id, self._clock.now_ms()),
            unresolved=sum(order_rules.is_unresolved(order, symbol, t_ms) for order in orders),
            tokens_today=self._tokens_of(account_id, t_ms),
            others=self._stakes(account_id, but=symbol),
            difference_before=self._difference_before(account_id, t_ms),
        )

    def _stakes(self, account_id: int, *, but: str) -> tuple[Stake, ...]:
        held = [(symbol, row) for symbol, row in self.store.accounts[account_id].symbols.items() if row.qty]
        coming = [stakes.coming_stake(order) for order in self.store.of_account(account_id) if order.symbol != but]
        return (
            *(self._stake(account_id, symbol, row) for symbol, row in held if symbol != but),
            *(stake for stake in coming if stake is not None),
        )

    def _stake(self, account_id: int, symbol: str, row: SymbolRow) -> Stake:
        entry = self._last_entry((account_id, symbol))
        average = Decimal(row.held["avg_entry_price"])
        return stakes.held_stake(symbol, row.qty, average, entry.leverage if entry else 0)

    def _last_entry(self, slot: Slot) -> Order | None:
        filled = (OrderState.FILLED, OrderState.PARTIAL)
        entries = [o for o in self.store.of_slot(slot) if o.leg == "e" and o.state in filled]
        return max(entries, key=lambda order: (order.t_ms, order.id), default=None)

    def _points(self, account_id: int, t_ms: int) -> list[int]:
        """T of the account's equity points up to *t_ms*, oldest first."""
        return sorted(at for who, at in self.store.equity if who == account_id and at <= t_ms)

    def _today(self, account_id: int, t_ms: int) -> list[int]:
        return [at for at in self._points(account_id, t_ms) if utc_day(at) == utc_day(t_ms)]

    def _day_start_equity(self, account_id: int, t_ms: int) -> Decimal:
        books, today = self.store.accounts[account_id].books, self._today(account_id, t_ms)
        before = self._points(account_id, midnight_before(t_ms) - 1)
        first, last = (self._mark(account_id, points) for points in (today[:1], before[-1:]))
        return day_start(t_ms, last, first, books.start_balance, books.transfers)

    def _mark(self, account_id: int, points: Sequence[int]) -> Mark | None:
        """The mark at the one T of *points*, if there is one."""
        for at in points:
            return Mark(at, self.store.equity[account_id, at].equity, self.store.counted[account_id, at])
        return None

    def _since(self, account_id: int, at: int) -> Decimal:
        """The equity of that point, moved by the transfers since."""
        mark = self._mark(account_id, [at])
        assert mark is not None
        return mark.moved(self.store.accounts[account_id].books.transfers)

    def _difference_before(self, account_id: int, t_ms: int) -> Decimal:
        old = self._points(account_id, t_ms - UNLISTED_MS)
        return self.store.equity[account_id, old[-1]].difference if old else ZERO

    def _missing(self, account_id: int, newest: int, t_ms: int) -> Decimal:
        return newly_missing(
            self.store.equity[account_id, newest].difference, self._difference_before(account_id, t_ms)
        )

    def _entries(self, accounts: set[int], t_ms: int) -> int:
        day = utc_day(t_ms)
        sent = (o for o in self.store.orders.values() if o.leg == "e" and o.attempts and o.account_id in accounts)
        return sum(utc_day(order.t_ms) == day for order in sent)

    def _tokens_of(self, account_id: int, t_ms: int) -> int:
        day = utc_day(t_ms)
        logs = (log for (who, _, at), log in self.store.logs.items() if who == account_id and utc_day(at) == day)
        return sum(log.answer.prompt_tokens + log.answer.completion_tokens for log in logs if log.answer)

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        return self._failures(feed, symbol, before_ms)

    def _failures(self, feed: str, symbol: str | None = None, before_ms: int | None = None) -> int:
        asked = [(key, answer) for key, answer in self.store.cycles.items() if key.feed == feed]
        cycles = [(key, answer) for key, answer in asked if before_ms is None or key.t_ms < before_ms]
        traded = [(key, answer) for key, answer in cycles if self.store.asked_for.get(key) != SHADOW]
        calls = [(key.t_ms, answer.failed) for key, answer in traded if symbol in (None, key.symbol)]
        answered = max((t_ms for t_ms, failed in calls if not failed), default=-1)
        return len({t_ms for t_ms, _ in calls if t_ms > answered})

    async def real_money(self, slot: Slot) -> RealFacts:
        return self._real_facts(slot[0], self._clock.now_ms())

    def _real_facts(self, account_id: int, at: int) -> RealFacts:
        """What a test put there, or nothing: then every gate is closed."""
        known = self.store.real.get(account_id)
        return replace(known, now=at) if known else nothing_known(at)

    async def limit_overrides(self) -> LimitOverrides:
        return limit_overrides(self.store.settings)

    async def platform_facts(self, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
        of_feed = ((number, row) for number, row in self.store.accounts.items() if row.feed == feed)
        rows = {number: row for number, row in of_feed if pool_of(row.venue) == pool}
        today = {number: points for number in rows if (points := self._today(number, t_ms))}
        cycles = ((key, answer) for key, answer in self.store.cycles.items() if key.feed == feed)
        today_s = [(key, answer) for key, answer in cycles if utc_day(key.t_ms) == utc_day(t_ms)]
        asked_for = self.store.asked_for
        served = ("exchange",) if pool == "exchange" else ("paper", "guests")
        spent = [a for key, a in today_s if asked_for[key] in served]
        for_guests = [a for key, a in today_s if asked_for[key] == "guests" and pool == "paper"]
        held = [one for row in rows.values() for one in row.symbols.values()]
        return PlatformFacts(
            entries=self._entries(set(rows), t_ms),
            exposure=sum((abs(one.qty) * one.held["avg_entry_price"] for one in held), ZERO),
            equity=sum((self._since(number, points[-1]) for number, points in today.items()), ZERO),
            day_start_equity=sum((self._day_start_equity(number, t_ms) for number in today), ZERO),
            tokens=sum(answer.prompt_tokens + answer.completion_tokens for answer in spent),
            cost=sum((answer.cost for answer in spent if answer.cost is not None), ZERO),
            analyst_failures=self._failures(feed, before_ms=t_ms),
            locks=kinds_of(pool, self._kinds(0, self._clock.now_ms())),
            missing=sum((self._missing(number, points[-1], t_ms) for number, points in today.items()), ZERO),
            pool=pool,
            guest_tokens=sum(answer.prompt_tokens + answer.completion_tokens for answer in for_guests),
        )

    # --- locks and pauses ------------------------------------------------------------------------------------------

    async def lock(self, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
        await self._commit(lambda: self._lock(account_id, kind, until_ms, why))

    def _lock(self, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
        at = self._clock.now_ms()
        if kind in self._kinds(account_id, at):
            return
        day = utc_day(at) if account_id else 0
        self.store.locks[account_id, day, kind] = LockRow(RiskLock(account_id, kind, until_ms, why, at))
        if account_id:
            self.tell(account_id, Event(EventKind.LOCKED, why, f"locked:{account_id}:{kind}:{at}"))

    async def locks(self, account_id: int) -> list[RiskLock]:
        rows = (row.lock for key, row in self._held(account_id, self._clock.now_ms()))
        return sorted(rows, key=lambda lock: (lock.created_ms, lock.kind))

    def _held(self, account_id: int, at: int) -> list[tuple[tuple[int, int, str], LockRow]]:
        rows = self.store.locks.items()
        return [(key, row) for key, row in rows if key[0] == account_id and row.lock.until_ms > at]

    def _kinds(self, account_id: int, at: int) -> tuple[str, ...]:
        return tuple(sorted({row.lock.kind for _, row in self._held(account_id, at)}))

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        return await self._commit(lambda: self._unlock(account_id, kind, who))

    def _unlock(self, account_id: int, kind: str, who: str) -> bool:
        at = self._clock.now_ms()
        held = [(key, row) for key, row in self._held(account_id, at) if row.lock.kind == kind]
        for key, row in held:
            self.store.locks[key] = LockRow(replace(row.lock, until_ms=at), who, at)
        if held and account_id:
            self._begin_again(account_id, kind)
        return bool(held)

    def _begin_again(self, account_id: int, kind: str) -> None:
        row = self.store.accounts[account_id]
        newest = max((at for who, at in self.store.equity if who == account_id), default=None)
        if kind == "drawdown" and newest is not None:
            row = replace(row, books=replace(row.books, peak_equity=self._since(account_id, newest)))
        if kind == "loss_streak":
            row = replace(row, books=replace(row.books, loss_streak=0))
        self.store.accounts[account_id] = row

    async def pause(self, account_id: int, why: Reason) -> None:
        def pause() -> None:
            row = self.store.accounts[account_id]
            if row.trading_enabled:
                paused = replace(row, trading_enabled=False, pause_reason=why, paused_by="system")
                self.store.accounts[account_id] = paused.thrown(self._clock.now_ms())
                self.tell(account_id, Event(EventKind.PAUSED, why, f"paused:{account_id}:{row.switched_ms}"))

        await self._commit(pause)

    async def notice(self, account_id: int, event: Event) -> None:
        await self._commit(lambda: self.tell(account_id, event))

    # --- switches --------------------------------------------------------------------------------------------------

    async def flags(self) -> Flags:
        return self.store.flags

    async def set_flags(self, flags: Flags, who: str) -> None:
        await self._commit(lambda: self.people.set_flags(flags, who))

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        await self._commit(lambda: self.people.set_account_flags(account_id, flags, who))

    async def prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        return await self._commit(lambda: self._prove_stopped(account_id, switched_ms, at_ms))

    def _prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        row = self.store.accounts[account_id] if account_id else self.store.flags
        if row.switched_ms != switched_ms:
            return False
        if isinstance(row, Flags):
            self.store.flags = replace(row, proven_ms=at_ms)
        else:
            self.store.accounts[account_id] = replace(row, proven_ms=at_ms)
        self.tell(account_id, of_proof(account_id, switched_ms))
        return True
