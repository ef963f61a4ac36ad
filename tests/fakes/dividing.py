"""The part of the in-memory ledger that divides accounts among workers: `lib.ports.workers.WorkerLeases`."""

from collections.abc import Collection
from dataclasses import replace

from lib.domain.worker import Holding, LeaseHeld, Loan, Room, RoomAsk, Worker, fair_share, lend
from lib.ports.workers import WorkerLeases
from tests.fakes.books import MemoryBooks


class MemoryLeases(MemoryBooks, WorkerLeases):
    """Leases of accounts, workers, loans."""

    async def hold(self, worker: Worker, ttl_ms: int) -> Holding:
        return await self._commit(lambda: self._hold(worker, ttl_ms))

    def _hold(self, worker: Worker, ttl_ms: int) -> Holding:
        at, store, me = self._clock.now_ms(), self.store, worker.holder
        store.workers[me] = worker, at
        for number, lease in list(store.leases.items()):
            if lease.holder == me:
                store.leases[number] = replace(lease, until_ms=at + ttl_ms)
        active = sorted(number for number, row in store.accounts.items() if row.active)
        alive = self._living(at - ttl_ms)
        alone = self._alone(at)
        share = len(self._active(me)) if alone else fair_share(len(active), alive, me)
        for number in active:
            known = store.leases.get(number, LeaseHeld("", 0, 0))
            if len(self._active(me)) < share and (not known.holder or known.until_ms <= at):
                store.leases[number] = LeaseHeld(me, known.epoch + 1, at + ttl_ms)
        mine = self._active(me)
        return Holding(self._owned(me), mine, max(len(mine) - share, 0), len(alive), alone)

    def _owned(self, holder: str) -> dict[int, int]:
        return {number: lease.epoch for number, lease in self.store.leases.items() if lease.holder == holder}

    def _active(self, holder: str) -> frozenset[int]:
        return frozenset(number for number in self._owned(holder) if self.store.accounts[number].active)

    def _living(self, since_ms: int) -> list[Worker]:
        return [one for _, (one, seen_ms) in sorted(self.store.workers.items()) if seen_ms > since_ms]

    async def give_back(self, holder: str, account_ids: Collection[int]) -> None:
        await self._commit(lambda: self._give_back(holder, account_ids))

    def _give_back(self, holder: str, account_ids: Collection[int]) -> None:
        for number in account_ids:
            lease = self.store.leases.get(number)
            if lease is not None and lease.holder == holder:
                self.store.leases[number] = LeaseHeld("", lease.epoch, 0)

    async def leave(self, holder: str) -> None:
        def left() -> None:
            self._give_back(holder, list(self.store.leases))
            self.store.workers.pop(holder, None)
            if self.store.lease.holder == holder:
                self.store.lease = replace(self.store.lease, holder="", expires_ms=0)

        await self._commit(left)

    async def living(self, ttl_ms: int) -> list[Worker]:
        return self._living(self._clock.now_ms() - ttl_ms)

    async def trader_alone(self) -> str:
        return self._alone(self._clock.now_ms())

    def _alone(self, at: int) -> str:
        lease = self.store.lease
        return lease.holder if lease.expires_ms > at and lease.holder not in self.store.workers else ""

    async def borrow(self, ask: RoomAsk, ttl_ms: int) -> Room:
        return await self._commit(lambda: self._borrow(ask, ttl_ms))

    def _borrow(self, ask: RoomAsk, ttl_ms: int) -> Room:
        alive = self._living(self._clock.now_ms() - ttl_ms)
        room = lend(ask, self.store.loans, [one.holder for one in alive if one.capacity])
        self.store.loans = [*self.store.loans, Loan(ask.pool, ask.holder, room, ask.until_ms, ask.made)]
        return room
