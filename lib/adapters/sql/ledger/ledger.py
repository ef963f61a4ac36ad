"""
The ledger over SQL: each method one transaction in a bounded pool of threads, so that no task blocks the loop.

The transactions themselves are the functions of the modules beside this one, by idea. Nothing is retried: a method that
raised *Retry* may have taken effect (see `lib.ports.ledger.Ledger`), and a cancelled task's transaction still runs to
its end. What moves orders, throws switches or keeps the lease never waits behind reports and books; and of that the
claims, whose signatures grow old, go before plans and moves.

Methods of several accounts that wait at once may share a commit (`group_commit`). On a server only those that read do:
there a row that somebody else holds locked would make all of them wait for one account's. SQLite has one writer, which
everything that writes waits for here, in that order, and not in SQLite's polling busy handler.
"""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import TypeVar

import sqlalchemy as sa

from lib import log
from lib.adapters.sql.ledger import (
    claiming,
    cycles,
    dividing,
    gauging,
    keeping,
    locks,
    moving,
    planning,
    stop_rows,
    switches,
    telling,
)
from lib.adapters.sql.ledger.group_commit import GroupCommit, Kind
from lib.adapters.sql.ledger.real_money import real_facts
from lib.adapters.sql.ledger.roster import read_accounts
from lib.adapters.sql.ledger.rows import ledger_clock, order_of_link, read_orders, setting_rows
from lib.adapters.sql.tables.trading import orders
from lib.clock import Clock
from lib.domain.account import Pool, Slot
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.books import Books, EquityPoint, Fill, Transfer
from lib.domain.events import Event
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.gates import LogFacts, PlatformFacts
from lib.domain.locks import RiskLock
from lib.domain.opinions import Opinion
from lib.domain.order import TERMINAL, Claim, Order, OrderState, link_prefix
from lib.domain.platform_settings import LimitOverrides, limit_overrides
from lib.domain.real_money import RealFacts
from lib.domain.reason import Reason
from lib.domain.risk import AccountPlan, Sizing
from lib.domain.stops import StopMove
from lib.domain.switches import Flags
from lib.domain.worker import Holding, Room, RoomAsk, Worker
from lib.ports.ledger import Ledger
from lib.ports.workers import WorkerLeases

T = TypeVar("T")
LOG = log.get("ledger")

_OPEN = [state.value for state in OrderState if state not in TERMINAL]


class SqlLedger(Ledger, WorkerLeases):
    """
    `lib.ports.ledger.Ledger` and `lib.ports.workers.WorkerLeases`. *installation* is this deployment's id in every
    order_link_id.
    """

    def __init__(self, engine: sa.Engine, *, installation: str, clock: Clock | None = None, workers: int = 2) -> None:
        link_prefix(installation)  # refuses a bad id now rather than at the first order
        self._engine = engine
        self._installation = installation
        self._now = ledger_clock(engine, clock)
        if engine.dialect.name == "sqlite":
            together = frozenset({Kind.WRITE, Kind.READ, Kind.BOOK})
            self._orders = self._books = GroupCommit(engine, 1, "ledger-writes", together)
            self._looks = GroupCommit(engine, 1, "ledger-looks", together)
            self._reads = GroupCommit(engine, 1, "ledger-reads", together)
        else:
            together = frozenset({Kind.READ})
            self._orders = self._looks = GroupCommit(engine, workers, "ledger-orders", together)
            self._books = self._reads = GroupCommit(engine, workers, "ledger", together)
        self._flaws: dict[int, str] = {}

    def close(self) -> None:
        """Wait for running transactions and end the threads; the engine stays its owner's."""
        for crew in (self._orders, self._looks, self._books, self._reads):
            crew.close()

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._books.run(work, Kind.BOOK)

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._reads.run(work, Kind.READ)

    async def _survey(self, work: Callable[[sa.Connection], T]) -> T:
        """A read over all accounts, whose end no read of one account's should wait for."""
        return await self._reads.run(work, Kind.LONG_READ)

    async def survey(self, work: Callable[[sa.Connection], T]) -> T:
        """A read beside trading (`shadowing`): behind every read on an order's way."""
        return await self._survey(work)

    async def note(self, work: Callable[[sa.Connection], T]) -> T:
        """A write beside trading: behind every write on an order's way."""
        return await self._write(work)

    async def _rule(self, work: Callable[[sa.Connection], T]) -> T:
        """A claim or a switch: before every other write on an order's way, and by itself."""
        return await self._orders.run(work, Kind.FIRST)

    async def _act(self, work: Callable[[sa.Connection], T]) -> T:
        """A write on an order's way: it waits behind other such writes only, never behind reports and books."""
        return await self._orders.run(work, Kind.WRITE)

    async def _look(self, work: Callable[[sa.Connection], T]) -> T:
        """A read on an order's way."""
        return await self._looks.run(work, Kind.READ)

    async def now(self) -> int:
        return await self._look(self._now)

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        return await self._rule(lambda c: switches.hold_lease(c, self._now, holder, ttl_ms))

    async def release_lease(self, holder: str) -> None:
        await self._rule(lambda c: switches.release_lease(c, holder))

    async def flags(self) -> Flags:
        return await self._read(switches.read_flags)

    async def set_flags(self, flags: Flags, who: str) -> None:
        await self._rule(lambda c: switches.set_flags(c, self._now, flags, who))

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        await self._rule(lambda c: switches.set_account_flags(c, self._now, account_id, flags, who) and None)
        LOG.info("account.switched", account=account_id, who=who, trading=flags.trading_enabled, flatten=flags.flatten)

    async def prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        return await self._write(lambda c: switches.prove_stopped(c, account_id, switched_ms, at_ms))

    async def accounts(self) -> list[TraderAccount]:
        found = await self._survey(lambda c: read_accounts(c, self._now))
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

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        return await self._read(lambda c: cycles.model_spent(c, owner_id, name, t_ms))

    async def opinions(self, feed: str, symbol: str, asked_sha256: str, before_ms: int) -> list[Opinion]:
        return await self._read(lambda c: cycles.read_opinions(c, feed, symbol, asked_sha256, before_ms))

    async def person_spent(self, user_id: int, t_ms: int) -> Decimal:
        return await self._read(lambda c: cycles.person_spent(c, user_id, t_ms))

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        return await self._read(lambda c: cycles.analyst_failures(c, feed, symbol, before_ms))

    async def facts(self, slot: Slot, t_ms: int) -> LogFacts:
        return await self._read(lambda c: gauging.facts(c, self._now, slot, t_ms))

    async def platform_facts(self, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
        return await self._survey(lambda c: gauging.platform_facts(c, self._now, feed, t_ms, pool))

    async def real_money(self, slot: Slot) -> RealFacts:
        return await self._read(lambda c: real_facts(c, slot, self._now(c)))

    async def limit_overrides(self) -> LimitOverrides:
        return await self._read(lambda c: limit_overrides(setting_rows(c)))

    async def plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        return await self._act(lambda c: planning.plan(c, self._now, self._installation, account, key, t_ms, plan))

    async def plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        return await self._act(lambda c: planning.plan_exit(c, self._now, self._installation, account, t_ms, plan))

    async def size(self, order: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        return await self._act(lambda c: planning.size(c, self._now, order, sizing, ref_price))

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        return await self._rule(lambda c: claiming.claim(c, self._now, order, signed, holder))

    async def move(self, order: Order, after: OrderState, why: Reason, code: int = 0) -> Order | None:
        return await self._act(lambda c: moving.move(c, self._now, order, after, why, code))

    async def close_order(self, order: Order, verdict: Verdict) -> Order | None:
        return await self._act(lambda c: moving.close(c, self._now, order, verdict))

    async def open_orders(self, account_id: int = 0) -> list[Order]:
        mine = (orders.c.account_id == account_id,) if account_id else ()
        ask = self._read if account_id else self._survey
        return await ask(lambda c: read_orders(c, orders.c.state.in_(_OPEN), *mine))

    async def order_by_link(self, order_link_id: str) -> Order | None:
        return await self._look(lambda c: order_of_link(c, order_link_id))

    async def sent_links(self, order_link_ids: Sequence[str]) -> set[str]:
        return await self._look(lambda c: planning.sent_links(c, order_link_ids))

    async def known_links(self, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
        return await self._read(lambda c: planning.known_links(c, account_id, order_link_ids))

    async def adopt(self, account: TraderAccount, record: OrderRecord, t_ms: int) -> bool:
        # alone: it raises an alarm, which no rolled-back transaction takes back
        return await self._books.run(
            lambda c: planning.adopt(c, self._now, self._installation, account, record, t_ms), Kind.ALONE
        )

    async def last_entry(self, slot: Slot) -> Order | None:
        return await self._read(lambda c: keeping.last_entry(c, slot))

    async def stop_moves(self, entry: Order) -> list[StopMove]:
        return await self._look(lambda c: stop_rows.read_moves(c, entry))

    async def move_stop(self, entry: Order, t_ms: int, price: Decimal) -> None:
        await self._act(lambda c: stop_rows.move(c, entry, t_ms, price))

    async def claim_stop(self, entry: Order, known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
        return await self._rule(lambda c: stop_rows.claim(c, entry, known, standing, at_ms))

    async def settle_stops(self, entry: Order, standing: Decimal, at_ms: int) -> bool:
        return await self._write(lambda c: stop_rows.settle(c, entry, standing, at_ms))

    async def moved_slots(self) -> set[Slot]:
        return await self._survey(stop_rows.moved_slots)

    async def record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        return await self._write(lambda c: keeping.record_fills(c, account_id, fills))

    async def record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        return await self._write(lambda c: keeping.record_transfers(c, account_id, transfers))

    async def books(self, slot: Slot) -> Books:
        return await self._read(lambda c: keeping.books(c, slot))

    async def note_liquidation(self, slot: Slot, qty: Decimal, price: Decimal) -> bool:
        return await self._write(lambda c: keeping.note_liquidation(c, slot, qty, price))

    async def record_equity(self, point: EquityPoint) -> bool:
        return await self._write(lambda c: keeping.record_equity(c, point))

    async def lock(self, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
        await self._rule(lambda c: locks.lock(c, self._now, account_id, kind, until_ms, why))

    async def locks(self, account_id: int) -> list[RiskLock]:
        return await self._read(lambda c: locks.locks(c, self._now, account_id))

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        return await self._rule(lambda c: locks.unlock(c, self._now, account_id, kind, who))

    async def pause(self, account_id: int, why: Reason) -> None:
        await self._rule(lambda c: switches.pause(c, self._now, account_id, why))

    async def notice(self, account_id: int, event: Event) -> None:
        await self._write(lambda c: telling.tell_owner(c, account_id, event))

    async def hold(self, worker: Worker, ttl_ms: int) -> Holding:
        return await self._rule(lambda c: dividing.hold(c, self._now, worker, ttl_ms))

    async def give_back(self, holder: str, account_ids: Collection[int]) -> None:
        await self._rule(lambda c: dividing.give_back(c, self._now, holder, account_ids))

    async def leave(self, holder: str) -> None:
        await self._rule(lambda c: dividing.leave(c, self._now, holder))

    async def living(self, ttl_ms: int) -> list[Worker]:
        return await self._read(lambda c: dividing.living(c, self._now, ttl_ms))

    async def trader_alone(self) -> str:
        return await self._read(lambda c: dividing.trader_alone(c, self._now))

    async def borrow(self, ask: RoomAsk, ttl_ms: int) -> Room:
        return await self._rule(lambda c: dividing.borrow(c, self._now, ask, ttl_ms))
