"""
The ledger over SQL: each method one transaction in a bounded pool of threads, so that no task blocks the loop.

The transactions themselves are the functions of the modules beside this one, by idea. Nothing is retried: a method that
raised *Retry* may have taken effect (see `lib.ports.ledger.Ledger`), and a cancelled task's transaction still runs to
its end. What moves orders, throws switches or keeps the lease has threads of its own: it never waits behind reports and
books.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TypeVar

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger import claiming, cycles, gauging, keeping, locks, moving, planning, switches
from lib.adapters.sql.ledger.roster import read_accounts
from lib.adapters.sql.ledger.rows import ledger_clock, order_of_link, read_orders, setting_rows
from lib.adapters.sql.tables.trading import orders
from lib.clock import Clock
from lib.domain.account import Pool
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.books import Books, EquityPoint, Fill, Transfer
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.gates import LogFacts, PlatformFacts
from lib.domain.locks import RiskLock
from lib.domain.order import TERMINAL, Claim, Order, OrderState, link_prefix
from lib.domain.platform_settings import LimitOverrides, limit_overrides
from lib.domain.reason import Reason
from lib.domain.risk import AccountPlan, Sizing
from lib.domain.switches import Flags
from lib.ports.ledger import Ledger

T = TypeVar("T")
LOG = log.get("ledger")

_OPEN = [state.value for state in OrderState if state not in TERMINAL]


class SqlLedger(Ledger):
    """`lib.ports.ledger.Ledger`. *installation* is this deployment's id in every order_link_id."""

    def __init__(self, engine: sa.Engine, *, installation: str, clock: Clock | None = None, workers: int = 2) -> None:
        link_prefix(installation)  # refuses a bad id now rather than at the first order
        self._engine = engine
        self._installation = installation
        self._now = ledger_clock(engine, clock)
        # SQLite has one writer: more threads would only wait in its polling busy handler
        threads = 1 if engine.dialect.name == "sqlite" else workers
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ledger")
        self._urgent = ThreadPoolExecutor(threads, thread_name_prefix="ledger-orders")
        self._flaws: dict[int, str] = {}

    def close(self) -> None:
        """Wait for running transactions and end the threads; the engine stays its owner's."""
        self._urgent.shutdown(wait=True)
        self._pool.shutdown(wait=True)

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, transact, self._engine, work)

    async def _act(self, work: Callable[[sa.Connection], T]) -> T:
        """A write on an order's way: it waits behind other such writes only, never behind reports and books."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._urgent, transact, self._engine, work)

    async def _look(self, work: Callable[[sa.Connection], T]) -> T:
        """A read on an order's way, in the same lane."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._urgent, lambda: transact(self._engine, work, readonly=True))

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: transact(self._engine, work, readonly=True))

    async def now(self) -> int:
        return await self._look(self._now)

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        return await self._act(lambda c: switches.hold_lease(c, self._now, holder, ttl_ms))

    async def release_lease(self, holder: str) -> None:
        await self._act(lambda c: switches.release_lease(c, holder))

    async def flags(self) -> Flags:
        return await self._read(switches.read_flags)

    async def set_flags(self, flags: Flags, who: str) -> None:
        await self._act(lambda c: switches.set_flags(c, self._now, flags, who))

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        await self._act(lambda c: switches.set_account_flags(c, self._now, account_id, flags, who))
        LOG.info("account.switched", account=account_id, who=who, trading=flags.trading_enabled, flatten=flags.flatten)

    async def prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        return await self._write(lambda c: switches.prove_stopped(c, account_id, switched_ms, at_ms))

    async def accounts(self) -> list[TraderAccount]:
        found = await self._read(lambda c: read_accounts(c, self._now))
        flaws = {account.account_id: flaw for account, flaw in found if flaw}
        for account_id in flaws.keys() - {known for known, flaw in self._flaws.items() if flaws.get(known) == flaw}:
            LOG.error("settings.unreadable", account=account_id, why=flaws[account_id])
        self._flaws = flaws
        return [account for account, _ in found]

    async def cycle(self, key: CycleKey) -> AnalystAnswer | None:
        found = await self._read(lambda c: cycles.read_cycle(c, key))
        return found.answer if found else None

    async def record_cycle(self, record: CycleRecord) -> AnalystAnswer:
        return await self._write(lambda c: cycles.record_cycle(c, record))

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        return await self._read(lambda c: cycles.analyst_failures(c, feed, symbol, before_ms))

    async def facts(self, account_id: int, t_ms: int) -> LogFacts:
        return await self._read(lambda c: gauging.facts(c, self._now, account_id, t_ms))

    async def platform_facts(self, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
        return await self._read(lambda c: gauging.platform_facts(c, self._now, feed, t_ms, pool))

    async def limit_overrides(self) -> LimitOverrides:
        return await self._read(lambda c: limit_overrides(setting_rows(c)))

    async def plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        return await self._act(lambda c: planning.plan(c, self._now, self._installation, account, key, t_ms, plan))

    async def plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        return await self._act(lambda c: planning.plan_exit(c, self._now, self._installation, account, t_ms, plan))

    async def size(self, order: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        return await self._act(lambda c: planning.size(c, self._now, order, sizing, ref_price))

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        return await self._act(lambda c: claiming.claim(c, self._now, order, signed, holder))

    async def move(self, order: Order, after: OrderState, why: Reason, code: int = 0) -> Order | None:
        return await self._act(lambda c: moving.move(c, self._now, order, after, why, code))

    async def close_order(self, order: Order, verdict: Verdict) -> Order | None:
        return await self._act(lambda c: moving.close(c, self._now, order, verdict))

    async def open_orders(self, account_id: int = 0) -> list[Order]:
        mine = (orders.c.account_id == account_id,) if account_id else ()
        return await self._read(lambda c: read_orders(c, orders.c.state.in_(_OPEN), *mine))

    async def order_by_link(self, order_link_id: str) -> Order | None:
        return await self._look(lambda c: order_of_link(c, order_link_id))

    async def known_links(self, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
        return await self._read(lambda c: planning.known_links(c, account_id, order_link_ids))

    async def adopt(self, account: TraderAccount, record: OrderRecord, t_ms: int) -> bool:
        return await self._write(lambda c: planning.adopt(c, self._now, self._installation, account, record, t_ms))

    async def last_entry(self, account_id: int) -> Order | None:
        return await self._read(lambda c: keeping.last_entry(c, account_id))

    async def record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        return await self._write(lambda c: keeping.record_fills(c, account_id, fills))

    async def record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        return await self._write(lambda c: keeping.record_transfers(c, account_id, transfers))

    async def books(self, account_id: int) -> Books:
        return await self._read(lambda c: keeping.books(c, account_id))

    async def record_equity(self, point: EquityPoint) -> bool:
        return await self._write(lambda c: keeping.record_equity(c, point))

    async def lock(self, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
        await self._act(lambda c: locks.lock(c, self._now, account_id, kind, until_ms, why))

    async def locks(self, account_id: int) -> list[RiskLock]:
        return await self._read(lambda c: locks.locks(c, self._now, account_id))

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        return await self._act(lambda c: locks.unlock(c, self._now, account_id, kind, who))

    async def pause(self, account_id: int, why: Reason) -> None:
        await self._act(lambda c: switches.pause(c, self._now, account_id, why))

    async def notice(self, account_id: int, kind: str, why: Reason) -> None:
        await self._write(lambda c: switches.notice(c, account_id, kind, why))
