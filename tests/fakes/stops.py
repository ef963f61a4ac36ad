"""The part of the in-memory ledger that keeps where stops were moved."""

from dataclasses import replace
from decimal import Decimal

from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.order import Order
from lib.domain.stops import StopMove, called, is_settled_by, stop_to_call, waits
from tests.fakes.gauges import MemoryGauges


class MemoryStops(MemoryGauges):
    """Committed moves, claims of calls, what became of them."""

    def _insert_move(self, account: TraderAccount, t_ms: int, price: Decimal) -> None:
        entry = self._last_entry(account.slot)
        if entry is not None:
            move = StopMove(entry.order_link_id, t_ms, price)
            self.store.stop_moves.setdefault((move.entry_link, t_ms), (account.slot, move))

    def _moves(self, entry: Order) -> list[StopMove]:
        rows = self.store.stop_moves.values()
        return [one for who, one in rows if (who, one.entry_link) == (entry.slot, entry.order_link_id)]

    async def stop_moves(self, entry: Order) -> list[StopMove]:
        return self._moves(entry)

    async def move_stop(self, entry: Order, t_ms: int, price: Decimal) -> None:
        def move() -> None:
            made = StopMove(entry.order_link_id, t_ms, price)
            self.store.stop_moves.setdefault((made.entry_link, t_ms), (entry.slot, made))

        await self._commit(move)

    async def claim_stop(self, entry: Order, known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
        def claim() -> Decimal:
            moves = self._moves(entry)
            price = stop_to_call(entry, moves, known, standing, at_ms)
            if price:
                kept = called(entry, moves, price, at_ms)
                self.store.stop_moves[kept.entry_link, kept.t_ms] = entry.slot, kept
            return price

        return await self._commit(claim)

    async def settle_stops(self, entry: Order, standing: Decimal, at_ms: int) -> bool:
        def settle() -> bool:
            for key, (who, move) in list(self.store.stop_moves.items()):
                if who == entry.slot and not move.settled_ms and is_settled_by(move, entry, standing):
                    self.store.stop_moves[key] = who, replace(move, settled_ms=at_ms)
            return waits(entry, self._moves(entry))

        return await self._commit(settle)

    async def moved_slots(self) -> set[Slot]:
        return {who for who, move in self.store.stop_moves.values() if not move.settled_ms}
